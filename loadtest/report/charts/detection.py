"""Charts of detection times: one a layer, a strip for each drop kind and consumer, a thin tick for each drop.

With 30 drops each can be seen; with thousands a strip shows ticks evenly spaced through the sorted times, so that it is
dense where drops were many, and always the fastest and the slowest ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from loadtest.checks.disconnects.account import account_of
from loadtest.checks.disconnects.table import DETECT_MS_MAX
from loadtest.checks.drops import DETECT_MS, VERDICT
from loadtest.dimensions import CONSUMER, DROP, SCENARIO, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.table import CELL_NAMES
from loadtest.figures.words import UNKNOWN
from loadtest.report.charts import encoding
from loadtest.report.charts.chart import Chart, Palette, Row, Spec, palette_of, rounded
from loadtest.report.summary import Summary

TICKS_A_STRIP = 150
"""Ticks drawn of one strip: more lie closer than a pixel."""

TICKS_A_CHART = 4000
"""Ticks drawn in one chart, about 160 kB of the page: a run with all kinds of drops has a hundred strips in each."""

FEWEST_TICKS = 30
"""A strip has at least these, however many there are."""

SLOWEST_KEPT = 5
"""The slowest drops of a strip are never thinned out: they are what one looks for."""

ROOM_FOR_COUNTS = 8.0
"""The scale ends at this many times the slowest: the counts of the missed stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strip:
    """The drops of one cell: the times of those that reached disconnect(), and the words on those that did not."""

    cell: Cell
    times_ms: Sequence[float]  # sorted, above 0
    rest: str


def detection_charts(summary: Summary) -> list[Chart]:
    """Time from the drop to disconnect() of each single drop, with median, p99 and slowest, on one log scale."""
    times = _times(summary.evidence.examples.drops)
    strips = [_strip(cell, times) for cell in summary.cells if account_of(cell).dropped]
    strips = [strip for strip in strips if strip.times_ms or strip.rest or _is_known(strip.cell)]
    low, high = encoding.log_domain(
        [*_ends(strips), *(t for strip in strips for t in (*strip.times_ms[:1], *strip.times_ms[-1:]))]
    )
    domain = (low, high * ROOM_FOR_COUNTS) if any(strip.rest for strip in strips) else (low, high)
    by_place: dict[str, list[_Strip]] = {}
    for strip in strips:
        place = summary.evidence.namer.name(strip.cell.key, but=(CONSUMER, SCENARIO, DROP))
        by_place.setdefault(place, []).append(strip)
    palette = palette_of(summary.evidence)
    return [_chart(place, here, palette, domain) for place, here in by_place.items()]


def _times(drops: pl.DataFrame) -> Mapping[CellKey, list[float]]:
    """The detection times above 0 of each cell, sorted; one below 0 was no detection: the server ended it before."""
    detected = drops.filter((VERDICT.expr == "called") & (DETECT_MS.expr > 0))
    found = detected.group_by(CELL_NAMES).agg(DETECT_MS.expr.sort())
    return {CellKey.of_row(row): row[DETECT_MS.name] for row in found.iter_rows(named=True)}


def _strip(cell: Cell, times: Mapping[CellKey, list[float]]) -> _Strip:
    account = account_of(cell)
    counts = {"missed": account.missed, UNKNOWN: account.unknown}
    rest = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return _Strip(cell=cell, times_ms=times.get(cell.key, []), rest=rest)


def _is_known(cell: Cell) -> bool:
    return cell.median(DETECT_MS_MAX).is_known


def _ends(strips: Iterable[_Strip]) -> list[float]:
    figures = [strip.cell.median(DETECT_MS_MAX) for strip in strips]
    return [value for figure in figures for value in (figure.median, figure.high) if value is not None]


