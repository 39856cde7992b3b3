"""How numbers, figures and cells are written for a reader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isinf

from loadtest.dimensions import DIMENSIONS, DROP, SCENARIO, AnyDimension, CellKey
from loadtest.figures.statistics import Figure

UNKNOWN = "?"
NOT_APPLICABLE = "·"
INFINITE = "∞"
"""A time of what never came, where it is not known how long it was waited for."""


def number(value: float) -> str:
    """Three figures that count: 5,120 · 51.2 · 0.83; whole numbers in full."""
    if isinf(value):
        return INFINITE
    size = abs(value)
    if value == int(value) or size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 0.01:
        return f"{value:.2f}"
    return f"{value:.2g}"


def short(value: float) -> str:
    """Two figures that count, for narrow columns: 512 · 51 · 5.1 · 0.51."""
    if isinf(value):
        return INFINITE
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def time_ms(value: float) -> str:
    """A time given in ms with its unit; from 10 s on in seconds."""
    if isinf(value):
        return INFINITE
    return f"{number(value / 1000)} s" if value >= 10_000 else f"{number(value)} ms"


def share(part: int, whole: int) -> str:
    """Part of whole in percent; a small share is never rounded to 0 nor a large one to 100."""
    if whole == 0:
        return NOT_APPLICABLE
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "less than 0.1 %"
    if 99.9 < percent < 100:
        return "more than 99.9 %"
    return f"{percent:.0f} %" if percent == int(percent) else f"{percent:.1f} %"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 trial`, `3 trials`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def with_range(figure: Figure) -> str:
    """`5,120 (5,010–5,200)`, or `?`, or a middle dot where it does not apply."""
    if not figure.applies:
        return NOT_APPLICABLE
    if figure.median is None or figure.low is None or figure.high is None:
        return UNKNOWN
    if figure.known == 1 or number(figure.low) == number(figure.high):
        return number(figure.median)
    return f"{number(figure.median)} ({number(figure.low)}–{number(figure.high)})"


def plain(figure: Figure) -> str:
    """The median alone."""
    if not figure.applies:
        return NOT_APPLICABLE
    return UNKNOWN if figure.median is None else number(figure.median)


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


class Namer:
    """Names cells by what tells them apart in this run: a dimension that never varies only where it always is named."""

    def __init__(self, keys: Iterable[CellKey]) -> None:
        keys = list(keys)
        varying = {dimension.name for dimension in DIMENSIONS if len({key[dimension] for key in keys}) > 1}
        aside = [dimension for dimension in DIMENSIONS if dimension.is_place and not dimension.always_named]
        self._aside = aside if varying & {dimension.name for dimension in aside} else []
        self._others = [
            dimension
            for dimension in DIMENSIONS
            if not dimension.is_place and (dimension.always_named or dimension.name in varying)
        ]

    def place(self, key: CellKey) -> str:
        """`redis`, or `redis (uvicorn, 2 workers)`: where it ran."""
        where = ", ".join(key.say(row) for row in DIMENSIONS if row.is_place and row.always_named)
        return f"{where} ({', '.join(key.say(row) for row in self._aside)})" if self._aside else where

    def name(self, key: CellKey, *, but: Iterable[AnyDimension] = ()) -> str:
        """`redis, sync, churn, rst`, without the dimensions that are left out."""
        return ", ".join([self.place(key), *self._said(key, but)])

    def setting(self, key: CellKey, *, but: Iterable[AnyDimension] = ()) -> str:
        """`churn with rst on redis, sync`: what was done, before where it was."""
        but = tuple(but)
        drop = f" with {key.say(DROP)}" if key.say(DROP) and DROP not in but else ""
        rest = self._said(key, (SCENARIO, DROP, *but))
        return f"{key[SCENARIO]}{drop} on {', '.join([self.place(key), *rest])}"

    def _said(self, key: CellKey, but: Iterable[AnyDimension]) -> list[str]:
        left_out = {dimension.name for dimension in but}
        return [said for row in self._others if row.name not in left_out and (said := key.say(row))]
