"""Capacity runs on a made-up server: a queue of which the capacity is known, so that the answers are known too."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.choices import values_in
from loadtest.bench.measuring import Measured, Step
from loadtest.bench.trial import TrialFailed, TrialSetup
from loadtest.capacity import run as running
from loadtest.capacity.folder import CapacityFolder
from loadtest.capacity.plan import CapacityPlan, make_capacity_plan
from loadtest.capacity.run import run_capacity
from loadtest.dimensions import CONSUMER, WORKERS, CellKey
from loadtest.figures.values import Values
from loadtest.report.capacity import CapacityStep
from loadtest.report.tables import Tables
from loadtest.stack.pinning import floating
from loadtest.stats.search import Ended
from tests.unit.plans import CHOICES

CARRIES = {"sync": 200.0, "async": 600.0}
"""Messages a second in all, by consumer, for one worker."""
IDLE_MS = 5.0
WAITED_MS = 5300.0


class QueueServer:
    """Measures without starting anything; p99 is that of a simple queue, 20 times that of an idle one at 95 %."""

    def __init__(self, cpus: int = 8) -> None:
        self.steps: list[tuple[Step, int]] = []
        self.cpus = cpus
        self.invalid_above: float | None = None
        self.disturbed = False
        self.fails_above: float | None = None
        self.interrupted_after: int | None = None
        self.loses = 0

    def measure_step(self, step: Step, setup: TrialSetup, folder: Path) -> Measured:
        users = setup.plan.users or 0
        self.steps.append((step, users))
        if self.interrupted_after is not None and len(self.steps) > self.interrupted_after:
            raise KeyboardInterrupt
        load = step.rate * users
        if self.fails_above is not None and load > self.fails_above:
            raise TrialFailed("the server died")
        invalid: tuple[str, ...] = ()
        if self.invalid_above is not None and load > self.invalid_above:
            invalid = ("the generator was busy 97% of the time",)
        return self._measured(step, load, users, ("others had the CPUs",) if self.disturbed else invalid)

    def _measured(self, step: Step, load: float, users: int, invalid: tuple[str, ...]) -> Measured:
        busy = load / capacity_of(step.cell)
        key: dict[str, Any] = {**step.cell.as_row(), "trial": step.number}
        never = busy >= 1
        throughput = {
            **key,
            "users": users,
            "offered": int(load * 3),
            "sent": int(load * 3),
            "answered": int(load * 3 / max(1.0, busy)),
            "overloaded": "yes" if never else "no",
            "duration_s": 3.0,
            "latency_ms_p50": IDLE_MS / 2,
            "latency_ms_p99": float("inf") if never else IDLE_MS / (1 - busy),
            "watched_ms": WAITED_MS if never else None,
            "server_cpu_s": 3.0 * min(busy, 1.0) * step.cell[WORKERS],
            "broker_cpu_s": 0.3,
            "contention": 0.2 if self.disturbed else 0.0,
            "utilisation": min(busy, 1.0),
            "loop_busy": min(busy, 1.0) if step.cell[CONSUMER] == "async" else 0.3,
            "sync_thread_busy": min(busy, 1.0) if step.cell[CONSUMER] == "sync" else 0.1,
            "valid": "no" if invalid else "yes",
        }
        delivery = {**key, "expected": 100, "delivered": 100 - self.loses, "lost": self.loses}
        tables = Tables.from_rows({"throughput": [throughput], "delivery": [delivery]})
        return Measured(tables=tables, invalid=invalid, identity={"django": "5.2"})


def capacity_of(cell: CellKey) -> float:
    """The law with 5 % contention and a little coherence."""
    count = cell[WORKERS]
    return CARRIES[cell[CONSUMER]] * count / (1 + 0.05 * (count - 1) + 0.002 * count * (count - 1))


def highest_load(cell: CellKey, limit_ms: float = 100.0) -> float:
    """The messages a second in all at which p99 is that."""
    return capacity_of(cell) * (1 - IDLE_MS / limit_ms)


class Told:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.searches: list[tuple[CellKey, int]] = []
        self.steps: list[CapacityStep] = []
        self.ends: list[Ended] = []

    def search_begins(self, cell: CellKey, search: int, *, place: int, of: int) -> None:
        self.searches.append((cell, search))

    def step_begins(self, cell: CellKey, value: float) -> None: ...
    def step_done(self, step: CapacityStep) -> None:
        self.steps.append(step)

    def search_done(self, cell: CellKey, ended: Ended) -> None:
        self.ends.append(ended)


def capacity_plan(**given: Any) -> CapacityPlan:
    return make_capacity_plan({"layers": "redis", **given}, choices=CHOICES)


def carry_out(out: Path, server: QueueServer, monkeypatch: pytest.MonkeyPatch, **given: Any) -> tuple[Path, Told]:
    """Run a plan on the server; return the run's folder, and what the watcher was told. Interrupts pass."""
    monkeypatch.setattr(running, "measure_step", server.measure_step)
    monkeypatch.setattr(running, "short_folder", lambda: nullcontext(Path("/nowhere")))
    monkeypatch.setattr(running, "placement_here", lambda *, pin, workers: floating(frozenset(range(server.cpus))))
    plan, told = capacity_plan(**given), Told()
    values = values_in(CHOICES, plan.chosen)
    run = CapacityFolder.create(out, plan, command="channels-loadtest capacity", values=values)
    target: Any = type("Target", (), {"prepare": lambda self, folder: None})()
    run_capacity(run, target, addresses={}, values=Values(values), watcher=told)
    return run.folder, told
