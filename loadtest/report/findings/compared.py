"""Findings on what was compared: what differs, what is the same, and what is not decided, each with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import inf
from typing import Final

from loadtest.checks.disconnects.beside import beside
from loadtest.checks.throughput.table import TABLE
from loadtest.dimensions import DROP
from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding
from loadtest.figures.share import Part, share_in
from loadtest.figures.words import (
    MOST_FACTOR,
    Namer,
    counted,
    in_brackets,
    listed,
    percent,
    share_with_interval,
    why_no_limits,
)
from loadtest.report.comparisons import Comparison, shown, why_not
from loadtest.report.manifest import Manifest
from loadtest.report.questions import Asked, Metric, metrics_of, places_of
from loadtest.stats.interval import Interval
from loadtest.stats.location import location_of
from loadtest.stats.paired import Verdict

MOST_POINTS: Final = 0.5
"""A larger difference of shares is none that anybody would ask statistics about."""

_CLEAREST_FIRST: dict[Verdict, int] = {"higher": 0, "lower": 0, "same": 1, "not decided": 2}


def compared_findings(comparisons: Sequence[Comparison], evidence: Evidence, manifest: Manifest) -> Iterator[Finding]:
    """What differs clearly first; then what does not, what is not decided, and what is not known."""
    namer = evidence.namer
    for comparison in sorted(comparisons, key=lambda one: _CLEAREST_FIRST[one.verdicts.whole]):
        yield _compared(comparison, evidence)
    for cell in evidence.having(TABLE):
        for metric in metrics_of([cell], evidence, manifest):
            if _is_unknown(cell, metric):
                yield _not_known(cell, metric, namer)


def _compared(comparison: Comparison, evidence: Evidence) -> Finding:
    asked = comparison.asked
    text = _of_shares(comparison, evidence) if asked.metric.is_share else _of_ratio(comparison)
    return Finding(
        severity="note",
        topic=asked.metric.topic,
        text=f"{_setting(asked, evidence.namer)}: {text}.",
        cells=tuple(dict.fromkeys(cell.key for cell in asked.cells)),
        figures=_columns(asked.metric),
    )


def _columns(metric: Metric) -> tuple[Column[int] | Column[float], ...]:
    figure = metric.figure
    return (figure.events, figure.others) if isinstance(figure, Part) else (figure,)


def _setting(asked: Asked, namer: Namer) -> str:
    """`churn on redis`; `churn, over 3 layers`; what was done, before where it was."""
    kinds = {cell.key[DROP] for cell in asked.cells}
    but = (asked.dimension, *((DROP,) if len(kinds) > 1 else ()))
    if len(asked.pairs) == 1:
        where = namer.setting(asked.key, but=but)
    else:
        where = f"{namer.task(asked.key, but=but)}, over {counted(len(asked.pairs), _word_of(asked))}"
    own = len(kinds) > 1 and not asked.metric.is_share
    return f"{where} and {len(kinds)} kinds of drop" if own else where


def _word_of(asked: Asked) -> str:
    """`layer` where places differ by it alone, else `place`."""
    varying = [row for row in places_of() if len({cell.key[row] for cell in asked.cells}) > 1]
    return varying[0].name if len(varying) == 1 else "place"


# ratios


def _of_ratio(comparison: Comparison) -> str:
    asked, interval = comparison.asked, comparison.interval
    both = f"{asked.one} and {asked.other}"
    if not comparison.whole.is_known:
        return _not_compared(comparison)
    rounds = f"{counted(comparison.whole.rounds, 'round')}{_not_there(comparison)}"
    match comparison.verdicts.whole:
        case "higher" | "lower":
            return f"{claim(comparison)} ({_by_place(comparison)}{rounds})"
        case "same":
            matters = percent(asked.metric.matters)
            return f"{both} differ by less than {matters} % in {asked.metric.what} ({_times(interval)}; {rounds})"
        case _:
            return (
                f"not decided whether {both} differ in {asked.metric.what}: {claim(comparison)} "
                f"({_by_place(comparison)}{rounds}); {_would_be_seen(comparison)}"
            )


def claim(comparison: Comparison) -> str:
    """`latency p99 with sync is 2.4 times (1.5–4.6) that with async`: the ratio is above 1."""
    asked, interval = comparison.asked, comparison.interval
    one_is_best = (interval.estimate >= 1) == asked.metric.more_is_better
    best, other = (asked.one, asked.other) if one_is_best else (asked.other, asked.one)
    ratio = interval if interval.estimate >= 1 else _inverse(interval)
    return asked.metric.claim.format(best=best, other=other, ratio=_times(ratio))


def _times(ratio: Interval) -> str:
    """`2.0 times (1.7–2.4)`; `2.0 times (2 rounds: too few)` where the limits tell nothing."""
    limits = f"{_factor(ratio.low)}–{_factor(ratio.high)}" if ratio.has_limits else why_no_limits(ratio)
    return in_brackets(f"{_factor(ratio.estimate)} times", limits)


def _factor(ratio: float) -> str:
    if not MOST_FACTOR >= ratio >= 1 / MOST_FACTOR:
        return f">{MOST_FACTOR:,.0f}" if ratio > 1 else "<0.01" if ratio <= 1 else "?"
    if ratio < 0.1:
        return f"{ratio:.2f}"
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 1.1 or ratio <= 0.9 else f"{ratio:.2f}"


def _inverse(ratio: Interval) -> Interval:
    low = 1 / ratio.high if ratio.high else inf
    return replace(ratio, estimate=1 / ratio.estimate, low=low, high=1 / ratio.low if ratio.low else inf)


def _by_place(comparison: Comparison) -> str:
    """`redis 5,100 and 2,400; ` of one place; of several the ratio of each, and where it is not decided for itself."""
    asked = comparison.asked
    if len(asked.pairs) == 1:
        one, other = (_typical(side, asked) for side in asked.sides())
        return f"{asked.one} {one}, {asked.other} {other}; "
    up = comparison.interval.estimate >= 1
    parts = []
    for pair, part in zip(asked.pairs, comparison.parts, strict=True):
        ratio = shown(asked, part).estimate
        parts.append(f"{_place(pair.one[0])} {_factor(ratio if up else 1 / ratio) if part.is_known else '?'}")
    return f"{', '.join(parts)}{_alone(_open_places(comparison), asked)}; "


def _share(cells: Sequence[Cell], part: Part, evidence: Evidence) -> str:
    said = beside(cells, evidence)
    return f"{share_with_interval(share_in(cells, part))}{f' at {said}' if said else ''}"


def _open_places(comparison: Comparison) -> list[str]:
    """The places for which nothing is decided, where something is for all together."""
    if comparison.verdicts.whole == "not decided":
        return []
    pairs = zip(comparison.asked.pairs, comparison.verdicts.parts, strict=True)
    return [_place(pair.one[0]) for pair, verdict in pairs if verdict == "not decided"]


def _alone(open_at: Sequence[str], asked: Asked) -> str:
    """Where it is not decided for a single place: `; not decided on redis alone`."""
    if not open_at:
        return ""
    where = "on any of them" if len(open_at) == len(asked.pairs) else f"on {listed(open_at)}"
    return f"; not decided {where} alone"


def _place(cell: Cell) -> str:
    return " ".join(cell.key.say(row) for row in places_of() if row.always_named)


def _typical(cells: Iterable[Cell], asked: Asked) -> str:
    assert isinstance(asked.metric.figure, Column)
    values = [value for cell in cells for value in cell.by_round(asked.metric.figure).values()]
    return asked.metric.write(location_of(values).estimate)


def _not_compared(comparison: Comparison) -> str:
    """Of one round, or of a figure that is infinite, there is nothing to be said but the figures."""
    asked = comparison.asked
    one, other = asked.sides()
    figures = f"{asked.one} {_typical(one, asked)}, {asked.other} {_typical(other, asked)}"
    reasons = dict.fromkeys(filter(None, (why_not(asked, pair) for pair in asked.pairs)))
    if reasons:
        return f"{asked.metric.what}: {figures}; not compared: {listed(list(reasons))}"
    rounds = min(len(_rounds(one)), len(_rounds(other)))
    why = "one round only: too few to compare" if rounds < 2 else "not compared: in some round it is 0 or infinite"
    return f"{asked.metric.what}: {figures}; {why}"


def _not_there(comparison: Comparison) -> str:
    """Where there are places at which the two are not compared."""
    reasons = {_place(pair.one[0]): why_not(comparison.asked, pair) for pair in comparison.asked.pairs}
    return "".join(f"; not on {place}: {why}" for place, why in reasons.items() if why)


def _rounds(cells: Iterable[Cell]) -> set[int]:
    return {trial.round for cell in cells for trial in cell.valid_trials}


def _would_be_seen(comparison: Comparison) -> str:
    seeable = comparison.seeable
    if seeable > (MOST_POINTS if comparison.asked.metric.is_share else MOST_FACTOR):
        return "so few rounds would have shown no difference, whatever its size"
    if comparison.asked.metric.is_share:
        return f"a difference of {percent(seeable)} points or more would have been seen"
    return f"a factor of {_factor(seeable + 1)} or more would have been seen"


# shares


def _of_shares(comparison: Comparison, evidence: Evidence) -> str:
    asked = comparison.asked
    assert isinstance(asked.metric.figure, Part)
    one, other = (_share(side, asked.metric.figure, evidence) for side in asked.sides())
    both = f"{asked.one} missed {one}, {asked.other} {other}"
    rounds = counted(comparison.whole.rounds, "round")
    if not comparison.whole.is_known:
        return f"{both}; {'one round' if comparison.whole.rounds == 1 else rounds} only: too few to compare"
    match comparison.verdicts.whole:
        case "higher":
            return f"{both}: {asked.one} missed more at this load ({rounds}{_alone(_open_places(comparison), asked)})"
        case "lower":
            return f"{both}: {asked.other} missed more at this load ({rounds}{_alone(_open_places(comparison), asked)})"
        case "same":
            return f"{both}: they differ by less than {percent(asked.metric.matters)} points ({rounds})"
        case _:
            return f"{both}: not decided whether they differ ({rounds}); {_would_be_seen(comparison)}"


# not known


def _is_unknown(cell: Cell, metric: Metric) -> bool:
    figure = metric.figure
    return isinstance(figure, Column) and cell.median(figure).applies and not cell.median(figure).is_known


def _not_known(cell: Cell, metric: Metric, namer: Namer) -> Finding:
    assert isinstance(metric.figure, Column)
    why = "none of its trials is valid" if cell.median(metric.figure).left_out else "it was measured in no trial"
    return Finding(
        severity="unknown",
        topic=metric.topic,
        text=f"{namer.name(cell.key)}: {metric.what} not known: {why}.",
        cells=(cell.key,),
        figures=(metric.figure,),
    )
