"""The page's charts as Vega-Lite specifications, made by Altair; their colours of text and lines come from the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from loadtest.report.cells import Cell, key_of
from loadtest.report.manifest import CellKey
from loadtest.report.statistics import Figure
from loadtest.report.summary import Summary
from loadtest.report.tables import Tables
from loadtest.report.words import Namer

Spec = Mapping[str, Any]
Row = dict[str, Any]
AltairChart = Any  # Altair's operators return unions its own functions do not take

COLOURS: Mapping[str, str] = {
    "sync": "#0072B2",
    "async": "#E69F00",
    "sync-guarded": "#56B4E9",
    "async-guarded": "#D55E00",
}
"""Okabe and Ito's colours, told apart by colour-blind readers; each consumer has the same one everywhere."""

OTHER_COLOURS = ("#009E73", "#CC79A7", "#8A8A8A", "#B59F00")
"""For consumers of a user's own."""

MAX_STEPS = 240
"""Steps drawn of one trial: more would be closer than a pixel on a phone; longer trials are thinned out."""

STEP_S = 0.25
"""Length of a row of timeline.csv, in seconds."""

_BAND = 22  # height in pixels of one bar or range: two text lines of a table
_PANEL = 88  # height in pixels of one panel of the timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: `spec` has no width, which the page gives it; `summary` says in words what it shows."""

    name: str
    title: str
    summary: str
    spec: Spec


def throughput_charts(summary: Summary) -> list[Chart]:
    """Messages a second: one chart a scenario, a bar a layer and consumer, the line over it the trials' range."""
    return _by_scenario(
        summary,
        "throughput.messages_per_s",
        lambda scenario, rows: Chart(
            name=f"throughput-{scenario}",
            title=scenario,
            summary=f"Messages received a second in {scenario}: bars are medians, thin lines the trials' range.",
            spec=_bars(rows, "messages a second"),
        ),
    )


def latency_charts(summary: Summary) -> list[Chart]:
    """Latency: one chart a scenario, a line from p50 to p99 for each layer and consumer."""
    domain = _log_domain(_values(summary.cells, "throughput.latency_ms_p50", "throughput.latency_ms_p99"))
    return _by_scenario(
        summary,
        "throughput.latency_ms_p99",
        lambda scenario, rows: Chart(
            name=f"latency-{scenario}",
            title=scenario,
            summary=f"Latency in {scenario}: a line from the median message (dot) to the 99th of 100 (end).",
            spec=_spans(rows, domain, y="place", low="p50", high="p99", title="latency in ms: p50 to p99"),
        ),
    )


def detection_charts(summary: Summary) -> list[Chart]:
    """Detection time: one chart a layer, a line from p50 to the slowest for each drop kind and consumer."""
    cells = [c for c in summary.cells if c.median("disconnects.detect_ms_p50").is_known]
    namer = Namer(cell.key for cell in summary.cells)
    domain = _log_domain(_values(cells, "disconnects.detect_ms_p50", "disconnects.detect_ms_max"))
    charts = []
    for place in dict.fromkeys(namer.place(cell.key) for cell in cells):
        rows = [_detection_row(cell) for cell in cells if namer.place(cell.key) == place]
        charts.append(
            Chart(
                name=f"detection-{place}",
                title=place,
                summary=f"Time from the drop to disconnect() on {place}: dot p50, tick p99, end the slowest.",
                spec=_spans(rows, domain, y="drop", low="p50", high="max", title="ms after the drop", tick="p99"),
            )
        )
    return charts


def timeline_charts(tables: Tables, summary: Summary) -> list[Chart]:
    """A timeline for each layer and drop kind of the trials with drops: its consumers in one chart."""
    invalid = {(cell.key, trial.number) for cell in summary.cells for trial in cell.trials if not trial.valid}
    namer = Namer(cell.key for cell in summary.cells)
    groups: dict[str, list[Row]] = {}
    for key, trial, frame in _dropping_trials(tables.timeline, invalid):
        drop = "mixed drops" if key.drop == "mixed" else key.drop
        title = f"{key.scenario} on {namer.place(key)}, {drop}"
        groups.setdefault(title, []).extend(_timeline_rows(key, trial, frame))
    return [_timeline(title, rows) for title, rows in groups.items()]


