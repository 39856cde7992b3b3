"""Clocks of two machines: the true offset is always within the bound, however long and unequal the ways are."""

from __future__ import annotations

from random import Random

import pytest

from loadtest.targets.clock import Offset, RoundTrip, offset_between

MS = 1_000_000
HOUR_NS = 3600 * 1000 * MS


def trip(asked_ns: int, there_ns: int, back_ns: int, ahead_ns: int) -> RoundTrip:
    """A question that takes so long there and back, to a clock that is so far ahead when it is read."""
    return RoundTrip(
        asked_ns=asked_ns, theirs_ns=asked_ns + there_ns + ahead_ns, answered_ns=asked_ns + there_ns + back_ns
    )


@pytest.mark.parametrize("ahead_ns", [0, 5 * HOUR_NS, -5 * HOUR_NS])
def test_offset_when_both_ways_are_equal_then_it_is_exact_and_the_bound_is_half_the_shortest_round_trip(
    ahead_ns: int,
) -> None:
    burst = [trip(0, 5 * MS, 5 * MS, ahead_ns), trip(20 * MS, 1 * MS, 1 * MS, ahead_ns)]
    assert offset_between(burst, burst) == Offset(ahead_ns=ahead_ns, bound_ns=1 * MS)


def test_offset_when_all_of_the_way_is_the_way_back_then_the_bound_holds_just() -> None:
    burst = [trip(0, 0, 2 * MS, 7 * MS)]
    found = offset_between(burst, burst)
    assert found.ahead_ns + found.bound_ns >= 7 * MS >= found.ahead_ns - found.bound_ns
    assert found.bound_ns == 1 * MS


@pytest.mark.parametrize("seed", range(50))
def test_offset_when_clocks_drift_and_ways_are_of_any_length_then_the_truth_is_within_the_bound(seed: int) -> None:
    chance = Random(seed)
    at_first_ns, drift = chance.randint(-HOUR_NS, HOUR_NS), chance.uniform(-2e-4, 2e-4)

    def ahead_ns(at_ns: int) -> int:
        return at_first_ns + round(drift * at_ns)

    def burst(at_ns: int) -> list[RoundTrip]:
        ways = [(chance.randint(0, 9 * MS), chance.randint(0, 9 * MS)) for _ in range(8)]
        return [trip(at_ns, there, back, ahead_ns(at_ns + there)) for there, back in ways]

    end_ns = chance.randint(1000, 60_000) * MS
    found = offset_between(burst(0), burst(end_ns))
    rounding_ns = 2
    for share in (0.2, 0.5, 0.9):
        assert abs(ahead_ns(round(share * end_ns)) - found.ahead_ns) <= found.bound_ns + rounding_ns


def test_offset_when_nothing_was_compared_then_it_is_not_known() -> None:
    with pytest.raises(ValueError, match="were not compared"):
        offset_between([trip(0, 1, 1, 0)], [])
