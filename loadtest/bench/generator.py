"""The generator of a trial: Locust, running the scenario's own file through the trial's phases."""

import os
import sys
from pathlib import Path

from loadtest.bench.plan import Plan, Trial
from loadtest.bench.scenarios import SCENARIOS
from loadtest.dimensions import CONSUMER, SCENARIO, SERVER
from loadtest.drops import find_drop
from loadtest.servers import SERVERS
from loadtest.stack.process import Process

SPAWN_RATE = 500
"""Users a second at most: each opening costs client and server some 2 ms together."""

STARTUP_S = 20.0
"""Locust is there within 2 s; this is for a machine that is very busy."""

RAMP_S = 30.0
CLOSING_S = 10.0
RESIDUE_S = 60.0
"""For reading what the server holds, which takes a second; a generator that nobody tells to let go does so after it."""
LEDGER = "ledger"
GO = "go"
HELD = "held"
"""The generator makes this file when only silently dropped connections are left, and keeps them until it is gone."""


def generators_of(plan: Plan, trial: Trial) -> int:
    """Return how many generators share the users: two where one of them is to be killed."""
    return 2 if any(find_drop(name).stage == "process" for name in plan.drops_of(trial.cell)) else 1


def users_of(plan: Plan, trial: Trial) -> int:
    """Return how many users the trial has."""
    return plan.users or SCENARIOS[trial.cell[SCENARIO]].users


def users_of_generator(plan: Plan, trial: Trial, number: int) -> int:
    """Return how many of the users the generator of that number has; they are dealt out in turn."""
    return len(range(number - 1, users_of(plan, trial), generators_of(plan, trial)))


def duration_of(plan: Plan, trial: Trial) -> float:
    """Return how long the part of the trial is that counts."""
    return plan.duration or SCENARIOS[trial.cell[SCENARIO]].duration


def settle_s(plan: Plan, trial: Trial) -> float:
    """Return how long the server has to notice the drops: where one is silent, its pings alone can tell it."""
    if not any(find_drop(name).silent for name in plan.drops_of(trial.cell)):
        return plan.settle
    server = SERVERS[trial.cell[SERVER]]
    interval_s, timeout_s = plan.pings or (server.ping_interval_s, server.ping_timeout_s)
    return (interval_s or 0.0) + (timeout_s or 0.0) + plan.settle  # a server that never pings notices nothing


def longest_s(plan: Plan, trial: Trial) -> float:
    """Return the time after which a generator must have gone through its phases, whatever the server did."""
    recover = plan.offline + plan.drain
    return STARTUP_S + RAMP_S + plan.warm_up + duration_of(plan, trial) + recover + plan.drain + CLOSING_S


def start_generator(plan: Plan, trial: Trial, *, number: int = 1, host: str, folder: Path) -> Process:
    """Start Locust; it waits, ready, until the file GO is in `folder`. Raises EnvironmentFailed.

    Of two generators of a trial the first marks its phases; the second is there to be killed.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "LOADTEST_"))}
    return Process(
        [sys.executable, "-m", "locust", *_options(plan, trial, number, host, folder)],
        name="Locust" if number == 1 else f"Locust {number}",
        log=folder / f"{_stem(number)}.log",
        env=env | {"PYTHONUNBUFFERED": "1"},
        cwd=folder,
    )


def _stem(number: int) -> str:
    """Return what the files of a generator begin with."""
    return "locust" if number == 1 else f"locust-{number}"


def _options(plan: Plan, trial: Trial, number: int, host: str, folder: Path) -> list[str]:
    scenario = SCENARIOS[trial.cell[SCENARIO]]
    generators = generators_of(plan, trial)
    users = users_of_generator(plan, trial, number)
    drops = _drops_of(plan, trial, number)
    named = {
        "locustfile": scenario.locustfile,
        "host": host,
        "users": users,
        "spawn-rate": min(users, SPAWN_RATE),
        "csv": folder / _stem(number),
        "loglevel": "WARNING",
        "exit-code-on-error": 0,  # refused and lost connections are what is measured
        "consumer": trial.cell[CONSUMER],
        "rate": scenario.rate if plan.rate is None else plan.rate,
        "payload-size": plan.payload_size,
        "room-size": plan.room_size or scenario.room_size,
        "handler-work": plan.work,
        "blocker-work": plan.blocker_work,
        **({"drop-kind": ",".join(drops)} if drops else {}),
        "drop-share": plan.drop_share if drops else 0,
        "offline": plan.offline,
        "seed": trial.seed,
        "ledger": folder / LEDGER,
        "generator": number,
        "generators": generators,
        "go-file": folder / GO,
        "ramp": RAMP_S,
        "warm-up": plan.warm_up,
        "steady": duration_of(plan, trial),
        "drain": plan.drain,
        "held-file": folder / HELD,
        "hold": settle_s(plan, trial) + RESIDUE_S,
    }
    options = [f"--{name}={value}" for name, value in named.items()]
    return ["--headless", "--only-summary", *options]


def _drops_of(plan: Plan, trial: Trial, number: int) -> tuple[str, ...]:
    """Return what a generator drops by: of two the second by what ends a whole process, the first by nothing."""
    drops = plan.drops_of(trial.cell)
    return drops if generators_of(plan, trial) == 1 or number == 2 else ()