def _by_scenario(summary: Summary, figure: str, chart: Callable[[str, list[Row]], Chart]) -> list[Chart]:
    namer = Namer(cell.key for cell in summary.cells)
    cells = [cell for cell in summary.cells if cell.median(figure).is_known]
    titles = dict.fromkeys(_scenario(cell.key) for cell in cells)
    return [
        chart(title, [_speed_row(cell, figure, namer) for cell in cells if _scenario(cell.key) == title])
        for title in titles
    ]


def _scenario(key: CellKey) -> str:
    return key.scenario if key.drop in ("none", "mixed") else f"{key.scenario}, {key.drop}"


def _speed_row(cell: Cell, figure: str, namer: Namer) -> Row:
    return {
        "place": namer.place(cell.key),
        "consumer": cell.key.consumer,
        **_median_range(cell.median(figure)),
        "p50": _rounded(cell.median("throughput.latency_ms_p50").median),
        "p99": _rounded(cell.median("throughput.latency_ms_p99").median),
    }


def _median_range(figure: Figure) -> Row:
    return {
        "median": _rounded(figure.median),
        "low": _rounded(figure.low),
        "high": _rounded(figure.high),
        "trials": figure.known,
    }


def _detection_row(cell: Cell) -> Row:
    medians = {name: cell.median(f"disconnects.detect_ms_{name}") for name in ("p50", "p99")}
    return {
        "drop": cell.key.drop,
        "consumer": cell.key.consumer,
        **{name: _rounded(figure.median) for name, figure in medians.items()},
        "max": _rounded(cell.median("disconnects.detect_ms_max").high),
        "trials": medians["p50"].known,
    }


def _bars(rows: Sequence[Row], title: str) -> Spec:
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(y=_bands("place"), yOffset=_offset(rows))
    bars = base.mark_bar(cornerRadiusEnd=3).encode(
        x=alt.X(field="median", type="quantitative", title=title, scale=alt.Scale(zero=True), axis=_COUNTS),
        color=_colour(rows),
        tooltip=_tooltip("place", "consumer", "median", "low", "high", "trials"),
    )
    ranges = base.mark_rule(strokeWidth=2).encode(
        x=alt.X(field="low", type="quantitative"), x2=alt.X2(field="high"), detail=alt.Detail(field="consumer")
    )
    return _finished(alt.layer(bars, ranges), rows, "place")


def _values(cells: Iterable[Cell], *names: str) -> list[float]:
    """All medians, lowest and highest, of these figures."""
    figures = [cell.median(name) for cell in cells for name in names]
    return [value for figure in figures for value in (figure.median, figure.high) if value is not None]


def _log_domain(values: Iterable[float]) -> tuple[float, float]:
    """A little more than the range of the values above 0."""
    values = [value for value in values if value > 0] or [1.0]
    return min(values) / 1.3, max(values) * 1.3


def _log_ticks(domain: tuple[float, float]) -> list[float]:
    """1, 2, 5, 10, ... over two decades and less, else the powers of ten alone."""
    low, high = math.log10(domain[0]), math.log10(domain[1])
    steps = (1, 2, 5) if high - low <= 2 else (1,)
    ticks = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    return [float(f"{tick:.1g}") for tick in ticks if domain[0] <= tick <= domain[1]]


def _spans(
    rows: Sequence[Row],
    domain: tuple[float, float],
    *,
    y: str,
    low: str,
    high: str,
    title: str,
    tick: str | None = None,
) -> Spec:
    """A line from `low` (a dot) to `high` (a tick) on a log scale, which has no place for 0: such rows are left out."""
    rows = [row for row in rows if (row[low] or 0) > 0 and (row[high] or 0) > 0]
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=_bands(y), yOffset=_offset(rows), color=_colour(rows))
    scale = alt.Scale(type="log", domain=list(domain), nice=False)
    shown = _tooltip(y, "consumer", *(name for name in ("p50", "p99", "max") if rows and name in rows[0]), "trials")
    axis = alt.Axis(values=_log_ticks(domain), format=",~f", labelOverlap=True)
    line = base.mark_rule(strokeWidth=4, opacity=0.5).encode(
        x=alt.X(field=low, type="quantitative", title=title, scale=scale, axis=axis),
        x2=alt.X2(field=high),
        tooltip=shown,
    )
    dot = base.mark_point(filled=True, size=70, opacity=1).encode(x=_x(low), tooltip=shown)
    end = base.mark_tick(thickness=3, size=12, opacity=1).encode(x=_x(high), tooltip=shown)
    layers = [line, dot, end]
    if tick:
        layers.append(base.mark_tick(thickness=3, size=12, opacity=1).encode(x=_x(tick), tooltip=shown))
    return _finished(alt.layer(*layers), rows, y)


