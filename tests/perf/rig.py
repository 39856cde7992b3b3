"""The rig as it is run: `locust -f locustfiles/X.py`, started as the bench starts it, beside picows and plain Locust.

All of them are measured from outside, in the same way: the CPU time of the whole process, and the messages that the
server has sent to it. Server and client have a core each, where there are two, and the server never sleeps: otherwise
the client that lets it sleep would pay for waking it.

Where a client sends as fast as it is answered, all clients are started at once and run in turns of a fraction of a
second, the others stopped meanwhile: the machine's speed changes by tens of percent within a minute. Where a client
sends at a rate it cannot be stopped, for it would send afterwards what it missed; then one follows another.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.bench.choices import choices_of
from loadtest.bench.generator import LEDGER, job_of, start_generator, write_job
from loadtest.bench.profiles import make_plan
from loadtest.bench.scenarios import SCENARIOS
from loadtest.load import Job
from loadtest.stack.pinning import on_cpus, placement_here
from loadtest.stats.interval import Interval
from loadtest.stats.location import location_of
from loadtest.stats.paired import paired, ratio_of
from loadtest.targets.reference import ReferenceApp
from tests.perf.measures import CLIENTS, LOCUST, LOCUSTFILE, NO_LEDGER, PICOWS
from tests.perf.server import AWAKE
from tests.perf.stopping import go_on, stop
from tests.perf.window import OFFLINE_S

RIG = "rig"
OURS = {LOCUSTFILE: True, NO_LEDGER: False}
"""Each with whether it keeps a ledger."""
ROW_CLIENTS = (LOCUSTFILE, NO_LEDGER, PICOWS, LOCUST)

ROUNDS = 12
"""Of processes: two that run the same code differ by a few percent."""
WARM_UP_S = 1.0
TURN_S = 0.5
AWAKE_S = 0.2
"""Before a turn counts: what a process does once after a pause, its timers say, is no cost of messages. Without this
the locustfile cost 2.3 times what picows does in turns of 0.2 s, and 2.1 in turns of 1 s."""
POLL_S = 0.05
CONNECTED_WITHIN_S = 60.0
PATIENCE_S = 300.0
"""A client is ended long before, when its turns are over."""
PAYLOAD_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One locustfile under one load: its own users, rooms and drops, and a rate that shows what a message costs."""

    scenario: str
    rate: float

    @property
    def name(self) -> str:
        return f"{RIG} {self.scenario}"

    @property
    def drop_share(self) -> float:
        return Job().drop_share if SCENARIOS[self.scenario].drops else 0.0

    @property
    def users_there(self) -> int:
        """How many are connected at least once all have been, though some are away."""
        return round(SCENARIOS[self.scenario].users * (1 - 2 * self.drop_share * OFFLINE_S))


ROWS = (Row(scenario="echo", rate=0), Row(scenario="broadcast", rate=40), Row(scenario="churn", rate=10))
"""Broadcast and churn run at 1 or 2 messages a second of each member by default, which costs next to nothing."""

Turn = dict[str, Any]
"""One client's turn: measure, client, round, load (of the machine), per_s, cpu_us_each."""


def measure(row: Row, rounds: int, seconds: float) -> tuple[dict[str, dict[str, float]], list[Turn]]:
    """Each client in turn, and that so often; print and return the figures of each, and all turns."""
    one_round = one_after_another if row.rate else in_short_turns
    turns: list[Turn] = []
    for number in range(rounds):
        load = os.getloadavg()[0]
        for client, figures in one_round(row, seconds).items():
            turns.append({"measure": row.name, "client": client, "round": number, "load": load, **figures})
    return summary(row, turns), turns


def in_short_turns(row: Row, seconds: float) -> dict[str, dict[str, float]]:
    """Start all clients, each with a server of its own, and measure each for so long in all, in turns of TURN_S."""
    with contextlib.ExitStack() as stack:
        runnings = {client: stack.enter_context(running(row, client)) for client in ROW_CLIENTS}
        for number in range(round(seconds / TURN_S)):
            for client in ROW_CLIENTS if number % 2 else reversed(ROW_CLIENTS):
                runnings[client].take_turn(TURN_S)
        return {client: one.figures() for client, one in runnings.items()}


def one_after_another(row: Row, seconds: float) -> dict[str, dict[str, float]]:
    """Start each client when the one before it has ended, and measure it for so long."""
    figures = {}
    for client in ROW_CLIENTS:
        with running(row, client) as one:
            one.take_turn(seconds)
            figures[client] = one.figures()
    return figures


@dataclass(slots=True, kw_only=True)
class Running:
    """A client that stands still between its turns, and what it did in them."""

    client: int
    """Its pid."""
    server: Server
    messages: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0

    def take_turn(self, seconds: float) -> None:
        """Run for so long, from when it is wide awake."""
        go_on(self.server.pid, self.client)
        time.sleep(AWAKE_S)
        messages, cpu_s, wall_s = self.server.sent(), cpu_s_of(self.client), time.perf_counter()
        time.sleep(seconds)
        stop(self.client)
        self.wall_s += time.perf_counter() - wall_s
        self.cpu_s += cpu_s_of(self.client) - cpu_s
        self.messages += self.server.sent() - messages
        stop(self.server.pid)

    def figures(self) -> dict[str, float]:
        """Return messages a second, and the CPU time of each in µs, over all turns."""
        return {"per_s": self.messages / self.wall_s, "cpu_us_each": self.cpu_s / self.messages * 1e6}


