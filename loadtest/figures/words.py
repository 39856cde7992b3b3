"""How numbers, figures and cells are written for a reader."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from math import inf, isfinite, isinf, isnan
from typing import Final

from loadtest.dimensions import DIMENSIONS, DROP, SCENARIO, AnyDimension, CellKey
from loadtest.figures.statistics import Figure
from loadtest.stats.interval import Interval
from loadtest.stats.share import Share
from loadtest.stats.survival import Quantile

ROUNDING: Final = 1e-9
"""What a mean of logs is off by where all values are 5."""

MOST_FACTOR: Final = 100.0
"""A larger ratio is none that anybody would ask statistics about."""

UNKNOWN = "?"
NOT_APPLICABLE = "·"
NEVER = "never"
INFINITE = "∞"
"""A time of what never came, where it is not known how long it was waited for."""
TOO_FEW = "too few"
"""Behind how many rounds there were, where an interval would stand."""


def number(value: float) -> str:
    """Three figures that count: 5,120 · 51.2 · 0.83; whole numbers in full."""
    if not isfinite(value):
        return UNKNOWN if isnan(value) else INFINITE
    size = abs(value)
    if abs(value - round(value)) < ROUNDING * max(size, 1) or size >= 100:
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


def with_interval(interval: Interval, write: Callable[[float], str] = number) -> str:
    """`5,120 (4,800–5,480)`; `129 (2 rounds: too few)` where no limits are known.

    The estimate alone where rounds agree to the last digit written.
    """
    if isnan(interval.estimate):
        return NOT_APPLICABLE
    if interval.estimate == inf:
        return INFINITE
    if not interval.has_limits:
        return in_brackets(write(interval.estimate), why_no_limits(interval))
    text, low, high = (write(value) for value in (interval.estimate, max(interval.low, 0.0), interval.high))
    return text if low == high else f"{text} ({low}–{high})"


def why_no_limits(interval: Interval, one: str = "round", many: str = "") -> str:
    """What stands where an interval would: `1 round`, `2 rounds: too few`, `some round: never`; "" if untold.

    `one`, `many`: what the values of the interval are of.
    """
    if interval.of < 2:
        return counted(1, one) if interval.of else ""
    if isinf(interval.high):
        return f"some {one}: {NEVER}"
    return f"{counted(interval.of, one, many)}: {TOO_FEW}"


def in_brackets(text: str, what: str) -> str:
    """`129 (what)`; the text alone where there is nothing to put into brackets."""
    return f"{text} ({what})" if what else text


def percent(value: float) -> str:
    """A share as `4.7`, `0.28`, `35`, `100`: two figures that count, and never 0 or 100 for what is not."""
    of_100 = 100 * value
    if 0 < of_100 < 0.005:
        return "<0.01"
    if 99.95 < of_100 < 100:
        return ">99.9"
    if of_100 > 100:  # a difference, no share
        return f"{of_100:,.0f}"
    if of_100 == int(of_100) or 10 <= of_100 <= 90:
        return f"{of_100:.0f}"
    return f"{of_100:.1f}" if of_100 >= 1 else f"{of_100:.2g}"


def share_with_interval(found: Share) -> str:
    """`4.7 % (2.1–9.8)`; a middle dot where there was nothing to count."""
    return percent_with_interval(found.interval) if found.of else NOT_APPLICABLE


def percent_with_interval(interval: Interval) -> str:
    """A share and its limits, 0 to 1: `4.7 % (2.1–9.8)`; `50 % (2 rounds: too few)` where these tell nothing."""
    if not interval.has_limits:
        return in_brackets(f"{percent(interval.estimate)} %", why_no_limits(interval))
    low, high = max(interval.low, 0.0), min(interval.high, 1.0)
    return f"{percent(interval.estimate)} % ({percent(low)}–{percent(high)})"


def quantile_with_interval(found: Quantile, write: Callable[[float], str] = number) -> str:
    """`22.0 (18.1–27.3)`, `27.0 (23.1–>41.8)`; as `quantile` where it was not reached.

    `0.65 (2 rounds: too few)` where no limit is known on either side.
    """
    if not found.is_known or found.is_beyond:
        return quantile(found, write)
    if found.interval.is_vague:
        return in_brackets(write(found.interval.estimate), f"{counted(found.trials, 'round')}: {TOO_FEW}")
    low, high = found.interval.low, found.interval.high
    limit = f">{write(found.watched)}" if high == inf else write(high)
    return f"{write(found.interval.estimate)} ({write(low)}–{limit})"


def quantile(found: Quantile, write: Callable[[float], str] = number) -> str:
    """`22`; `>5,200` where it was waited for so long and did not come; a middle dot for too few times to tell."""
    if not found.is_known:
        return NOT_APPLICABLE
    if found.is_beyond:
        return f">{write(found.watched)}" if isfinite(found.watched) else NEVER
    return write(found.interval.estimate)


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

    def name(self, key: CellKey, *, but: Collection[AnyDimension] = ()) -> str:
        """`redis, sync, churn, rst`, without the dimensions that are left out."""
        return ", ".join([self.place(key), *self._said(key, but)])

    def setting(self, key: CellKey, *, but: Collection[AnyDimension] = ()) -> str:
        """`churn with rst on redis, sync`: what was done, before where it was."""
        where = ", ".join([self.place(key), *self._said(key, (SCENARIO, DROP, *but))])
        return f"{self._done(key, but)} on {where}"

    def task(self, key: CellKey, *, but: Collection[AnyDimension] = ()) -> str:
        """`churn with rst, sync`: what was done, without where it was."""
        return ", ".join([self._done(key, but), *self._said(key, (SCENARIO, DROP, *but))])

    def rest(self, key: CellKey, *, but: Collection[AnyDimension] = ()) -> str:
        """`sync, 80% load`: what tells cells apart beside where they ran."""
        return ", ".join(self._said(key, but))

    def _done(self, key: CellKey, but: Collection[AnyDimension]) -> str:
        drop = f" with {key.say(DROP)}" if key.say(DROP) and DROP not in but else ""
        return f"{key[SCENARIO]}{drop}"

    def _said(self, key: CellKey, but: Collection[AnyDimension]) -> list[str]:
        left_out = {dimension.name for dimension in but}
        return [said for row in self._others if row.name not in left_out and (said := key.say(row))]