_COUNTS = alt.Axis(tickCount=4, format=",~f", labelOverlap=True)


def _x(field: str) -> alt.X:
    return alt.X(field=field, type="quantitative")


def _bands(field: str) -> alt.Y:
    return alt.Y(field=field, type="nominal", title=None, sort=None, scale=alt.Scale(paddingInner=0.25))


def _offset(rows: Sequence[Row]) -> alt.YOffset:
    return alt.YOffset(field="consumer", type="nominal", sort=_consumers(rows))


def _colour(rows: Sequence[Row]) -> alt.Color:
    """The legend is the page's own, once for all charts."""
    names = _consumers(rows)
    scale = alt.Scale(domain=names, range=[colours(names)[name] for name in names])
    return alt.Color(field="consumer", type="nominal", scale=scale, legend=None)


def _dash(rows: Sequence[Row]) -> alt.StrokeDash:
    """Dashes for every other consumer, so that a line below another can be seen, and told apart without colour."""
    names = _consumers(rows)
    scale = alt.Scale(domain=names, range=[[1, 0] if place % 2 == 0 else [7, 4] for place in range(len(names))])
    return alt.StrokeDash(field="consumer", type="nominal", scale=scale, legend=None)


def _consumers(rows: Iterable[Row]) -> list[str]:
    return sorted({row["consumer"] for row in rows}, key=_known_first)


def _known_first(consumer: str) -> tuple[int, str]:
    return (list(COLOURS).index(consumer), "") if consumer in COLOURS else (len(COLOURS), consumer)


def colours(consumers: Iterable[str]) -> dict[str, str]:
    """The colour of each consumer; those of the reference app have their own in every report."""
    names = sorted(set(consumers), key=_known_first)
    others = [name for name in names if name not in COLOURS]
    return {
        name: COLOURS[name] if name in COLOURS else OTHER_COLOURS[others.index(name) % len(OTHER_COLOURS)]
        for name in names
    }


def _tooltip(*fields: str) -> list[alt.Tooltip]:
    texts = ("place", "drop", "consumer")
    return [
        alt.Tooltip(field=field, type="nominal" if field in texts else "quantitative", title=_TITLES.get(field, field))
        for field in fields
    ]


_TITLES = {"place": "layer", "low": "lowest trial", "high": "highest trial", "max": "slowest"}


def _finished(chart: AltairChart, rows: Sequence[Row], field: str) -> Spec:
    bands = len({row[field] for row in rows}) or 1
    height = bands * (len(_consumers(rows)) or 1) * _BAND + bands * 8
    spec: Spec = chart.properties(height=height).to_dict()
    return spec


def _dropping_trials(
    timeline: pl.DataFrame, invalid: set[tuple[CellKey, int]]
) -> Iterable[tuple[CellKey, int, pl.DataFrame]]:
    """The first trial of each cell with drops, a valid one if there is any."""
    chosen: dict[CellKey, tuple[int, pl.DataFrame]] = {}
    ordered = timeline.filter(pl.col("drop") != "none").sort("trial", maintain_order=True)
    for frame in ordered.partition_by("server", "workers", "layer", "consumer", "scenario", "drop", "trial"):
        row = frame.row(0, named=True)
        key, trial = key_of(row), row["trial"]
        if key not in chosen or (key, chosen[key][0]) in invalid:
            chosen[key] = (trial, frame)
    return [(key, trial, frame) for key, (trial, frame) in chosen.items()]


