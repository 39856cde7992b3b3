"""Echo on the reference app in two ways, in turns: one server and its generator run while the others are stopped.

The machine's speed changes by tens of percent within minutes, and so do two trials one after the other. Turns of a
fraction of a second meet the same machine. SIGSTOP ends a turn and SIGCONT begins it; no message is lost by it, and
what is under way goes on where it was. Messages and CPU time are counted within the turns.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtest.bench.choices import choices_of
from loadtest.bench.conductor import SOCKET, Conducting
from loadtest.bench.generator import LEDGER, job_of, start_generator, write_job
from loadtest.bench.plan import Plan, Trial
from loadtest.bench.profiles import make_plan
from loadtest.dimensions import LAYER, SERVER
from loadtest.layers import LAYERS
from loadtest.ledger import Event, Phase
from loadtest.ledger.reader import read_ledger
from loadtest.phases import Timing
from loadtest.servers import SERVERS
from loadtest.stack.folders import short_folder
from loadtest.stack.pinning import Placement, on_cpus
from loadtest.stats.interval import Interval
from loadtest.stats.paired import paired, ratio_of
from loadtest.targets import Setting
from loadtest.targets.reference import PreparedReference, ReferenceApp, RunningReference
from tests.perf.stopping import go_on, stop

_PLAN = {"layers": "inmemory", "scenarios": "echo", "duration": 600.0, "warm_up": 1.0, "trials": 1}
"""It is ended when all turns were taken, long before the duration is over."""
POLL_S = 0.05


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One of the ways that are compared."""

    placement: Placement
    probe: Literal["off", "ledger", "metrics"] = "ledger"
    """What the server is asked for: nothing, a ledger as under a bench, or Prometheus metrics as in production."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one way did in its turns: messages a second, the server's CPU time a message, and the 99th percentile."""

    messages_per_s: float
    cpu_us: float
    p99_ms: float


def in_turns(consumer: str, app: PreparedReference, ways: Sequence[Way], turns: int, turn_s: float) -> list[Measured]:
    """Start echo in each way, let them run in turns, and return what each did."""
    plan = make_plan({**_PLAN, "consumers": consumer}, choices=choices_of(ReferenceApp().offer))
    trial = plan.trials_in_order()[0]
    with ExitStack() as stack:
        runnings = [stack.enter_context(_under_way(plan, trial, app, way)) for way in ways]
        for running in runnings:
            running.stop()
        for number in range(turns):
            for running in runnings if number % 2 else reversed(runnings):
                running.take_turn(turn_s)
        return [running.measured() for running in runnings]


@dataclass(slots=True, kw_only=True)
class _Running:
    """A server and its generator, both under way."""

    server: int
    generator: int
    """Their pids."""
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
        go_on(self.server, self.generator)

    def stop(self) -> None:
        """Stop both, the generator first, and return when they stand still."""
        stop(self.generator, self.server)

    def measured(self) -> Measured:
        """Return what was done in all turns."""
        received, took_ms = self._answers()
        return Measured(
            messages_per_s=received / sum(turn.lasted_s for turn in self.turns),
            cpu_us=sum(turn.cpu_ns for turn in self.turns) / received / 1000,
            p99_ms=float(np.quantile(took_ms, 0.99)),
        )

    def _answers(self) -> tuple[int, NDArray[np.float64]]:
        """Return how many came within a turn, and how long those took that were sent in the same turn."""
        records = read_ledger(self.ledger, "client")
        received = self._turn_of(records, Event.RECEIVED)
        pairs = received.join(self._turn_of(records, Event.SENT), on=["value", "turn"], suffix="_sent")
        return received.height, pairs.select((pl.col("time_ns") - pl.col("time_ns_sent")) / 1e6).to_series().to_numpy()

    def _turn_of(self, records: pl.DataFrame, event: Event) -> pl.DataFrame:
        """Return value, time_ns and turn of those records of that event that lie in a turn."""
        turns = pl.DataFrame(
            {
                "turn": range(len(self.turns)),
                "began_ns": [turn.began_ns for turn in self.turns],
                "ended_ns": [turn.ended_ns for turn in self.turns],
            }
        )
        found = records.filter(pl.col("event") == event).select("value", "time_ns")
        within = found.join_asof(turns, left_on="time_ns", right_on="began_ns")
        return within.filter(pl.col("time_ns") <= pl.col("ended_ns"))

    def _cpu_ns(self) -> int:
        tasks = Path(f"/proc/{self.server}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


@contextmanager
def _under_way(plan: Plan, trial: Trial, app: PreparedReference, way: Way) -> Iterator[_Running]:
    """Start server and generator, wait until the part of the trial that counts has begun, and end both after it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / LEDGER).mkdir()
        sockets = stack.enter_context(short_folder())
        with on_cpus(way.placement.server):
            setting, env = _setting(trial, folder, way), {"METRICS_ROUTE": "/metrics" if way.probe == "metrics" else ""}
            target = stack.enter_context(RunningReference(setting, database=app.database, env=env))
        job = job_of(plan, trial, folder=folder, conductor=sockets / SOCKET).at(target.url)
        with on_cpus(way.placement.load):
            conducting = stack.enter_context(Conducting(sockets / SOCKET, Timing.of(job), {job.generator}))
            path = write_job(job, folder)
            generator = stack.enter_context(start_generator(plan, trial, 1, job=path, folder=folder))
        conducting.start()
        while conducting.phase is not Phase.STEADY:
            conducting.turn(POLL_S)
            assert conducting.failure is None, generator.log_tail()
        running = _Running(server=target.pid, generator=generator.pid, ledger=folder / LEDGER)
        try:
            yield running
        finally:
            running.go_on()


def _setting(trial: Trial, folder: Path, way: Way) -> Setting:
    return Setting(
        server=SERVERS[trial.cell[SERVER]],
        layer=LAYERS[trial.cell[LAYER]],
        folder=folder,
        ledger=folder / LEDGER if way.probe == "ledger" else None,
    )


def ratio(ones: Iterable[float], others: Iterable[float]) -> Interval:
    """Return the ratio of the first to the second, pair by pair, with its interval."""
    return ratio_of(paired(dict(enumerate(ones)), dict(enumerate(others))))
