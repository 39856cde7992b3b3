"""Charts of a capacity run: latency, and how busy the server was, at every step of every search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

import altair as alt

from loadtest.dimensions import CONSUMER, DROP, SCENARIO
from loadtest.figures.values import Values
from loadtest.figures.words import Namer
from loadtest.report.capacity.answers import CapacityAnswers, CellCapacity
from loadtest.report.capacity.steps import CapacityStep
from loadtest.report.charts import encoding
from loadtest.report.charts.chart import AltairChart, Chart, Palette, Row, palette_for, rounded
from loadtest.report.thresholds import read_thresholds

HEIGHT = 300

_LOADS = {"rate": "messages_per_s_each", "users": "connections"}
_COLUMNS = {
    "consumer": "consumer",
    "load": "",
    "p99": "latency_ms_p99",
    "beyond": "p99_never_came",
    "busy": "utilisation_percent",
    "outcome": "outcome",
    "search": "search",
}


def capacity_palette(answers: CapacityAnswers) -> Palette:
    """The colours of the consumers of a run."""
    return palette_for([cell.cell for cell in answers.cells], Values(answers.manifest.values))


def capacity_charts(answers: CapacityAnswers) -> list[Chart]:
    """Latency of each place and scenario, then how busy its server was; its consumers in one chart."""
    palette, namer = capacity_palette(answers), Namer(cell.cell for cell in answers.cells)
    charts = []
    for cells in _by_place(answers.cells):
        where = f"{cells[0].cell[SCENARIO]} on {namer.place(cells[0].cell)}"
        rows = [row for cell in cells for row in _rows(cell)]
        ranges = [row for cell in cells for row in _ranges(cell)]
        for name, draw in (
            ("latency p99 in ms against load", _draw_latency),
            ("utilisation in % against load", _draw_busy),
        ):
            chart = draw(rows, ranges, palette, answers)
            if chart is not None:
                spec = chart.properties(height=HEIGHT).to_dict()
                charts.append(
                    Chart(
                        name=f"{name}: {where}",
                        title=f"{where}: {name}",
                        summary=f"{name}: {where}.",
                        spec=spec,
                        columns={**_COLUMNS, "load": _LOADS[answers.asked.of]},
                    )
                )
    return charts


def _by_place(cells: Iterable[CellCapacity]) -> list[list[CellCapacity]]:
    found: dict[object, list[CellCapacity]] = {}
    for cell in cells:
        found.setdefault(cell.cell.without(CONSUMER, DROP), []).append(cell)
    return list(found.values())


def _rows(cell: CellCapacity) -> list[Row]:
    return [_row(step, cell) for step in cell.steps if step.is_valid and _shown_ms(step) is not None]


def _row(step: CapacityStep, cell: CellCapacity) -> Row:
    return {
        "consumer": cell.cell[CONSUMER],
        "load": rounded(step.value(cell.of)),
        "p99": rounded(_shown_ms(step)),
        "beyond": not isfinite(step.p99),
        "outcome": step.outcome,
        "search": step.search,
        "busy": None if step.utilisation is None else rounded(100 * step.utilisation),
    }


def _shown_ms(step: CapacityStep) -> float | None:
    """What never came is shown at the time for which it was waited."""
    return (step.p99 or None) if isfinite(step.p99) else step.watched_ms


def _ranges(cell: CellCapacity) -> list[Row]:
    found = cell.interval
    if found is None or not found.has_limits:
        return []
    low, at, high = (rounded(value) for value in (found.low, found.estimate, found.high))
    return [{"consumer": cell.cell[CONSUMER], "low": low, "load": at, "high": high}]


def _draw_latency(
    rows: Sequence[Row], ranges: Sequence[Row], palette: Palette, answers: CapacityAnswers
) -> AltairChart | None:
    """p99 of each step; a triangle is what never came, a hollow point broke the level."""
    if not rows:
        return None
    limits = [
        one.limit for one in read_thresholds(answers.asked.keep) if one.figure == "latency_ms_p99" and not one.selector
    ]
    domain = encoding.log_domain([*(row["p99"] for row in rows), *limits])
    base = _base(rows, ranges, palette, answers)
    y = encoding.log_y("p99", domain, "latency p99 in ms")
    seen = _points(base.transform_filter("!datum.beyond"), y)
    more = base.transform_filter("datum.beyond").mark_point(shape="triangle-up", size=90, opacity=1).encode(y=y)
    lines = [
        alt.Chart(alt.InlineData(values=[{"p99": limit}]))
        .mark_rule(strokeDash=[4, 4])
        .encode(y=alt.Y(field="p99", type="quantitative"))
        for limit in limits
    ]
    return alt.layer(*_bands(rows, ranges, palette, answers), *lines, *seen, more)


def _draw_busy(
    rows: Sequence[Row], ranges: Sequence[Row], palette: Palette, answers: CapacityAnswers
) -> AltairChart | None:
    """How busy what was busiest was, at each step."""
    known = [row for row in rows if row["busy"] is not None]
    if not known:
        return None
    axis = alt.Axis(tickCount=5, format=",~f", labelOverlap=True)
    y = alt.Y(field="busy", type="quantitative", title="utilisation in %", scale=alt.Scale(domain=[0, 100]), axis=axis)
    points = _points(_base(known, ranges, palette, answers), y)
    return alt.layer(*_bands(known, ranges, palette, answers), *points)


def _base(rows: Sequence[Row], ranges: Sequence[Row], palette: Palette, answers: CapacityAnswers) -> AltairChart:
    told = encoding.tooltip("consumer", "load", "p99", "busy", "outcome", "search")
    return alt.Chart(alt.InlineData(values=list(rows))).encode(
        x=_x("load", rows, ranges, answers), color=encoding.colour(rows, palette), tooltip=told
    )


def _points(base: AltairChart, y: alt.Y) -> list[AltairChart]:
    """Steps that kept the level are filled."""
    kept = base.transform_filter("datum.outcome === 'kept'").mark_point(filled=True, size=60, opacity=1)
    broken = base.transform_filter("datum.outcome !== 'kept'").mark_point(size=60, opacity=1)
    return [kept.encode(y=y), broken.encode(y=y)]


def _bands(rows: Sequence[Row], ranges: Sequence[Row], palette: Palette, answers: CapacityAnswers) -> list[AltairChart]:
    """The interval of what each consumer carries, and its middle."""
    if not ranges:
        return []
    base = alt.Chart(alt.InlineData(values=list(ranges))).encode(
        color=encoding.colour(ranges, palette), tooltip=encoding.tooltip("consumer", "load", "low", "high")
    )
    band = base.mark_rect(opacity=0.15, stroke=None).encode(x=_x("low", rows, ranges, answers), x2=alt.X2(field="high"))
    return [band, base.mark_rule(strokeWidth=2).encode(x=_x("load", rows, ranges, answers))]


def _x(field: str, rows: Sequence[Row], ranges: Sequence[Row], answers: CapacityAnswers) -> alt.X:
    title = "messages/s from each sender" if answers.asked.of == "rate" else "connections"
    values = [row[name] for row in (*rows, *ranges) for name in ("load", "low", "high") if row.get(name)]
    return encoding.log_x(field, encoding.log_domain(values), title)
