"""Two trials in turns: each pair of server and generator runs for a moment while the other one is stopped.

The machine's speed changes by tens of percent within minutes, and so do two trials one after the other. Turns of a
fifth of a second, hundreds of them, meet the same machine. SIGSTOP ends a turn and SIGCONT begins it; no message is
lost by it, and what is under way goes on where it was.
"""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from loadtest.bench.conductor import SOCKET, Conducting
from loadtest.bench.generator import LEDGER, job_of, start_generator, write_job
from loadtest.bench.plan import Plan, Trial
from loadtest.ledger import Event, Phase
from loadtest.ledger.reader import read_ledger
from loadtest.phases import Timing
from loadtest.stack.folders import short_folder
from loadtest.stack.pinning import Placement, on_cpus
from loadtest.targets import Setting
from loadtest.targets.reference import PreparedReference

POLL_S = 0.05
STOPPING_S = 0.001
"""Between two looks whether a process has stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn: when it was, and the CPU time of the server in it, both in ns."""

    began_ns: int
    ended_ns: int
    cpu_ns: int

    @property
    def lasted_s(self) -> float:
        """How long it was."""
        return (self.ended_ns - self.began_ns) / 1e9


@dataclass(slots=True, kw_only=True)
class Running:
    """A server and its generator, both under way."""

    pids: tuple[int, int]
    """Server, generator."""
    conducting: Conducting
    ledger: Path
    turns: list[Turn] = field(default_factory=list)

    def take_turn(self, turn_s: float) -> None:
        """Run for so long."""
        cpu_ns, began_ns = self._cpu_ns(), time.monotonic_ns()
        self.go_on()
        time.sleep(turn_s)
        self.stop()
        self.turns.append(Turn(began_ns=began_ns, ended_ns=time.monotonic_ns(), cpu_ns=self._cpu_ns() - cpu_ns))

    def go_on(self) -> None:
        """Let both run, the server first."""
        for pid in self.pids:
            _signal(pid, signal.SIGCONT)

    def stop(self) -> None:
        """Stop both, the generator first, and return when they stand still."""
        for pid in reversed(self.pids):
            _signal(pid, signal.SIGSTOP)
        while not all(_is_stopped(pid) for pid in self.pids):
            time.sleep(STOPPING_S)

    def _cpu_ns(self) -> int:
        tasks = Path(f"/proc/{self.pids[0]}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def received(self) -> list[int]:
        """Return how many messages came back in each turn."""
        times = read_ledger(self.ledger, "client").filter(pl.col("event") == Event.RECEIVED)["time_ns"]
        return [int(times.is_between(turn.began_ns, turn.ended_ns).sum()) for turn in self.turns]


@contextmanager
def under_way(
    plan: Plan, trial: Trial, app: PreparedReference, setting: Setting, placement: Placement
) -> Iterator[Running]:
    """Start server and generator, wait until the part of the trial that counts has begun, and end both after it."""
    with ExitStack() as stack:
        sockets = stack.enter_context(short_folder())
        with on_cpus(placement.server):
            target = stack.enter_context(app.start(setting))
        job = job_of(plan, trial, folder=setting.folder, conductor=sockets / SOCKET).at(target.url)
        with on_cpus(placement.load):
            conducting = stack.enter_context(Conducting(sockets / SOCKET, Timing.of(job), {job.generator}))
            path = write_job(job, setting.folder)
            generator = stack.enter_context(start_generator(plan, trial, 1, job=path, folder=setting.folder))
        running = Running(pids=(target.pid, generator.pid), conducting=conducting, ledger=setting.folder / LEDGER)
        conducting.start()
        while conducting.phase is not Phase.STEADY:
            conducting.turn(POLL_S)
            assert conducting.failure is None, generator.log_tail()
        try:
            yield running
        finally:
            running.go_on()


def alternate(runnings: Sequence[Running], *, turns: int, turn_s: float) -> None:
    """Give each so many turns, the first one first in every second round of them."""
    for running in runnings:
        running.stop()
    for number in range(turns):
        for running in runnings if number % 2 else reversed(runnings):
            running.take_turn(turn_s)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
