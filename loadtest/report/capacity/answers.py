"""The answers of a capacity run: what each cell carries, its knee, and what gave way first; from its steps alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Any, Final, cast

from loadtest.dimensions import WORKERS, CellKey
from loadtest.figures.values import Values
from loadtest.figures.words import counted
from loadtest.report.capacity.steps import CapacityStep, Raised
from loadtest.report.manifest import Manifest
from loadtest.stats.interval import Interval
from loadtest.stats.knee import Knee, Point, knee_of
from loadtest.stats.location import location_of
from loadtest.stats.scaling import LEAST_COUNTS, Scaling, scaling_of
from loadtest.stats.search import Ended, Kind, Range, Tried, next_value
from loadtest.stats.vague import as_amount

BUSY: Final = 0.9
"""Of the time: what is busier has no room left; at 0.9 a queue in front of it is nine messages long (M/M/1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run was asked, from its plan."""

    of: Raised
    resolution: float
    keep: tuple[str, ...]
    searches: int
    seed: int

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Asked:
        """Return what the plan says."""
        plan: Mapping[str, Any] = manifest.plan
        return cls(
            of=cast(Raised, plan["of"]),
            resolution=float(plan["resolution"]),
            keep=tuple(plan["keep"]),
            searches=int(plan["searches"]),
            seed=int(plan["seed"]),
        )

    def limits(self, first: float) -> Range:
        """Return where a search that begins with this value goes."""
        return Range(first=first, resolution=self.resolution, whole=self.of == "users")


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveWay:
    """What was busiest where the service level broke, and which part of the level that was."""

    busiest: str
    """"event loop", "sync thread", "broker" or "CPUs"; "" where it is not known."""
    share: float
    """Of the time that it was busy."""
    broke: tuple[str, ...]
    """The most frequent first."""

    @property
    def is_busy(self) -> bool:
        """Tell whether it had no room left."""
        return bool(self.busiest) and self.share >= BUSY


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCapacity:
    """What one cell carries at the service level, in what the searches raised."""

    cell: CellKey
    of: Raised
    beside: float
    """What was not raised: users where rates were, messages a second from each where users were."""
    searches: tuple[Ended, ...]
    """Those that ended."""
    interval: Interval | None
    """Of what it carries; None where that is not known."""
    kind: Kind
    bound: float | None
    """Where it is "at least" or "below": this."""
    why: str
    """Why it is not known better."""
    knee: Knee | None
    gave_way: GaveWay | None
    steps: tuple[CapacityStep, ...]

    @property
    def singles(self) -> list[float]:
        """Return what each search found."""
        return [ended.middle for ended in self.searches if ended.middle is not None]

    @property
    def server_cpus(self) -> int | None:
        """Return how many CPUs its server might use."""
        return next((step.server_cpus for step in self.steps if step.server_cpus is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerScaling:
    """How capacity grows with the number of workers, of cells that differ by it alone."""

    cells: tuple[CellCapacity, ...]
    scaling: Scaling | None
    why: str = ""
    """Why it is not known."""
    left_out: str = ""
    """What was left out of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityAnswers:
    """All that a capacity run says."""

    manifest: Manifest
    asked: Asked
    cells: tuple[CellCapacity, ...]
    scalings: tuple[WorkerScaling, ...]


def answers_of(steps: Sequence[CapacityStep], manifest: Manifest) -> CapacityAnswers:
    """Return what a run's steps say; also of one that was interrupted: searches without an end do not count."""
    asked = Asked.of_manifest(manifest)
    keys = sorted({step.cell for step in steps}, key=Values(manifest.values).order)
    cells = tuple(cell_capacity([step for step in steps if step.cell == key], asked) for key in keys)
    return CapacityAnswers(manifest=manifest, asked=asked, cells=cells, scalings=_scalings(cells, asked))


def cell_capacity(steps: Sequence[CapacityStep], asked: Asked) -> CellCapacity:
    """Return what one cell carries, from its steps, of which there is one at least."""
    by_search: dict[int, list[CapacityStep]] = {}
    for step in steps:
        by_search.setdefault(step.search, []).append(step)
    ends = {number: end for number, found in by_search.items() if (end := _end(found, asked)) is not None}
    kind, bound = _kind(list(ends.values()))
    valid = [step for step in steps if step.is_valid]
    return CellCapacity(
        cell=steps[0].cell,
        of=asked.of,
        beside=float(steps[0].users) if asked.of == "rate" else steps[0].rate,
        searches=tuple(ends.values()),
        interval=_interval(ends.values(), asked) if kind == "found" else None,
        kind=kind,
        bound=bound,
        why=_why(kind, steps, bool(ends), asked),
        knee=knee_of([Point(load=step.value(asked.of), time=step.p99) for step in valid]),
        gave_way=_gave_way(by_search, ends, asked),
        steps=tuple(steps),
    )


def tried_in(steps: Iterable[CapacityStep], of: Raised) -> list[Tried]:
    """Return the steps of one search as it sees them."""
    return [step.tried(of) for step in steps]


def _end(steps: Sequence[CapacityStep], asked: Asked) -> Ended | None:
    """Return what a search found; None where it was interrupted."""
    found = next_value(tried_in(steps, asked.of), asked.limits(steps[0].value(asked.of)))
    return found if isinstance(found, Ended) else None


def _kind(ends: Sequence[Ended]) -> tuple[Kind, float | None]:
    """Return what all searches together say: one that was stopped by the rig bounds the answer, and is no figure."""
    told = [end for end in ends if end.kind != "not known"]
    if not told:
        return "not known", None
    if any(end.kind == "at least" for end in told):
        return "at least", min(end.kept for end in told if end.kept is not None)
    if any(end.kind == "below" for end in told):
        return "below", max(end.broken for end in told if end.broken is not None)
    return "found", None


def _interval(ends: Iterable[Ended], asked: Asked) -> Interval:
    """Of the middles, which are known to the resolution only: half of it to either side."""
    middles = [end.middle for end in ends if end.middle is not None]
    return as_amount(location_of(middles).widened(sqrt(1 + asked.resolution)))


def _why(kind: Kind, steps: Sequence[CapacityStep], has_ended: bool, asked: Asked) -> str:
    if kind == "found":
        return ""
    if not has_ended:
        return "no search came to an end"
    if kind == "below":
        parts = [name for name, _ in Counter(part for step in steps for part in step.broken).most_common()]
        return f"the lowest that was tried broke {' and '.join(parts)}"
    at_the_end = [step for step in steps if not step.is_valid]
    if not at_the_end:
        return "the search ended before the level broke"
    return at_the_end[-1].why


def _gave_way(
    by_search: Mapping[int, Sequence[CapacityStep]], ends: Mapping[int, Ended], asked: Asked
) -> GaveWay | None:
    """Of the lowest value of each search at which the level broke: what was mostly the busiest, and what broke."""
    steps = [
        step
        for number, end in ends.items()
        for step in by_search[number]
        if end.broken is not None and step.outcome == "broken" and step.value(asked.of) == end.broken
    ]
    if not steps:
        return None
    parts = tuple(name for name, _ in Counter(part for step in steps for part in step.broken).most_common())
    known = [(step.busiest, step.busiest_share) for step in steps if step.busiest and step.busiest_share is not None]
    if not known:
        return GaveWay(busiest="", share=0.0, broke=parts)
    ((busiest, _),) = Counter(name for name, _ in known).most_common(1)
    return GaveWay(busiest=busiest, share=median(share for name, share in known if name == busiest), broke=parts)


def _scalings(cells: Iterable[CellCapacity], asked: Asked) -> tuple[WorkerScaling, ...]:
    """Return how capacity grows with workers, of each group of cells that were measured with several numbers."""
    groups: dict[object, list[CellCapacity]] = {}
    for cell in cells:
        groups.setdefault(cell.cell.without(WORKERS), []).append(cell)
    return tuple(_scaling(group, asked) for group in groups.values() if len(group) > 1)


def _scaling(group: Sequence[CellCapacity], asked: Asked) -> WorkerScaling:
    """Fit the law where enough is known; a server with more workers than CPUs shows the CPUs, not the law."""
    crowded = [one for one in group if one.server_cpus is not None and one.cell[WORKERS] > one.server_cpus]
    unknown = [one for one in group if one not in crowded and one.interval is None]
    counting = [one for one in group if one not in crowded and one not in unknown]
    reasons = [
        *(f"{_counts(crowded)} workers have {counted(one.server_cpus or 0, 'CPU')}" for one in crowded[:1]),
        *(f"what {_counts(unknown)} workers carry was not found" for _ in unknown[:1]),
    ]
    found = None
    if len(counting) >= LEAST_COUNTS:
        rates = {one.cell[WORKERS]: [value * one.beside for value in one.singles] for one in counting}
        found = scaling_of(rates, seed=asked.seed)
    else:
        reasons.append(f"the law needs {LEAST_COUNTS} numbers of workers, and {len(counting)} count")
    return WorkerScaling(
        cells=tuple(group),
        scaling=found,
        why="" if found else "; ".join(reasons),
        left_out="; ".join(reasons) if found else "",
    )


def _counts(cells: Iterable[CellCapacity]) -> str:
    return ", ".join(str(one.cell[WORKERS]) for one in cells)