def _timeline_rows(key: CellKey, trial: int, frame: pl.DataFrame) -> list[Row]:
    step = max(1, -(-frame.height // MAX_STEPS))
    return [
        {
            "consumer": key.consumer,
            "trial": trial,
            "t": row["t_s"],
            "end": row["t_s"] + STEP_S,
            "middle": row["t_s"] + STEP_S / 2,
            "open": row["open_sockets"],
            "received": row["received"],
            "dropped": row["dropped"] or None,
            "p50": _rounded(row["latency_ms_p50"]),
            "max": _rounded(row["latency_ms_max"]),
            "cpu": _rounded(row["server_cpu_percent"]),
        }
        for place, row in enumerate(frame.sort("t_s").iter_rows(named=True))
        if place % step == 0 or row["dropped"]  # a step with drops is never thinned out
    ]


def _timeline(title: str, rows: Sequence[Row]) -> Chart:
    panels: list[AltairChart] = [
        _panel(rows, "open", "open sockets"),
        _panel(rows, "received", "received a step"),
        _panel(rows, "max", "slowest, ms", log=True),
        _panel(rows, "cpu", "server CPU, %"),
        _drops(rows),
    ]
    return Chart(
        name=f"timeline-{title}",
        title=f"{title} ({_trials(rows)})",
        summary=(
            f"Timeline of {title}: open sockets, messages received, slowest message, server CPU and, "
            "in the lowest panel, each step in which connections were dropped."
        ),
        spec=alt.vconcat(*panels, spacing=6).resolve_scale(x="shared").to_dict(),
    )


def _trials(rows: Iterable[Row]) -> str:
    """`trial 1`, or `sync trial 1, async trial 2` where they differ."""
    shown = dict.fromkeys((row["consumer"], row["trial"]) for row in rows)
    numbers = {trial for _, trial in shown}
    return f"trial {numbers.pop()}" if len(numbers) == 1 else ", ".join(f"{name} trial {n}" for name, n in shown)


def _panel(rows: Sequence[Row], field: str, title: str, *, log: bool = False) -> AltairChart:
    scale = alt.Scale(type="log") if log else alt.Scale(zero=True)
    values = [{name: row[name] for name in ("consumer", "t", field)} for row in rows]
    values = [value for value in values if not log or (value[field] or 0) > 0]
    base = alt.Chart(alt.InlineData(values=values)).encode(x=_time(labels=False))
    line = base.mark_line(strokeWidth=2, interpolate="step-after").encode(
        y=alt.Y(
            field=field,
            type="quantitative",
            title=title,
            scale=scale,
            axis=alt.Axis(tickCount=3, format=",~f", labelOverlap=True, minExtent=44),
        ),
        color=_colour(rows),
        strokeDash=_dash(rows),
    )
    return alt.layer(_drop_bands(rows), line).properties(height=_PANEL)


def _drop_bands(rows: Sequence[Row]) -> AltairChart:
    """A faint band over each step with drops, so that what moves can be seen to move with them."""
    steps = [{"t": t, "end": end} for t, end in sorted({(row["t"], row["end"]) for row in rows if row["dropped"]})]
    return (
        alt.Chart(alt.InlineData(values=steps))
        .mark_rect(opacity=0.14, color="#888888")
        .encode(x=_time(labels=False), x2=alt.X2(field="end"))
    )


def _drops(rows: Sequence[Row]) -> AltairChart:
    values = [{name: row[name] for name in ("consumer", "t", "middle", "dropped")} for row in rows]
    names = _consumers(rows)
    return (
        alt.Chart(alt.InlineData(values=values))
        .mark_point(filled=True, shape="triangle-down", opacity=1)
        .encode(
            x=_time("middle", labels=True),
            y=alt.Y(
                field="consumer",
                type="nominal",
                title="drops",
                sort=names,
                scale=alt.Scale(domain=names),
                axis=alt.Axis(minExtent=44),
            ),
            size=alt.Size(field="dropped", type="quantitative", legend=None, scale=alt.Scale(range=[30, 160])),
            color=_colour(rows),
            tooltip=_tooltip("consumer", "t", "dropped"),
        )
        .transform_filter("datum.dropped > 0")
        .properties(height=len(names) * _BAND + 6)
    )


def _time(field: str = "t", *, labels: bool) -> alt.X:
    title = "seconds from the start of the steady window" if labels else None
    return alt.X(field=field, type="quantitative", title=title, axis=alt.Axis(labels=labels, ticks=labels, tickCount=8))


def _rounded(value: float | None) -> float | None:
    """Four figures that count: more cannot be seen and only make the page heavy."""
    return None if value is None else float(f"{value:.4g}")
