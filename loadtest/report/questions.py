"""What is asked of a run: the family of its comparisons, declared before anything is measured.

Each value of a compared dimension (of consumers: sync and async) is asked about against one other: the one that it is a
variant of, or the first of the run. Asked is, in each scenario and at each load, over all layers together and then
on each:

- where users wait for their answers: who carries more messages a second;
- where senders are paced: whose latency p99 is lower, and, where nobody is dropped, who needs less CPU;
- where connections are dropped: who misses fewer disconnects, of drops of which chance alone decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.table import DROPPED
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.throughput.table import CPU_PER_1000, LATENCY_MS_P99, MESSAGES_PER_S
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import (
    CLOSED_LOOP,
    DIMENSIONS,
    DROP,
    FIXED_LOAD,
    LOAD,
    NO_DROP,
    SCENARIO,
    AnyDimension,
    CellKey,
)
from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Topic
from loadtest.figures.share import Part
from loadtest.figures.topics import COST, LATENCY
from loadtest.figures.topics import DISCONNECTS as ON_DISCONNECTS
from loadtest.figures.topics import THROUGHPUT as ON_THROUGHPUT
from loadtest.figures.words import number, time_ms
from loadtest.report.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure that is asked about, and the words for it."""

    figure: Column[float] | Part
    topic: Topic
    what: str
    """ "messages a second"."""
    matters: float
    """The smallest difference that matters: 0.1 is 10 %; of shares 0.02 is 2 points."""
    claim: str = ""
    """A sentence of {best}, {ratio} and {other}; of shares it is always the same."""
    write: Callable[[float], str] = number

    @property
    def is_share(self) -> bool:
        """Whether its difference is one of shares, in points, and not a ratio."""
        return isinstance(self.figure, Part)

    @property
    def name(self) -> str:
        """The name of its figure in summary.json."""
        return self.figure.name if isinstance(self.figure, Part) else str(self.figure)

    @property
    def more_is_better(self) -> bool:
        """Whether the higher of two is the better one."""
        return not isinstance(self.figure, Part) and self.figure.better == "higher"


