"""Findings on speed: each layer's consumers compared by messages a second, latency and server CPU.

Where several kinds of drop have trials of their own, one sentence counts over the kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from loadtest.report.cells import CPU_PER_1000, Cell
from loadtest.report.findings.finding import Finding, Topic
from loadtest.report.manifest import CellKey
from loadtest.report.statistics import Difference, Figure, difference
from loadtest.report.words import Namer, counted, listed, number, time_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """A figure by which consumers are compared, and the words for it."""

    figure: str
    topic: Topic
    higher_is_better: bool
    what: str  # "messages a second"
    claim: str  # a sentence of {best}, {ratio} and {other}
    write: Callable[[float], str]


_METRICS = (
    _Metric(
        figure="throughput.messages_per_s",
        topic="throughput",
        higher_is_better=True,
        what="messages a second",
        claim="{best} carried {ratio} times as many messages a second as {other}",
        write=number,
    ),
    _Metric(
        figure="throughput.latency_ms_p99",
        topic="latency",
        higher_is_better=False,
        what="the time within which 99 of 100 messages came",
        claim="99 of 100 messages came within a time {ratio} times as long with {other} as with {best}",
        write=time_ms,
    ),
    _Metric(
        figure=CPU_PER_1000,
        topic="cost",
        higher_is_better=False,
        what="the server's CPU time for 1,000 messages",
        claim="1,000 messages cost the server {ratio} times as much CPU time with {other} as with {best}",
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
    "one trial": "not to be told from one trial of a side",
    "unknown": "not known",
}

_Group = Sequence[Cell]
"""The consumers of one layer, scenario and drop."""


def speed_findings(measured: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """The consumers of each layer and scenario against the best of them; clear differences first."""
    compared = [list(group) for _, group in groupby(sorted(measured, key=_but_consumer), key=_but_consumer)]
    groups, by_kind = _with_kinds_apart(compared)
    for metric in _METRICS:
        for kinds in by_kind:
            yield from _over_kinds(kinds, metric, namer)
        pairs = [pair for cells in groups for pair in _pairs(cells, metric)]
        for best, other in sorted(pairs, key=lambda pair: _CLEAREST_FIRST[_difference(pair, metric)]):
            yield _compared(best, other, metric, namer)
        for cell in (cell for cells in groups for cell in cells):
            if cell.median(metric.figure).applies and not cell.median(metric.figure).is_known:
                yield _not_known(cell, metric, namer)


def _with_kinds_apart(groups: Sequence[_Group]) -> tuple[list[_Group], list[list[_Group]]]:
    """The groups to compare one by one, and those that differ by their kind of drop alone, together."""
    alone: list[_Group] = []
    together: list[list[_Group]] = []
    for _, same in groupby(sorted(groups, key=_but_drop), key=_but_drop):
        several = list(same)
        own = [cells for cells in several if cells[0].key.drop not in ("none", "mixed")]
        alone += several if len(own) < 2 else [cells for cells in several if cells not in own]
        together += [own] if len(own) >= 2 else []
    return alone, together


def _but_drop(cells: _Group) -> tuple[object, ...]:
    scenario, name, _, *place = _but_consumer(cells[0])
    return scenario, name, *place


def _over_kinds(kinds: Sequence[_Group], metric: _Metric, namer: Namer) -> Iterator[Finding]:
    """The first consumer against each of the others: after how many kinds of drop it clearly had more."""
    consumers = list(dict.fromkeys(cell.key.consumer for cells in kinds for cell in cells))
    for other in consumers[1:]:
        pairs = [pair for cells in kinds if (pair := _pair_of(cells, consumers[0], other))]
        found = Counter(_difference(pair, metric) for pair in pairs)
        parts = [f"{words} after {counted(found[name], 'kind')}" for name, words in _OVER_KINDS.items() if found[name]]
        if not parts:
            continue
        key = kinds[0][0].key
        yield Finding(
            severity="note",
            topic=metric.topic,
            text=(
                f"{key.scenario} on {namer.place(key)}, {len(pairs)} kinds of drop: {metric.what} with {consumers[0]}, "
                f"against {other}: {listed(parts)}."
            ),
            cells=tuple(cell.key for pair in pairs for cell in pair),
            figures=(metric.figure,),
        )


def _pair_of(cells: _Group, one: str, other: str) -> tuple[Cell, Cell] | None:
    by_name = {cell.key.consumer: cell for cell in cells}
    return (by_name[one], by_name[other]) if one in by_name and other in by_name else None


def _pairs(cells: Sequence[Cell], metric: _Metric) -> list[tuple[Cell, Cell]]:
    """The best consumer with each of the others."""
    ranked = sorted((c for c in cells if c.median(metric.figure).is_known), key=lambda c: _rank(c, metric))
    return [(ranked[0], other) for other in ranked[1:]]


def _but_consumer(cell: Cell) -> tuple[object, ...]:
    """Echo first: its senders are not paced, so it shows how much a server can carry."""
    key = cell.key
    return key.scenario != "echo", key.scenario, key.drop, key.server, key.workers, key.layer


def _rank(cell: Cell, metric: _Metric) -> float:
    median = cell.median(metric.figure).median or 0.0
    return -median if metric.higher_is_better else median


def _difference(pair: tuple[Cell, Cell], metric: _Metric) -> Difference:
    best, other = pair
    return difference(best.median(metric.figure), other.median(metric.figure))


def _compared(best: Cell, other: Cell, metric: _Metric, namer: Namer) -> Finding:
    return Finding(
        severity="note",
        topic=metric.topic,
        text=f"{_place(best.key, namer)}: {_claim(best, other, metric)}.",
        cells=(best.key, other.key),
        figures=(metric.figure,),
    )


def _place(key: CellKey, namer: Namer) -> str:
    drop = "" if key.drop == "none" else " with mixed drops" if key.drop == "mixed" else f" with {key.drop}"
    return f"{key.scenario}{drop} on {namer.place(key)}"


def _claim(best: Cell, other: Cell, metric: _Metric) -> str:
    names = {"best": best.key.consumer, "other": other.key.consumer}
    one, two = best.median(metric.figure), other.median(metric.figure)
    both = f"{names['best']} {_written(one, metric)}, {names['other']} {_written(two, metric)}"
    match difference(one, two):
        case "higher" | "lower":
            claim = metric.claim.format(**names, ratio=_ratio(one, two))
            return f"{claim} ({both}: {_medians(one, two)}, the ranges do not overlap)"
        case "same":
            return f"{names['best']} and {names['other']} differ by at most 2 % in {metric.what} ({both})"
        case "one trial":
            return f"{metric.what}: {both}; with one trial of a side nobody can say how sure this is"
        case _:
            return (
                f"no clear difference between {names['best']} and {names['other']} in {metric.what} "
                f"({both}: {_medians(one, two)}, the ranges overlap)"
            )


def _written(figure: Figure, metric: _Metric) -> str:
    assert figure.median is not None and figure.low is not None and figure.high is not None
    if figure.known == 1:
        return metric.write(figure.median)
    return f"{metric.write(figure.median)} [{metric.write(figure.low)} to {metric.write(figure.high)}]"


def _medians(one: Figure, two: Figure) -> str:
    return (
        f"medians of {one.known} trials" if one.known == two.known else f"medians of {one.known} and {two.known} trials"
    )


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
