"""The picture on top of the page: the missed share and latency p99 against load, a line for each consumer.

A line goes through the figure over all layers together, with its interval; a small open point is one layer. Where
nothing is dropped there is the chart of latency alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import geometric_mean

import altair as alt

from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.throughput.table import LATENCY_MS_P99
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import CONSUMER, LOAD, SCENARIO
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.share import share_in
from loadtest.figures.words import number
from loadtest.report.charts import encoding
from loadtest.report.charts.chart import AltairChart, Chart, Palette, Row, palette_of, rounded
from loadtest.report.summary import Summary
from loadtest.stats.interval import Interval
from loadtest.stats.location import location_of

HEIGHT = 330
"""Of one chart, in pixels: as high as five sentences beside it, and within a laptop's first screen."""

APART = 0.018
"""Consumers at the same load stand so far apart, in parts of the width, that neither hides the other."""

ALL = "all layers"

_COLUMNS = {"consumer": "consumer", "load": "load", "place": "layer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One figure: of which cells, and what it is in some of them together."""

    name: str
    title: str
    unit: str
    cells: Callable[[Evidence], list[Cell]]
    figure: Callable[[Sequence[Cell]], Interval | None]
    scale: Callable[[Sequence[float]], alt.Y]


def overview_charts(summary: Summary) -> list[Chart]:
    """Missed disconnects and latency of the scenario in which connections were dropped, else of the last one."""
    evidence = summary.evidence
    dropped = _missing(evidence)
    measured = dropped or _late(evidence)
    if not measured:
        return []
    scenario = measured[-1].key[SCENARIO]
    load_words = _LOADS.get(str(summary.manifest.plan.get("load_of")), "load")
    charts = (_chart(kind, scenario, evidence, load_words) for kind in _KINDS)
    return [chart for chart in charts if chart is not None]


def _chart(kind: _Kind, scenario: str, evidence: Evidence, load_words: str) -> Chart | None:
    palette = palette_of(evidence)
    cells = [cell for cell in kind.cells(evidence) if cell.key[SCENARIO] == scenario]
    rows = list(_rows(kind, cells, evidence))
    if not rows:
        return None
    title = f"{kind.title} against load, in {kind.unit} ({scenario})"
    return Chart(
        name=f"{kind.name}-by-load",
        title=title,
        summary=f"{title}: {_told(rows)}.",
        spec=_drawn(kind, rows, palette, load_words).properties(height=HEIGHT).to_dict(),
        columns={**_COLUMNS, **{name: f"{kind.name}{end}" for name, end in _ENDS.items()}},
    )


def _told(rows: Iterable[Row]) -> str:
    """`sync 15 at 80% load`, of each consumer and load."""
    return ", ".join(
        f"{row['consumer']} {number(row['value'])} at {row['load']}" for row in rows if row["place"] == ALL
    )


def _rows(kind: _Kind, cells: Sequence[Cell], evidence: Evidence) -> Iterable[Row]:
    """Of each consumer and load: all layers together, and each where there are several."""
    together: dict[tuple[str, str], list[Cell]] = {}
    for cell in sorted(cells, key=lambda one: evidence.values.order(one.key)):
        together.setdefault((cell.key[CONSUMER], cell.key[LOAD]), []).append(cell)
    for (consumer, load), here in together.items():
        places: dict[str, list[Cell]] = {}
        for cell in here:
            places.setdefault(evidence.namer.place(cell.key), []).append(cell)
        groups = {ALL: here, **(places if len(places) > 1 else {})}
        for place, group in groups.items():
            found = kind.figure(group)
            if found is not None and isfinite(found.estimate):
                yield {
                    "consumer": consumer,
                    "load": load,
                    "place": place,
                    "value": rounded(found.estimate),
                    **encoding.limits(found),
                }


# figures


def _missing(evidence: Evidence) -> list[Cell]:
    return [cell for cell in evidence.at_risk(evidence.having(DISCONNECTS)) if share_in([cell], MISSED_OF).of]


def _late(evidence: Evidence) -> list[Cell]:
    return [cell for cell in evidence.having(THROUGHPUT) if cell.median(LATENCY_MS_P99).is_known]


def _missed_percent(cells: Sequence[Cell]) -> Interval | None:
    return share_in(cells, MISSED_OF).interval.scaled(100)


def _p99(cells: Sequence[Cell]) -> Interval | None:
    """The typical value of the rounds, in each the geometric mean of the cells; infinite where too many never came."""
    rounds: dict[int, list[float]] = {}
    for cell in cells:
        for in_round, value in cell.by_round(LATENCY_MS_P99).items():
            rounds.setdefault(in_round, []).append(value)
    whole = [values for values in rounds.values() if len(values) == len(cells)]
    if not whole or not all(value > 0 for values in whole for value in values):
        return None
    return location_of([geometric_mean(values) if all(map(isfinite, values)) else inf for values in whole])


# drawing


def _drawn(kind: _Kind, rows: Sequence[Row], palette: Palette, load_words: str) -> AltairChart:
    loads = list(dict.fromkeys(row["load"] for row in rows))
    at = _places_of(loads)
    width = (max(at.values()) - min(at.values())) or 1.0
    names = list(dict.fromkeys(row["consumer"] for row in rows))
    aside = {name: APART * 2 * width * (place - (len(names) - 1) / 2) for place, name in enumerate(names)}
    placed = [{**row, "x": at[row["load"]] + aside[row["consumer"]]} for row in rows]
    values = [row[name] for row in placed for name in ("value", "high", "low") if row[name]]
    margin = 0.25 * width
    labels = " : ".join(f"datum.value == {place:g} ? '{_escaped(load)}'" for load, place in at.items())
    x = alt.X(
        field="x",
        type="quantitative",
        title=load_words if len(loads) > 1 else "load",
        scale=alt.Scale(domain=[min(at.values()) - margin, max(at.values()) + margin], nice=False),
        axis=alt.Axis(values=list(at.values()), labelExpr=f"{labels} : ''", grid=False),
    )
    base = encoding.with_limits(placed).encode(
        x=x,
        color=encoding.colour(rows, palette),
        tooltip=encoding.tooltip("consumer", "load", "place", "value", "at_least", "at_most"),
    )
    y = kind.scale(values)
    whole, each = base.transform_filter(f"datum.place === '{ALL}'"), base.transform_filter(f"datum.place !== '{ALL}'")
    limits = whole.transform_filter(encoding.HAS_LIMITS).mark_rule(strokeWidth=2)
    return alt.layer(
        whole.mark_line(strokeWidth=2).encode(y=y),
        limits.encode(y=alt.Y(field="low", type="quantitative"), y2=alt.Y2(field="high")),
        each.mark_point(size=35, opacity=0.7, strokeWidth=1.5).encode(y=y),
        whole.mark_point(filled=True, size=110, opacity=1).encode(y=y),
    )


def _places_of(loads: Sequence[str]) -> Mapping[str, float]:
    """Where each load stands: shares at their number, others beside each other."""
    if all(load.removesuffix("%").replace(".", "", 1).isdigit() for load in loads):
        return {load: float(load.removesuffix("%")) for load in loads}
    return {load: float(place) for place, load in enumerate(loads)}


def _escaped(load: str) -> str:
    """A load as it may stand in an expression of Vega: those of a run made by others may be anything."""
    return "".join(character for character in load if character.isalnum() or character in "%. ")


def _linear(values: Sequence[float]) -> alt.Y:
    scale = alt.Scale(domain=[0, max([*values, 1.0])], nice=True)
    return alt.Y(field="value", type="quantitative", title="% of drops", scale=scale, axis=alt.Axis(tickCount=5))


def _log(values: Sequence[float]) -> alt.Y:
    return encoding.log_y("value", encoding.log_domain(values), "ms, log scale")


_LOADS = {"slowest": "load, of what the slowest carries", "own": "load, of what each carries"}
_ENDS = {"value": "", "low": "_low", "high": "_high"}
_KINDS = (
    _Kind(
        name="missed_percent",
        title="Missed disconnects",
        unit="% of drops",
        cells=_missing,
        figure=_missed_percent,
        scale=_linear,
    ),
    _Kind(name="latency_ms_p99", title="Latency p99", unit="ms", cells=_late, figure=_p99, scale=_log),
)
