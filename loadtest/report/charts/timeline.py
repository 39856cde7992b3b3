"""Charts of what happened while connections were dropped: all on one time axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import altair as alt
import polars as pl

from loadtest.checks import timeline
from loadtest.dimensions import CONSUMER, DROP, NO_DROP, CellKey
from loadtest.figures.table import KEY_NAMES
from loadtest.report.charts import encoding
from loadtest.report.charts.chart import BAND, AltairChart, Chart, Palette, Row, Spec, consumers, palette_of, rounded
from loadtest.report.summary import Summary
from loadtest.report.tables import Tables

MAX_STEPS = 240
"""Steps drawn of one trial: more would be closer than a pixel on a phone; longer trials are thinned out."""

AT_ONCE = 0.2
"""From this share of the open connections on a step's drops are shown as a burst; with single drops nearly every step
has a few."""

_DATA = "steps"  # the name of the rows inside a chart, which all its panels share
_PANEL = 88  # height in pixels of one panel of the timeline


def timeline_charts(tables: Tables, summary: Summary) -> list[Chart]:
    """A timeline for each layer and drop kind of the trials with drops: its consumers in one chart."""
    invalid = {(cell.key, trial.number) for cell in summary.cells for trial in cell.trials if not trial.valid}
    groups: dict[str, list[Row]] = {}
    for key, trial, frame in _dropping_trials(tables[timeline.TABLE], invalid):
        title = f"{summary.evidence.namer.setting(key, but=(CONSUMER, DROP))}, {key.say(DROP)}"
        groups.setdefault(title, []).extend(_timeline_rows(key, trial, frame))
    palette = palette_of(summary.evidence)
    return [_chart(title, rows, palette) for title, rows in groups.items()]


def _dropping_trials(
    steps: pl.DataFrame, invalid: set[tuple[CellKey, int]]
) -> Iterable[tuple[CellKey, int, pl.DataFrame]]:
    """The first trial of each cell with drops, a valid one if there is any."""
    chosen: dict[CellKey, tuple[int, pl.DataFrame]] = {}
    ordered = steps.filter(pl.col(DROP.name) != NO_DROP).sort("trial", maintain_order=True)
    for frame in ordered.partition_by(KEY_NAMES):
        row = frame.row(0, named=True)
        key, trial = CellKey.of_row(row), row["trial"]
        if key not in chosen or (key, chosen[key][0]) in invalid:
            chosen[key] = (trial, frame)
    return [(key, trial, frame) for key, (trial, frame) in chosen.items()]


def _timeline_rows(key: CellKey, trial: int, frame: pl.DataFrame) -> list[Row]:
    step = max(1, -(-frame.height // MAX_STEPS))
    rows = frame.sort(timeline.T_S.name).to_dicts()
    dropped = [row[timeline.DROPPED.name] or 0 for row in rows]
    return [
        {
            "consumer": key[CONSUMER],
            "trial": trial,
            "t": row[timeline.T_S.name],
            "open": row[timeline.OPEN_SOCKETS.name],
            "received": row[timeline.RECEIVED.name],
            "dropped": sum(dropped[place : place + step]) or None,  # those of the steps left out, too
            "max": rounded(row[timeline.LATENCY_MS_MAX.name]),
            "cpu": rounded(row[timeline.SERVER_CPU_PERCENT.name]),
        }
        for place, row in enumerate(rows)
        if place % step == 0
    ]


def _chart(title: str, rows: Sequence[Row], palette: Palette) -> Chart:
    return Chart(
        name=f"timeline-{title}",
        title=f"{title} ({_trials(rows)})",
        summary=(
            f"Timeline of {title}: open sockets, messages received, slowest message, server CPU and, "
            "in the lowest panel, each step in which connections were dropped."
        ),
        spec={
            **_spec(tuple((name, palette[name]) for name in consumers(rows, palette))),
            "datasets": {_DATA: [_without_trial(row) for row in rows]},
        },
        columns=_COLUMNS,
    )


def _trials(rows: Iterable[Row]) -> str:
    """`trial 1`, or `sync trial 1, async trial 2` where they differ."""
    shown = dict.fromkeys((row["consumer"], row["trial"]) for row in rows)
    numbers = {trial for _, trial in shown}
    return f"trial {numbers.pop()}" if len(numbers) == 1 else ", ".join(f"{name} trial {n}" for name, n in shown)


def _without_trial(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "trial"}


_COLUMNS = {
    "consumer": "consumer",
    "t": "t_s",
    "open": "open_sockets",
    "received": "received",
    "dropped": "dropped",
    "max": "latency_ms_max",
    "cpu": "server_cpu_percent",
}


@cache
def _spec(colours: tuple[tuple[str, str], ...]) -> Spec:
    """The same for all timelines of these consumers: a run with all kinds of drop has a hundred."""
    palette = dict(colours)
    panels: list[AltairChart] = [
        _panel(palette, "open", "open sockets"),
        _panel(palette, "received", "received a step"),
        _panel(palette, "max", "slowest, ms", log=True),
        _panel(palette, "cpu", "server CPU, %"),
        _drops(palette),
    ]
    spec: Spec = alt.vconcat(*panels, spacing=6).resolve_scale(x="shared").to_dict()
    return spec


def _panel(palette: Palette, field: str, title: str, *, log: bool = False) -> AltairChart:
    scale = alt.Scale(type="log") if log else alt.Scale(zero=True)
    line = (
        alt.Chart(alt.NamedData(name=_DATA))
        .mark_line(strokeWidth=2, interpolate="step-after")
        .encode(
            x=_time(labels=False),
            y=alt.Y(
                field=field,
                type="quantitative",
                title=title,
                scale=scale,
                axis=alt.Axis(tickCount=3, format=",~f", labelOverlap=True, minExtent=44),
            ),
            color=encoding.colour_of(palette),
            strokeDash=_dash(list(palette)),
        )
        .transform_filter(f"datum.{field} > 0" if log else f"isValid(datum.{field})")
    )
    return alt.layer(_drop_bands(), line).properties(height=_PANEL)


def _dash(names: Sequence[str]) -> alt.StrokeDash:
    """Dashes for every other consumer, so that a line below another can be seen, and told apart without colour."""
    scale = alt.Scale(
        domain=list(names), range=[[1, 0] if place % 2 == 0 else [7, 4] for place in range(len(names))]
    )  # fmt: skip
    return alt.StrokeDash(field="consumer", type="nominal", scale=scale, legend=None)


def _drop_bands() -> AltairChart:
    """A faint band over each step in which many were dropped at once, to see what moves with it."""
    return (
        alt.Chart(alt.NamedData(name=_DATA))
        .mark_rect(opacity=0.14, color="#888888")
        .encode(x=_time(labels=False), x2=alt.X2(field="end"))
        .transform_filter(f"datum.dropped >= {AT_ONCE} * (datum.open + datum.dropped)")
        .transform_aggregate(consumers="count()", groupby=["t"])
        .transform_calculate(end=f"datum.t + {timeline.BUCKET_S}")
    )


def _drops(palette: Palette) -> AltairChart:
    return (
        alt.Chart(alt.NamedData(name=_DATA))
        .mark_point(filled=True, shape="triangle-down", opacity=1)
        .encode(
            x=_time("middle", labels=True),
            y=alt.Y(
                field="consumer",
                type="nominal",
                title="drops",
                sort=list(palette),
                scale=alt.Scale(domain=list(palette)),
                axis=alt.Axis(minExtent=44),
            ),
            size=alt.Size(field="dropped", type="quantitative", legend=None, scale=alt.Scale(range=[30, 160])),
            color=encoding.colour_of(palette),
            tooltip=encoding.tooltip("consumer", "t", "dropped"),
        )
        .transform_filter("datum.dropped > 0")
        .transform_calculate(middle=f"datum.t + {timeline.BUCKET_S / 2}")
        .properties(height=len(palette) * BAND + 6)
    )


def _time(field: str = "t", *, labels: bool) -> alt.X:
    title = "seconds from the start of the steady window" if labels else None
    return alt.X(field=field, type="quantitative", title=title, axis=alt.Axis(labels=labels, ticks=labels, tickCount=8))
