"""The generators of a trial: Locust, running the scenario's own file, each with a job that says what it is to do."""

import os
import sys
from pathlib import Path

from loadtest.bench.awaited_job import job_text
from loadtest.bench.plan import Plan, Trial
from loadtest.bench.scenarios import SCENARIOS
from loadtest.dimensions import CONSUMER, FIXED_LOAD, LOAD, SCENARIO, SERVER
from loadtest.load import Job
from loadtest.load.entry import Entry, write_entry
from loadtest.servers import find_server
from loadtest.stack.process import Process

SPAWN_RATE = 500
"""Users a second at most: each opening costs client and server some 2 ms together."""

RESIDUE_S = 60.0
"""For reading what the server holds, which takes a second; then generators let go of what they hold in any case."""
LEDGER = "ledger"
MORTAL = 2
"""The number of the generator that an outage is of, where it is of one; the first marks the phases and lives on."""


def generators_of(plan: Plan, trial: Trial) -> int:
    """Return how many generators share the users: two where an outage is of one of them."""
    outage = plan.outage_of(trial.cell)
    return MORTAL if outage is not None and outage.of == "generator" else 1


def users_of(plan: Plan, trial: Trial) -> int:
    """Return how many users the trial has."""
    return plan.users or SCENARIOS[trial.cell[SCENARIO]].users


def users_of_generator(plan: Plan, trial: Trial, number: int) -> int:
    """Return how many of the users the generator of that number has; they are dealt out round-robin."""
    return len(range(number - 1, users_of(plan, trial), generators_of(plan, trial)))


def rate_of(plan: Plan, trial: Trial) -> float:
    """Return the messages a second from each sender; ValueError where a relative load has got no rate yet."""
    if trial.rate is not None:
        return trial.rate
    if trial.cell[LOAD] != FIXED_LOAD:
        raise ValueError(f"{trial} has no rate: what {trial.cell[LOAD]} is of has not been measured")
    return SCENARIOS[trial.cell[SCENARIO]].rate if plan.rate is None else plan.rate


def duration_of(plan: Plan, trial: Trial) -> float:
    """Return how long the part of the trial is that counts."""
    return plan.duration or SCENARIOS[trial.cell[SCENARIO]].duration


def settle_s(plan: Plan, trial: Trial) -> float:
    """Return how long the server has to notice the drops: where one is silent, its pings alone can tell it."""
    if not plan.is_silent(trial.cell):
        return plan.settle
    server = find_server(trial.cell[SERVER])
    interval_s, timeout_s = plan.pings or (server.ping_interval_s, server.ping_timeout_s)
    return (interval_s or 0.0) + (timeout_s or 0.0) + plan.settle  # a server that never pings notices nothing


def hold_s(plan: Plan, trial: Trial) -> float:
    """Return how long silently dropped connections are held at most after everything else has ended."""
    return settle_s(plan, trial) + RESIDUE_S


def job_of(plan: Plan, trial: Trial, *, number: int = 1, folder: Path, conductor: Path | None = None) -> Job:
    """Return what the generator of that number is to do, but for the host; its ledger is in `folder`.

    Drops are what a generator does to its own members: where an outage is planned, they drop none.
    """
    scenario = SCENARIOS[trial.cell[SCENARIO]]
    drops = () if plan.outage_of(trial.cell) else plan.drops_of(trial.cell)
    return Job(
        consumer=trial.cell[CONSUMER],
        rate=rate_of(plan, trial),
        arrivals=plan.arrivals,
        payload_size=plan.payload_size,
        room_size=plan.room_size or scenario.room_size,
        handler_work=plan.work,
        blocker_work=plan.blocker_work,
        message=plan.message,
        message_form=plan.message_form,
        join=plan.join,
        expect=plan.expect,
        ack=plan.ack,
        drop_kind=drops or Job().drop_kind,
        drop_share=plan.drop_share if drops else 0.0,
        offline=plan.offline,
        seed=trial.seed,
        ledger=str(folder / LEDGER),
        warm_up=plan.warm_up,
        steady=duration_of(plan, trial),
        drain=plan.drain,
        generator=number,
        generators=generators_of(plan, trial),
        conductor=str(conductor or ""),
    )


def write_job(job: Job, folder: Path) -> Path:
    """Write a job's file into `folder`, and return its path."""
    path = folder / job_file_name(job.generator)
    path.write_text(job_text(job))
    return path


def written_entry(entry: Entry, job: Path) -> Path | None:
    """Write what users open their connections with beside a job's file, and return where; None where it is nothing."""
    if entry == Entry():
        return None
    path = job.with_suffix(".entry.json")
    write_entry(entry, path)
    return path


def job_file_name(number: int) -> str:
    """Return the name of the job file of the generator of that number."""
    return f"{_stem(number)}.job.json"


def _stem(number: int) -> str:
    return "locust" if number == 1 else f"locust-{number}"


def start_generator(plan: Plan, trial: Trial, number: int, *, job: Path, folder: Path) -> Process:
    """Start the generator of that number with a job file; logs and Locust's CSV files go to `folder`.

    Raises EnvironmentFailed when it cannot be started at all.
    """
    stem, users = _stem(number), users_of_generator(plan, trial, number)
    named = {
        "locustfile": SCENARIOS[trial.cell[SCENARIO]].locustfile,
        "job": job,
        "users": users,
        "spawn-rate": min(users, SPAWN_RATE),
        "csv": folder / stem,
        "loglevel": "WARNING",
        "exit-code-on-error": 0,  # refused and lost connections are what is measured
    }
    options = [f"--{name}={value}" for name, value in named.items()]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "LOADTEST_"))}
    return Process(
        [sys.executable, "-m", "locust", "--headless", "--only-summary", *options],
        name="Locust" if number == 1 else f"Locust {number}",
        log=folder / f"{stem}.log",
        env=env | {"PYTHONUNBUFFERED": "1"},
        cwd=folder,
    )