CARRIED: Final = Metric(
    figure=MESSAGES_PER_S,
    topic=ON_THROUGHPUT,
    what="messages a second",
    matters=0.1,
    claim="{best} carried {ratio} as many messages a second as {other}",
)
LATE: Final = Metric(
    figure=LATENCY_MS_P99,
    topic=LATENCY,
    what="latency p99",
    matters=0.25,
    claim="latency p99 with {other} is {ratio} that with {best}",
    write=time_ms,
)
SPENT: Final = Metric(
    figure=CPU_PER_1000,
    topic=COST,
    what="server CPU for 1,000 messages",
    matters=0.1,
    claim="server CPU for 1,000 messages with {other} is {ratio} that with {best}",
    write=time_ms,
)
MISSING: Final = Metric(figure=MISSED_OF, topic=ON_DISCONNECTS, what="missed disconnects", matters=0.02)
METRICS: Final = (MISSING, CARRIED, LATE, SPENT)
"""What matters is what would change a decision: a tenth more servers; a quarter of a latency's worst hundredth; one
missed disconnect in fifty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two values of a dimension at one place: a layer of a server. Several cells of each where kinds of drop have
    trials of their own."""

    one: tuple[Cell, ...]
    other: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: whether `one` differs from `other` in a figure, over all places."""

    metric: Metric
    dimension: AnyDimension
    one: str
    other: str
    pairs: tuple[Pair, ...]

    @property
    def key(self) -> CellKey:
        """A cell of it: all have its scenario and its load."""
        return self.pairs[0].one[0].key

    @property
    def cells(self) -> list[Cell]:
        """All cells that it is about."""
        return [cell for pair in self.pairs for cell in (*pair.one, *pair.other)]

    def sides(self) -> tuple[list[Cell], list[Cell]]:
        """The cells of the first, and those of the other, over all places."""
        return [cell for pair in self.pairs for cell in pair.one], [cell for pair in self.pairs for cell in pair.other]


def asked_of(evidence: Evidence, manifest: Manifest) -> list[Asked]:
    """All questions of a run, in the order of METRICS."""
    compared = [dimension for dimension in DIMENSIONS if dimension.is_compared]
    found = [asked for dimension in compared for asked in _of_dimension(dimension, evidence, manifest)]
    return sorted(found, key=lambda asked: METRICS.index(asked.metric))


def _of_dimension(dimension: AnyDimension, evidence: Evidence, manifest: Manifest) -> Iterator[Asked]:
    settings: dict[object, list[Cell]] = {}
    for cell in evidence.cells:
        settings.setdefault(cell.key.without(dimension, DROP, *places_of()), []).append(cell)
    for cells in settings.values():
        for metric in metrics_of(cells, evidence, manifest):
            yield from _of_metric(metric, dimension, measured(cells, metric, evidence), evidence)


def places_of() -> tuple[AnyDimension, ...]:
    """The dimensions that say where a cell ran."""
    return tuple(dimension for dimension in DIMENSIONS if dimension.is_place)


def metrics_of(cells: Sequence[Cell], evidence: Evidence, manifest: Manifest) -> list[Metric]:
    """What is asked of cells of one scenario and load."""
    key = cells[0].key
    has_drops = any(cell.key[DROP] != NO_DROP for cell in cells)
    if _is_closed_loop(key, evidence, manifest):
        return [CARRIED, MISSING] if has_drops else [CARRIED]
    return [MISSING, LATE] if has_drops else [LATE, SPENT]


def _is_closed_loop(key: CellKey, evidence: Evidence, manifest: Manifest) -> bool:
    """Whether each user waits for its answer: by the scenario, where neither the load nor the plan sets a rate."""
    if key[LOAD] != FIXED_LOAD:
        return False
    rate = manifest.plan.get("rate")
    return evidence.values.of(key, SCENARIO).kind == CLOSED_LOOP if rate is None else rate == 0


def measured(cells: Sequence[Cell], metric: Metric, evidence: Evidence) -> list[Cell]:
    """Those of the cells that have the figure."""
    if metric.is_share:
        return [cell for cell in evidence.at_risk(cells) if cell.has(DISCONNECTS) and cell.total(DROPPED).total]
    assert isinstance(metric.figure, Column)
    return [cell for cell in cells if cell.has(THROUGHPUT) and cell.median(metric.figure).is_known]


def _of_metric(metric: Metric, dimension: AnyDimension, cells: Sequence[Cell], evidence: Evidence) -> Iterator[Asked]:
    values = _values_of(dimension, cells, evidence)
    for value in values:
        against = evidence.values.of(_key_of(dimension, value, cells), dimension).variant_of or values[0]
        against = against if against in values else values[0]
        pairs = tuple(_pairs(dimension, value, against, cells))
        if value != against and pairs:
            yield Asked(metric=metric, dimension=dimension, one=value, other=against, pairs=pairs)


def _values_of(dimension: AnyDimension, cells: Sequence[Cell], evidence: Evidence) -> list[str]:
    """The values in the run's order."""
    keys = {str(cell.key[dimension]): CellKey(**{dimension.name: cell.key[dimension]}) for cell in cells}
    return sorted(keys, key=lambda name: evidence.values.order(keys[name]))


def _key_of(dimension: AnyDimension, value: str, cells: Sequence[Cell]) -> CellKey:
    return next(cell.key for cell in cells if str(cell.key[dimension]) == value)


def _pairs(dimension: AnyDimension, one: str, other: str, cells: Sequence[Cell]) -> Iterator[Pair]:
    """At each place that both have."""
    places: dict[object, tuple[list[Cell], list[Cell]]] = {}
    for cell in cells:
        sides = places.setdefault(tuple(cell.key[place] for place in places_of()), ([], []))
        for side, value in zip(sides, (one, other), strict=True):
            if str(cell.key[dimension]) == value:
                side.append(cell)
    for first, second in places.values():
        if first and second:
            yield Pair(one=tuple(first), other=tuple(second))
