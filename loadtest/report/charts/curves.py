"""Charts against load: latency, lost messages and missed disconnects over how busy the server was.

One small chart for each of these and each layer, both consumers in it. The place along the width is the measured
utilisation, not the load that was asked for: what was as busy stands above each other, whatever made it so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean

import altair as alt

from loadtest.checks.delivery.table import LOST_OF
from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.table import EXPOSURE
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.throughput.table import LATENCY_MS_P50, LATENCY_MS_P99, UTILISATION, WATCHED_MS
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import CONSUMER, DROP, LOAD, SCENARIO
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.share import share_in
from loadtest.report.charts import encoding
from loadtest.report.charts.chart import AltairChart, Chart, Palette, Row, Spec, palette_of, rounded
from loadtest.report.summary import Summary
from loadtest.stats.interval import Interval

HEIGHT = 220
"""Of one chart, in pixels: three stand beside each other."""
LATENCY = "latency_ms"
PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One figure against load: its name, the rows of a cell, and how they are drawn."""

    name: str
    title: str
    """With its unit."""
    column: str
    """What the figure is called in the chart's data as CSV."""
    rows: Callable[[Cell, Evidence], list[Row]]
    draw: Callable[[Sequence[Row], Palette, Sequence[float]], AltairChart]
    """Of the rows of one chart, and of all values that the charts of this kind have, which share a scale."""


def curve_charts(summary: Summary) -> list[Chart]:
    """Latency, lost messages and missed disconnects, of each scenario and layer that was measured at several loads."""
    evidence = summary.evidence
    measured = [cell for cell in evidence.having(THROUGHPUT) if cell.median(UTILISATION).is_known]
    at_several = [cells for cells in _by_place(measured, evidence) if len({cell.key[LOAD] for cell in cells}) > 1]
    palette = palette_of(evidence)
    return [chart for kind in _KINDS for chart in _of_kind(kind, at_several, evidence, palette)]


def _by_place(cells: Iterable[Cell], evidence: Evidence) -> list[list[Cell]]:
    """Cells that differ by consumer, load and drop alone, together."""
    found: dict[object, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.key.without(CONSUMER, LOAD, DROP), []).append(cell)
    return list(found.values())


def _of_kind(kind: _Kind, places: Sequence[Sequence[Cell]], evidence: Evidence, palette: Palette) -> list[Chart]:
    of_place = [(cells[0], [row for cell in cells for row in kind.rows(cell, evidence)]) for cells in places]
    values = [value for _, rows in of_place for row in rows for value in _values(row)]
    if not any(row["value"] for _, rows in of_place for row in rows):
        return []  # nothing was lost, say, which a sentence tells
    charts = []
    for first, rows in of_place:
        if rows:
            where = f"{first.key[SCENARIO]} on {evidence.namer.place(first.key)}"
            spec: Spec = kind.draw(rows, palette, values).properties(height=HEIGHT).to_dict()
            said = f"{kind.name} over utilisation: {where}"
            title = f"{where}: {kind.title}"
            charts.append(
                Chart(name=f"curve-{said}", title=title, summary=f"{said}.", spec=spec, columns=_columns(kind.column))
            )
    return charts


def _columns(name: str) -> dict[str, str]:
    """The columns of the data: where it stands, the figure with its 95 % interval."""
    figure = {"value": name, "low": f"{name}_low", "high": f"{name}_high"}
    where = {"consumer": "consumer", "load": "load", "busy": "utilisation_percent"}
    return {**where, **({"quantile": "quantile"} if name == LATENCY else {"exposure": "exposure_percent"}), **figure}


def _values(row: Row) -> list[float]:
    return [row[name] for name in ("value", "low", "high", "exposure") if row.get(name) is not None]


def _at(cell: Cell) -> Row:
    """Where a cell stands: how busy its server was, in percent."""
    return {
        "consumer": cell.key[CONSUMER],
        "load": cell.key[LOAD],
        "busy": rounded(100 * cell.interval(UTILISATION).estimate),
    }


# rows


def _latency_rows(cell: Cell, evidence: Evidence) -> list[Row]:
    found = []
    for quantile, column in (("p50", LATENCY_MS_P50), ("p99", LATENCY_MS_P99)):
        if cell.median(column).is_known:
            interval = cell.interval(column)
            watched = cell.median(WATCHED_MS).low
            shown = _limits(interval) if interval.estimate < inf else {"value": watched, "low": None, "high": None}
            beyond = interval.estimate == inf
            found.append({**_at(cell), "quantile": quantile, "beyond": beyond, **_rounded(shown)})
    return [row for row in found if row["value"]]


def _lost_rows(cell: Cell, evidence: Evidence) -> list[Row]:
    share = share_in([cell], LOST_OF)
    return [{**_at(cell), **_rounded(_limits(share.interval.scaled(PERCENT)))}] if share.of else []


