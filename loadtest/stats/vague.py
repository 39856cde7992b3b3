"""Limits that tell nothing: what they leave open is nearly all that was open before anything was measured.

Such an interval is true (it holds the true value as often as any), but a reader takes its limits for figures. With two
rounds Student's t is 12.7, so two latencies of 50 and 330 ms give 129 ms with limits of 0.0008 and 21,000,000 ms. The
rules are on what is left open and not on the number of rounds: two rounds that agree do tell something.
"""

from __future__ import annotations

from dataclasses import replace
from math import isinf, sqrt
from typing import Final

from loadtest.stats.interval import Interval

MOST_OFF: Final = 10.0
"""A figure that may be ten times larger and ten times smaller is not known to its order of magnitude.

Student's t of logs leaves that open where 2 rounds are a factor of 1.44 apart, or the standard deviation of the logs is
that of a factor of 2.5 with 3 rounds, 4.2 with 4 and 6.4 with 5: exp(ln(10) sqrt(n) / t_{n-1}).
"""


def as_amount(found: Interval) -> Interval:
    """Return the interval of a time or a rate; vague where it may be MOST_OFF times less, and MOST_OFF times more."""
    return replace(found, is_vague=_may_be_far_off(found))


def as_ratio(found: Interval) -> Interval:
    """Return the interval of a ratio: vague as an amount, but not where it tells which of the two is larger."""
    return replace(found, is_vague=_may_be_far_off(found) and 1.0 in found)


def as_share(found: Interval) -> Interval:
    """Return the interval of a share, from 0 to 1; vague where it holds as much of what is possible as its level.

    A range of 95 % of all shares is a 95 % interval for who has measured nothing: a credible interval of the uniform
    distribution, which Bayes and Laplace took for knowing nothing.
    """
    return replace(found, is_vague=min(found.high, 1.0) - max(found.low, 0.0) >= found.level)


def as_points(found: Interval) -> Interval:
    """Return the interval of the difference of two shares, -1 to 1; vague where who has measured nothing knows as much.

    Of two shares of which nothing is known the difference lies within 1 - sqrt(1 - level) of 0: 0.776 at 0.95.
    """
    known_before = 1.0 - sqrt(1.0 - found.level)
    return replace(found, is_vague=found.low <= -known_before and found.high >= known_before)


def as_time_until(found: Interval) -> Interval:
    """Return the interval of a quantile of times until something happens; vague where it has no limit on either side.

    Its limits are times that were seen, not those of an assumed distribution: what is far apart there was far apart.
    """
    return replace(found, is_vague=found.low == 0 and isinf(found.high))


def _may_be_far_off(found: Interval) -> bool:
    has_width = found.high > found.low  # all may be 0
    return has_width and found.low <= found.estimate / MOST_OFF and found.high >= found.estimate * MOST_OFF