@contextlib.contextmanager
def running(row: Row, client: str) -> Iterator[Running]:
    """Start a client on a server of its own, and stop it when it has connected and warmed up."""
    with Server() as server, started(row, client, server.url) as pid:
        server.await_connections(row.users_there)
        time.sleep(WARM_UP_S)
        stop(pid, server.pid)
        try:
            yield Running(client=pid, server=server)
        finally:
            go_on(server.pid, pid)


def cpu_s_of(pid: int) -> float:
    """Return the CPU time of a process and all its threads: the clock of clock_getcpuclockid(3), Linux."""
    return time.clock_gettime(~pid << 3 | 2)


def started(row: Row, client: str, url: str) -> contextlib.AbstractContextManager[int]:
    """Run a client until the end of the `with`; gives its pid."""
    return locustfile(row, url, with_ledger=OURS[client]) if client in OURS else other(row, client, url)


@contextlib.contextmanager
def locustfile(row: Row, url: str, *, with_ledger: bool) -> Iterator[int]:
    """Locust, with the same command and job as the bench's, but for the bench behind it."""
    given = {"scenarios": row.scenario, "consumers": "async", "layers": "inmemory", "rate": row.rate, "trials": 1}
    plan = make_plan({**given, "duration": PATIENCE_S}, choices=choices_of(ReferenceApp().offer))
    trial = plan.trials_in_order()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / LEDGER).mkdir()
        changes = {} if with_ledger else {"ledger": ""}
        job = job_of(plan, trial, folder=folder).at(url).model_copy(update=changes)
        with on_cpus(placement_here(pin=True).load):
            process = start_generator(plan, trial, 1, job=write_job(job, folder), folder=folder)
        with process:
            yield process.pid


@contextlib.contextmanager
def other(row: Row, client: str, url: str) -> Iterator[int]:
    scenario = SCENARIOS[row.scenario]
    module, *options = CLIENTS[client]
    command = [sys.executable, "-m", module, "talk" if row.rate else "echo", url, *options]
    command += ["--connections", str(scenario.users), "--payload", str(PAYLOAD_BYTES), "--seconds", str(PATIENCE_S)]
    command += ["--rate", str(row.rate), "--room", str(scenario.room_size), "--drop-share", str(row.drop_share)]
    with on_cpus(placement_here(pin=True).load):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


class Server:
    """The server of server.py, which tells what it has sent."""

    def __enter__(self) -> Server:
        with on_cpus(placement_here(pin=True).server):
            command = [sys.executable, "-m", "tests.perf.server", AWAKE]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._questions, self._answers = self._process.stdin, self._process.stdout
        self.pid = self._process.pid
        self.url = f"ws://127.0.0.1:{int(self._answers.readline())}/"
        return self

    def __exit__(self, *_: object) -> None:
        self._questions.close()
        self._process.terminate()
        self._process.wait()

    def sent(self) -> int:
        return self._ask()["sent"]

    def await_connections(self, at_least: int) -> None:
        deadline_s = time.monotonic() + CONNECTED_WITHIN_S
        while (count := self._ask()["connections"]) < at_least:
            if time.monotonic() > deadline_s:
                sys.exit(f"there are {count} connections instead of {at_least}")
            time.sleep(POLL_S)

    def _ask(self) -> dict[str, int]:
        self._questions.write("?\n")
        self._questions.flush()
        answer: dict[str, int] = json.loads(self._answers.readline())
        return answer


def summary(row: Row, turns: list[Turn]) -> dict[str, dict[str, float]]:
    """Print and return, for each client: per_s, cpu_us_each, and its ratio to picows, with 95 % intervals."""
    print(f"\n{row.name}")
    figures: dict[str, dict[str, float]] = {}
    of_picows = by_round(turns, PICOWS)
    for client in ROW_CLIENTS:
        cost = by_round(turns, client)
        each, ratio = location_of(list(cost.values())), ratio_of(paired(cost, of_picows))
        per_s = location_of([turn["per_s"] for turn in turns if turn["client"] == client]).estimate
        figures[client] = {"per_s": per_s, **named("cpu_us_each", each), **named("times_picows", ratio)}
        shown = f"per_s {per_s:,.0f}  cpu_us_each {each.estimate:,.1f} ({each.low:,.1f} to {each.high:,.1f})"
        times = "" if client == PICOWS else f"  {ratio.estimate:.2f} × picows ({ratio.low:.2f} to {ratio.high:.2f})"
        print(f"  {client:21} {shown}{times}", flush=True)
    return figures


def by_round(turns: list[Turn], client: str) -> dict[int, float]:
    return {turn["round"]: turn["cpu_us_each"] for turn in turns if turn["client"] == client}


def named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