def _missed_rows(cell: Cell, evidence: Evidence) -> list[Row]:
    """Of drops of which chance alone decides; the exposure is that of the same trials."""
    at_risk = evidence.at_risk(evidence.measured_in(cell, DISCONNECTS))
    share = share_in(at_risk, MISSED_OF)
    if not share.of:
        return []
    exposed = [other.interval(EXPOSURE).estimate for other in at_risk if other.median(EXPOSURE).is_known]
    exposure = rounded(100 * fmean(exposed)) if exposed else None
    return [{**_at(cell), **_rounded(_limits(share.interval.scaled(PERCENT))), "exposure": exposure}]


def _limits(interval: Interval) -> Row:
    known = interval.has_limits
    return {
        "value": interval.estimate,
        "low": interval.low if known else None,
        "high": interval.high if known else None,
    }


def _rounded(row: Row) -> Row:
    return {name: rounded(value) for name, value in row.items()}


# drawing


def _draw_latency(rows: Sequence[Row], palette: Palette, values: Sequence[float]) -> AltairChart:
    """p99 as a line, p50 as a broken one; a triangle is what never came, at the time for which it was waited."""
    domain = encoding.log_domain(values)
    base = _base(rows, palette, "consumer", "load", "busy", "quantile", "value")
    y = encoding.log_y("value", domain, "latency in ms")
    dash = alt.StrokeDash(
        field="quantile", type="nominal", legend=None, scale=alt.Scale(domain=["p99", "p50"], range=[[1, 0], [4, 4]])
    )
    line = base.mark_line(strokeWidth=2).encode(y=y, strokeDash=dash)
    seen = base.transform_filter("!datum.beyond").mark_point(filled=True, size=60, opacity=1).encode(y=y)
    more = base.transform_filter("datum.beyond").mark_point(shape="triangle-up", filled=True, size=130, opacity=1)
    return alt.layer(line, _bars(base, domain), seen, more.encode(y=y))


def _draw_share(title: str) -> Callable[[Sequence[Row], Palette, Sequence[float]], AltairChart]:
    """A share as points with bars and a line; the exposure, where it is known, as a broken line."""

    def draw(rows: Sequence[Row], palette: Palette, values: Sequence[float]) -> AltairChart:
        base = _base(rows, palette, "consumer", "load", "busy", "value", "exposure")
        y = alt.Y(field="value", type="quantitative", title=title, scale=_linear(values), axis=_AXIS)
        exposed = base.transform_filter("datum.exposure !== null").encode(
            y=alt.Y(field="exposure", type="quantitative", scale=_linear(values))
        )
        layers = [
            base.mark_line(strokeWidth=2).encode(y=y),
            _bars(base, None),
            base.mark_point(filled=True, size=60, opacity=1).encode(y=y),
        ]
        if any(row.get("exposure") is not None for row in rows):
            layers += [exposed.mark_line(strokeWidth=1.5, strokeDash=[4, 4]), exposed.mark_point(size=60, opacity=1)]
        return alt.layer(*layers)

    return draw


def _base(rows: Sequence[Row], palette: Palette, *told: str) -> AltairChart:
    x = alt.X(
        field="busy",
        type="quantitative",
        title="utilisation in %",
        scale=alt.Scale(domain=[0, 100]),
        axis=alt.Axis(tickCount=5, labelOverlap=True),
    )
    known = [name for name in told if any(row.get(name) is not None for row in rows)]
    told_limits = encoding.tooltip(*known, "at_least", "at_most")
    return encoding.with_limits(rows).encode(x=x, color=encoding.colour(rows, palette), tooltip=told_limits)


def _bars(base: AltairChart, domain: tuple[float, float] | None) -> AltairChart:
    """The interval of each point, as far as the scale goes."""
    low = f"max(datum.low, {domain[0]})" if domain else "datum.low"
    high = f"min(datum.high, {domain[1]})" if domain else "datum.high"
    bars = base.transform_filter(encoding.HAS_LIMITS).transform_calculate(from_=low, to=high)
    return bars.mark_rule(strokeWidth=1.5, opacity=0.8).encode(
        y=alt.Y(field="from_", type="quantitative"), y2=alt.Y2(field="to")
    )


def _linear(values: Sequence[float]) -> alt.Scale:
    return alt.Scale(domain=[0, max([*values, 1.0])], nice=True)


_AXIS = alt.Axis(tickCount=5, format=",~f", labelOverlap=True)

_KINDS = (
    _Kind(
        name="missed disconnects",
        title="missed disconnects in %",
        column="missed_percent",
        rows=_missed_rows,
        draw=_draw_share("missed disconnects in %"),
    ),
    _Kind(name="latency", title="latency in ms", column=LATENCY, rows=_latency_rows, draw=_draw_latency),
    _Kind(
        name="lost messages",
        title="lost messages in %",
        column="lost_percent",
        rows=_lost_rows,
        draw=_draw_share("lost messages in %"),
    ),
)
