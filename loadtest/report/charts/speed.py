"""Charts of messages a second and of latency: one a scenario, a band for each layer and consumer.

Where each kind of drop has trials of its own: one a scenario and layer, a band for each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf, isfinite

import altair as alt

from loadtest.checks.throughput.table import LATENCY_MS_P50, LATENCY_MS_P99, MESSAGES_PER_S, WATCHED_MS
from loadtest.dimensions import CONSUMER, DROP, SCENARIO, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.figures.words import Namer
from loadtest.report.charts import encoding
from loadtest.report.charts.chart import Chart, Palette, Row, Spec, palette_of, rounded
from loadtest.report.summary import Summary


def throughput_charts(summary: Summary) -> list[Chart]:
    """Messages a second: a bar a consumer, the line over it the 95 % interval."""
    palette = palette_of(summary.evidence)
    return _by_scenario(
        summary,
        MESSAGES_PER_S,
        lambda scenario, rows: Chart(
            name=f"throughput-{scenario}",
            title=f"{scenario}: messages received a second",
            summary=f"Messages received a second in {scenario}: bars with their 95 % intervals.",
            spec=_bars(rows, palette, "messages a second"),
            columns=_columns("typical", "messages_per_s"),
        ),
    )


def latency_charts(summary: Summary) -> list[Chart]:
    """Latency: a line from p50 to p99 for each consumer, and the interval of p99."""
    domain = encoding.log_domain(_values(summary.cells, LATENCY_MS_P50, LATENCY_MS_P99))
    palette = palette_of(summary.evidence)
    return _by_scenario(
        summary,
        LATENCY_MS_P99,
        lambda scenario, rows: Chart(
            name=f"latency-{scenario}",
            title=f"{scenario}: latency in ms, p50 to p99",
            summary=f"Latency in {scenario}: a line from the median (dot) to p99 (end; a triangle where it is more).",
            spec=_spans(rows, palette, domain),
            columns={**_columns("p99", "latency_ms_p99"), "p50": "latency_ms_p50", "beyond": "p99_never_came"},
        ),
    )


def _columns(field: str, name: str) -> dict[str, str]:
    """The columns of the data: the figure with its 95 % interval."""
    limits = {field: name, "low": f"{name}_low", "high": f"{name}_high"}
    return {"band": "layer_or_drop", "consumer": "consumer", **limits, "rounds": "rounds"}


def _by_scenario(summary: Summary, figure: Column[float], chart: Callable[[str, list[Row]], Chart]) -> list[Chart]:
    namer = summary.evidence.namer
    cells = [cell for cell in summary.cells if cell.median(figure).is_known]
    titles = dict.fromkeys(_title(cell.key, namer) for cell in cells)
    return [
        chart(title, [_speed_row(cell, figure, namer) for cell in cells if _title(cell.key, namer) == title])
        for title in titles
    ]


def _title(key: CellKey, namer: Namer) -> str:
    return namer.setting(key, but=(CONSUMER, DROP)) if key.has_one_kind_of_drop else key[SCENARIO]


def _speed_row(cell: Cell, figure: Column[float], namer: Namer) -> Row:
    found = cell.interval(figure)
    return {
        "band": cell.key[DROP]
        if cell.key.has_one_kind_of_drop
        else namer.name(cell.key, but=(CONSUMER, SCENARIO, DROP)),
        "consumer": cell.key[CONSUMER],
        "typical": rounded(found.estimate),
        **encoding.limits(found),
        "rounds": len(cell.by_round(figure)),
        "p50": rounded(_seen(cell, LATENCY_MS_P50)),
        "p99": rounded(_seen(cell, LATENCY_MS_P99)),
        "beyond": cell.interval(LATENCY_MS_P99).estimate == inf,
    }


def _seen(cell: Cell, figure: Column[float]) -> float | None:
    """The typical value; of what never came how long it was waited for."""
    typical = cell.interval(figure).estimate
    return cell.median(WATCHED_MS).low if typical == inf else typical


def _bars(rows: Sequence[Row], palette: Palette, title: str) -> Spec:
    base = encoding.with_limits(rows).encode(y=encoding.bands("band"), yOffset=encoding.offset(rows, palette))
    bars = base.mark_bar(cornerRadiusEnd=3).encode(
        x=alt.X(field="typical", type="quantitative", title=title, scale=alt.Scale(zero=True), axis=_COUNTS),
        color=encoding.colour(rows, palette),
        tooltip=encoding.tooltip("band", "consumer", "typical", "at_least", "at_most", "rounds"),
    )
    ranges = (
        base.transform_filter(encoding.HAS_LIMITS)
        .mark_rule(strokeWidth=2)
        .encode(x=alt.X(field="low", type="quantitative"), x2=alt.X2(field="high"), detail=alt.Detail(field="consumer"))
    )
    has_limits = any(row["low"] is not None for row in rows)  # Vega complains of a field of which no row has a value
    return encoding.finished(alt.layer(*((bars, ranges) if has_limits else (bars,))), rows, "band")


def _values(cells: Iterable[Cell], *columns: Column[float]) -> list[float]:
    """All values of these figures, and the limits of the last one where they tell anything."""
    ends = [cell.interval(columns[-1]) for cell in cells if cell.median(columns[-1]).is_known]
    seen = [_seen(cell, column) or 0.0 for cell in cells for column in columns if cell.median(column).is_known]
    values = seen + [end for each in ends if each.has_limits for end in (each.low, each.high)]
    return [value for value in values if isfinite(value)]


def _spans(rows: Sequence[Row], palette: Palette, domain: tuple[float, float]) -> Spec:
    """A line from p50 (a dot) to p99 (a tick) on a log scale, which has no place for 0 or infinity: such rows are left
    out; and the limits of p99."""
    rows = [row for row in rows if all(isfinite(row[name] or 0) and (row[name] or 0) > 0 for name in ("p50", "p99"))]
    rows = [{**row, "low": row["low"] and max(row["low"], domain[0])} for row in rows]
    base = encoding.with_limits(rows).encode(
        y=encoding.bands("band"),
        yOffset=encoding.offset(rows, palette),
        color=encoding.colour(rows, palette),
        tooltip=encoding.tooltip("band", "consumer", "p50", "p99", "at_least", "at_most", "rounds"),
    )
    line = base.mark_rule(strokeWidth=4, opacity=0.5).encode(
        x=encoding.log_x("p50", domain, "latency in ms: p50 to p99"), x2=alt.X2(field="p99")
    )
    ranged = base.transform_filter(encoding.HAS_LIMITS).mark_rule(strokeWidth=1.5, opacity=1)
    limits = ranged.encode(x=encoding.x("low"), x2=alt.X2(field="high"))
    dot = base.mark_point(filled=True, size=70, opacity=1).encode(x=encoding.x("p50"))
    end = base.mark_tick(thickness=3, size=12, opacity=1).encode(x=encoding.x("p99"))
    more = base.transform_filter("datum.beyond").mark_point(shape="triangle-right", filled=True, size=110, opacity=1)
    return encoding.finished(alt.layer(line, limits, dot, end, more.encode(x=encoding.x("p99"))), rows, "band")


_COUNTS = alt.Axis(tickCount=4, format=",~f", labelOverlap=True)