def _chart(place: str, strips: Sequence[_Strip], palette: Palette, domain: tuple[float, float]) -> Chart:
    return Chart(
        name=f"detection-{place}",
        title=f"{place}: ms from the drop to disconnect()",
        summary=f"Time from the drop to disconnect() on {place}: a tick a drop, dot p50 with its interval, long tick "
        "the slowest.",
        spec=_spec(strips, palette, domain),
        columns={"drop": "drop", "consumer": "consumer", "ms": "detect_ms"},
    )


def _spec(strips: Sequence[_Strip], palette: Palette, domain: tuple[float, float]) -> Spec:
    rows = [_row(strip) for strip in strips]
    budget = max(FEWEST_TICKS, min(TICKS_A_STRIP, TICKS_A_CHART // len(strips)))
    ticks = [
        {"drop": strip.cell.key[DROP], "consumer": strip.cell.key[CONSUMER], "ms": rounded(ms)}
        for strip in strips
        for ms in thinned(strip.times_ms, budget)
    ]
    timed = [row for row in rows if (row["p50"] or 0) > 0 and (row["max"] or 0) > 0]
    where: dict[str, Any] = {
        "y": encoding.bands("drop"),
        "yOffset": encoding.offset(rows, palette),
        "color": encoding.colour(rows, palette),
    }
    base = alt.Chart(alt.NamedData(name="timed")).encode(
        **where, tooltip=encoding.tooltip("drop", "consumer", "dropped", "missed", "p50", "low", "high", "p90", "max")
    )
    strip = alt.Chart(alt.NamedData(name="ticks")).encode(**where, tooltip=encoding.tooltip("drop", "consumer", "ms"))
    rest = alt.Chart(alt.NamedData(name="rest")).encode(y=where["y"], yOffset=where["yOffset"])
    layers = (
        base.mark_rule(strokeWidth=1, opacity=0.6).encode(
            x=encoding.log_x("p50", domain, "ms after the drop"), x2=alt.X2(field="max")
        ),
        strip.mark_tick(thickness=1.5, size=12, opacity=0.45).encode(x=encoding.x("ms")),
        base.mark_rule(strokeWidth=4, opacity=0.9).encode(x=encoding.x("low"), x2=alt.X2(field="high")),
        base.mark_tick(thickness=3, size=18, opacity=1).encode(x=encoding.x("max")),
        base.mark_point(filled=True, size=80, opacity=1, stroke="white", strokeWidth=1).encode(x=encoding.x("p50")),
        rest.mark_text(align="right", dx=-2, fontSize=11).encode(
            x=alt.value("width"), text=alt.Text(field="rest", type="nominal")
        ),
    )
    datasets = {"timed": timed, "ticks": ticks, "rest": [row for row in rows if row["rest"]]}
    spec = encoding.finished(alt.layer(*layers), rows, "drop")
    return {**spec, "datasets": datasets}  # Altair takes seconds to check them


def _row(strip: _Strip) -> Row:
    cell, account = strip.cell, account_of(strip.cell)
    p50, p90 = cell.quantiles(DETECT_MS, (0.5, 0.9))
    slowest = rounded(cell.median(DETECT_MS_MAX).high)
    return {
        "drop": cell.key[DROP],
        "consumer": cell.key[CONSUMER],
        "p50": rounded(p50.interval.estimate),
        "low": rounded(p50.interval.low),
        "high": rounded(p50.interval.high) or slowest,
        "p90": rounded(p90.interval.estimate) if p90.is_known else None,
        "max": slowest,
        "dropped": account.dropped,
        "missed": account.missed,
        "rest": strip.rest,
    }


def thinned(values: Sequence[float], most: int) -> list[float]:
    """At most `most` of the sorted values, evenly spaced through them, the slowest all kept."""
    if len(values) <= most:
        return list(values)
    body, tail = values[:-SLOWEST_KEPT], values[-SLOWEST_KEPT:]
    wanted = most - SLOWEST_KEPT
    return [body[round(n * (len(body) - 1) / (wanted - 1))] for n in range(wanted)] + list(tail)
