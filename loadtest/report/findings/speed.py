"""Findings on speed: each dimension that is compared, its values against the best of them, all else being the same.

Where several kinds of drop have trials of their own, one sentence counts over the kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from loadtest.checks.throughput.overload import not_comparable
from loadtest.checks.throughput.table import CPU_PER_1000, LATENCY_MS_P99, MESSAGES_PER_S, TABLE
from loadtest.dimensions import DIMENSIONS, DROP, AnyDimension
from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, Topic
from loadtest.figures.statistics import Difference, Figure, difference
from loadtest.figures.topics import COST, LATENCY, THROUGHPUT
from loadtest.figures.words import Namer, counted, listed, number, time_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """A figure by which cells are compared, and the words for it."""

    figure: Column[float]
    topic: Topic
    what: str  # "messages a second"
    claim: str  # a sentence of {best}, {ratio} and {other}
    write: Callable[[float], str]


_METRICS = (
    _Metric(
        figure=MESSAGES_PER_S,
        topic=THROUGHPUT,
        what="messages a second",
        claim="{best} carried {ratio} times as many messages a second as {other}",
        write=number,
    ),
    _Metric(
        figure=LATENCY_MS_P99,
        topic=LATENCY,
        what="latency p99",
        claim="latency p99 with {other} is {ratio} times that with {best}",
        write=time_ms,
    ),
    _Metric(
        figure=CPU_PER_1000,
        topic=COST,
        what="server CPU for 1,000 messages",
        claim="server CPU for 1,000 messages with {other} is {ratio} times that with {best}",
        write=time_ms,
    ),
)

_CLEAREST_FIRST: dict[Difference, int] = {
    "higher": 0,
    "lower": 0,
    "no clear difference": 1,
    "one trial": 2,
    "same": 3,
    "unknown": 4,
}


_OVER_KINDS: dict[Difference, str] = {
    "higher": "clearly more",
    "lower": "clearly less",
    "same": "the same within 2 %",
    "no clear difference": "no clear difference",
    "one trial": "too few trials to compare (one on a side)",
    "unknown": "not known",
}

_Group = Sequence[Cell]
"""Cells that differ by one dimension alone."""


def speed_findings(evidence: Evidence) -> Iterator[Finding]:
    """What differs clearly first; then what does not, and what is not known."""
    measured = evidence.having(TABLE)
    for metric in _METRICS:
        for dimension in (row for row in DIMENSIONS if row.is_compared):
            yield from _of_dimension(dimension, metric, evidence)
        for cell in measured:
            if cell.median(metric.figure).applies and not cell.median(metric.figure).is_known:
                yield _not_known(cell, metric, evidence.namer)


def _of_dimension(dimension: AnyDimension, metric: _Metric, evidence: Evidence) -> Iterator[Finding]:
    by_setting = _together(evidence.having(TABLE), lambda cell: evidence.values.order(cell.key, but=dimension))
    alone, by_kind = _with_kinds_apart(by_setting, dimension)
    comparison = _Comparison(dimension=dimension, metric=metric, namer=evidence.namer)
    for kinds in by_kind:
        yield from comparison.over_kinds(kinds)
    pairs = [pair for cells in alone for pair in _pairs(cells, metric)]
    for best, other in sorted(pairs, key=lambda pair: _CLEAREST_FIRST[_difference(pair, metric)]):
        yield comparison.of_pair(best, other)


def _together(cells: Iterable[Cell], key: Callable[[Cell], tuple[object, ...]]) -> list[list[Cell]]:
    return [list(group) for _, group in groupby(sorted(cells, key=key), key=key)]


def _with_kinds_apart(groups: Sequence[_Group], compared: AnyDimension) -> tuple[list[_Group], list[list[_Group]]]:
    """The groups to compare one by one, and those that differ by their kind of drop alone, together."""
    by_place: dict[object, list[_Group]] = {}
    for cells in groups:
        by_place.setdefault(cells[0].key.without(DROP, compared), []).append(cells)
    alone: list[_Group] = []
    together: list[list[_Group]] = []
    for several in by_place.values():
        own = [cells for cells in several if cells[0].key.has_one_kind_of_drop]
        alone += several if len(own) < 2 else [cells for cells in several if cells not in own]
        together += [own] if len(own) >= 2 else []
    return alone, together


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """Words for how values of a dimension compare by a figure."""

    dimension: AnyDimension
    metric: _Metric
    namer: Namer

    def of_pair(self, best: Cell, other: Cell) -> Finding:
        """The better one with another."""
        return Finding(
            severity="note",
            topic=self.metric.topic,
            text=f"{self.namer.setting(best.key, but=(self.dimension,))}: {self._claim(best, other)}.",
            cells=(best.key, other.key),
            figures=(self.metric.figure,),
        )

    def over_kinds(self, kinds: Sequence[_Group]) -> Iterator[Finding]:
        """The first value against each of the others: after how many kinds of drop it clearly had more."""
        values = list(dict.fromkeys(self._value(cell) for cells in kinds for cell in cells))
        for other in values[1:]:
            pairs = [pair for cells in kinds if (pair := self._pair_of(cells, values[0], other))]
            found = Counter(_difference(pair, self.metric) for pair in pairs)
            parts = [
                f"{words} after {counted(found[name], 'kind')}" for name, words in _OVER_KINDS.items() if found[name]
            ]
            if parts:
                place = self.namer.setting(kinds[0][0].key, but=(self.dimension, DROP))
                yield Finding(
                    severity="note",
                    topic=self.metric.topic,
                    text=(
                        f"{place}, {len(pairs)} kinds of drop: {self.metric.what} with {values[0]}, "
                        f"against {other}: {listed(parts)}."
                    ),
                    cells=tuple(cell.key for pair in pairs for cell in pair),
                    figures=(self.metric.figure,),
                )

    def _value(self, cell: Cell) -> str:
        return cell.key.say(self.dimension)

    def _pair_of(self, cells: _Group, one: str, other: str) -> tuple[Cell, Cell] | None:
        by_name = {self._value(cell): cell for cell in cells}
        return (by_name[one], by_name[other]) if one in by_name and other in by_name else None

    def _claim(self, best: Cell, other: Cell) -> str:
        metric, names = self.metric, {"best": self._value(best), "other": self._value(other)}
        one, two = best.median(metric.figure), other.median(metric.figure)
        both = f"{names['best']} {_written(one, metric)}, {names['other']} {_written(two, metric)}"
        if metric.topic is LATENCY and (why := not_comparable({names["best"]: best, names["other"]: other})):
            return f"{metric.what}: {both}; not compared: {why}"
        match difference(one, two):
            case "higher" | "lower":
                claim = metric.claim.format(**names, ratio=_ratio(one, two))
                return f"{claim} ({both}: {_medians(one, two)}, the ranges do not overlap)"
            case "same":
                return f"{names['best']} and {names['other']} differ by at most 2 % in {metric.what} ({both})"
            case "one trial":
                return f"{metric.what}: {both}; {_one_trial(one, two)}: too few to compare"
            case _:
                return (
                    f"no clear difference between {names['best']} and {names['other']} in {metric.what} "
                    f"({both}: {_medians(one, two)}, the ranges overlap)"
                )


def _pairs(cells: Sequence[Cell], metric: _Metric) -> list[tuple[Cell, Cell]]:
    """The best cell with each of the others."""
    ranked = sorted((c for c in cells if c.median(metric.figure).is_known), key=lambda c: _rank(c, metric))
    return [(ranked[0], other) for other in ranked[1:]]


def _rank(cell: Cell, metric: _Metric) -> float:
    median = cell.median(metric.figure).median or 0.0
    return -median if metric.figure.better == "higher" else median


def _difference(pair: tuple[Cell, Cell], metric: _Metric) -> Difference:
    best, other = pair
    return difference(best.median(metric.figure), other.median(metric.figure))


def _written(figure: Figure, metric: _Metric) -> str:
    assert figure.median is not None and figure.low is not None and figure.high is not None
    if figure.known == 1:
        return metric.write(figure.median)
    return f"{metric.write(figure.median)} [{metric.write(figure.low)} to {metric.write(figure.high)}]"


def _medians(one: Figure, two: Figure) -> str:
    return (
        f"medians of {one.known} trials" if one.known == two.known else f"medians of {one.known} and {two.known} trials"
    )


def _one_trial(one: Figure, two: Figure) -> str:
    return "only one trial on each side" if one.known == two.known else "only one trial on one side"


def _ratio(one: Figure, two: Figure) -> str:
    low, high = sorted([one.median or 0.0, two.median or 0.0])
    ratio = high / low if low else float("inf")
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 1.1 else f"{ratio:.2f}"


def _not_known(cell: Cell, metric: _Metric, namer: Namer) -> Finding:
    why = "none of its trials is valid" if cell.median(metric.figure).left_out else "it was measured in no trial"
    return Finding(
        severity="unknown",
        topic=metric.topic,
        text=f"{namer.name(cell.key)}: {metric.what} not known: {why}.",
        cells=(cell.key,),
        figures=(metric.figure,),
    )
