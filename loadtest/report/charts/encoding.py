"""The encodings that charts share: how a field becomes a place, a colour or a tooltip."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import altair as alt

from loadtest.report.charts.chart import BAND, AltairChart, Palette, Row, Spec, consumers, rounded
from loadtest.stats.interval import Interval


def colour(rows: Sequence[Row], palette: Palette) -> alt.Color:
    """The colours of the consumers in these rows."""
    return colour_of({name: palette[name] for name in consumers(rows, palette)})


def colour_of(palette: Palette) -> alt.Color:
    """These colours; the legend is the page's own, once for all charts."""
    scale = alt.Scale(domain=list(palette), range=list(palette.values()))
    return alt.Color(field="consumer", type="nominal", scale=scale, legend=None)


def x(field: str) -> alt.X:
    """A number along the chart's width."""
    return alt.X(field=field, type="quantitative")


def bands(field: str) -> alt.Y:
    """A band for each value, in the order of the rows."""
    return alt.Y(field=field, type="nominal", title=None, sort=None, scale=alt.Scale(paddingInner=0.25))


def offset(rows: Sequence[Row], palette: Palette) -> alt.YOffset:
    """Inside each band a line for each consumer."""
    return alt.YOffset(field="consumer", type="nominal", sort=consumers(rows, palette))


def log_domain(values: Iterable[float]) -> tuple[float, float]:
    """A little more than the range of the values above 0."""
    values = [value for value in values if value > 0] or [1.0]
    return min(values) / 1.3, max(values) * 1.3


def log_x(field: str, domain: tuple[float, float], title: str) -> alt.X:
    """A number above 0 along the chart's width, on a log scale that several charts may share."""
    scale = alt.Scale(type="log", domain=list(domain), nice=False)
    axis = alt.Axis(values=_log_ticks(domain), format=",~f", labelOverlap=True)
    return alt.X(field=field, type="quantitative", title=title, scale=scale, axis=axis)


def log_y(field: str, domain: tuple[float, float], title: str) -> alt.Y:
    """A number above 0 along the chart's height, on a log scale that several charts may share."""
    scale = alt.Scale(type="log", domain=list(domain), nice=False)
    axis = alt.Axis(values=_log_ticks(domain), format=",~f", labelOverlap=True)
    return alt.Y(field=field, type="quantitative", title=title, scale=scale, axis=axis)


def _log_ticks(domain: tuple[float, float]) -> list[float]:
    """1, 2, 5, 10, ... over two decades and less, else the powers of ten alone."""
    low, high = math.log10(domain[0]), math.log10(domain[1])
    steps = (1, 2, 5) if high - low <= 2 else (1,)
    ticks = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    return [float(f"{tick:.1g}") for tick in ticks if domain[0] <= tick <= domain[1]]


def tooltip(*fields: str) -> list[alt.Tooltip]:
    """What is shown of a mark when the pointer is on it."""
    return [
        alt.Tooltip(field=field, type="nominal" if field in _TEXTS else "quantitative", title=_TITLES.get(field, field))
        for field in fields
    ]


HAS_LIMITS = "datum.low !== null"
"""For transform_filter: the rows of which a line from `low` to `high` can be drawn."""


def limits(found: Interval) -> Row:
    """The limits of what is never below 0, for a row; None where they are not known, so that no line is drawn."""
    known = found.has_limits
    return {
        "low": rounded(max(found.low, 0.0)) if known else None,
        "high": rounded(found.high) if known else None,
    }


def with_limits(rows: Sequence[Row]) -> AltairChart:
    """A chart of rows with `low` and `high`, whose tooltips say `at_least` and `at_most`."""
    return alt.Chart(alt.InlineData(values=list(rows))).transform_calculate(**_LIMITS_TOLD)


_LIMITS_TOLD = {
    told: f"datum.{limit} === null ? 'not known' : format(datum.{limit}, ',')"
    for told, limit in (("at_least", "low"), ("at_most", "high"))
}
"""The limits as a tooltip says them, which would take one that is not known for 0."""

_TEXTS = ("at_least", "at_most", "band", "place", "drop", "consumer", "cause", "load", "quantile")
_TITLES = {
    "band": "layer or drop",
    "place": "layer",
    "low": "at least (95 %)",
    "high": "at most (95 %)",
    "at_least": "at least (95 %)",
    "at_most": "at most (95 %)",
    "max": "slowest",
    "ms": "ms after the drop",
    "t": "s",
    "busy": "utilisation in %",
}


def finished(chart: AltairChart, rows: Sequence[Row], field: str) -> Spec:
    """The chart as high as its bands need; the page gives it its width."""
    count = len({row[field] for row in rows}) or 1
    height = count * (len({row["consumer"] for row in rows}) or 1) * BAND + count * 8
    spec: Spec = chart.properties(height=height).to_dict()
    return spec
