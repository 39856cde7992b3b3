"""Clocks: how far the clock of another machine is ahead of ours, from round trips, and how far that may be off.

The other side reads its clock at some moment between our asking and its answer's coming. So its offset lies between
what the two moments give, half a round trip either way of their middle: however unequal the way there and the way back
are, that bound holds (Cristian, Probabilistic clock synchronization, 1989; NTP has the same, RFC 5905 section 8). The
shortest of many round trips bounds it best.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """When we asked and were answered, and what the other side's clock said in between."""

    asked_ns: int
    theirs_ns: int
    answered_ns: int

    @property
    def took_ns(self) -> int:
        """How long it took."""
        return self.answered_ns - self.asked_ns

    @property
    def least_ns(self) -> int:
        """The clock there is at least so far ahead of ours."""
        return self.theirs_ns - self.answered_ns

    @property
    def most_ns(self) -> int:
        """It is at most so far ahead."""
        return self.theirs_ns - self.asked_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """A clock is `ahead_ns` ahead of ours (behind, where that is below 0), give or take `bound_ns`."""

    ahead_ns: int
    bound_ns: int


def offset_between(before: Sequence[RoundTrip], after: Sequence[RoundTrip]) -> Offset:
    """Return the offset that holds all the while between two bursts of round trips; ValueError without any of both.

    The shortest round trip of each burst bounds it then. Two clocks drift apart by some millionths, and evenly for the
    length of a trial: so the offset in between is between the two, and the bound is of both.
    """
    if not before or not after:
        raise ValueError("the clocks were not compared")
    shortest = [min(burst, key=lambda trip: trip.took_ns) for burst in (before, after)]
    least, most = min(trip.least_ns for trip in shortest), max(trip.most_ns for trip in shortest)
    return Offset(ahead_ns=(least + most) // 2, bound_ns=-((least - most) // 2))
