"""Drop plan: when members are dropped, which ones, in which way and for how long; all of it random, from the seed.

Drops are a Poisson process: they fall at any moment with the same chance, whatever has a period on the server or among
the senders, and so they see it as it is on average. Each kind of choice has a random stream of its own: what the server
does, and so who is there to be dropped, changes no later choice, and trials with the same seed are dropped at the same
times.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TypeVar

from loadtest.load import OFFLINE_SPREAD

Item = TypeVar("Item")

_SEED_BITS = 64


class DropPlan:
    """The choices of one generator, each drawn when it is asked for."""

    def __init__(self, stream: Callable[[str], Random], *, kinds: Sequence[str], offline: float) -> None:
        """Draw from the streams of these names; `offline` is the mean time away in s."""
        self._times = stream("times of drops")
        self._members = stream("members that are dropped")
        self._away = stream("times away")
        self._kinds = rounds(kinds, stream("kinds of drops"))
        self._offline = offline

    def gap_s(self, rate: float) -> float:
        """Return the seconds to the next moment of dropping, where there are `rate` a second."""
        return self._times.expovariate(1.0) / rate

    def in_random_order(self, members: Sequence[Item]) -> Iterator[Item]:
        """Return the members in a random order; the next call's does not depend on how many of them were taken."""
        return shuffled(members, Random(self._members.getrandbits(_SEED_BITS)))

    def kind(self) -> str:
        """Return the next kind of drop."""
        return next(self._kinds)

    def away_s(self) -> float:
        """Return how long the next member stays away."""
        return self._offline * self._away.uniform(1 - OFFLINE_SPREAD, 1 + OFFLINE_SPREAD)


def rounds(kinds: Sequence[str], chance: Random) -> Iterator[str]:
    """Return the kinds without an end, round after round: each once a round, every round in an order of its own.

    So their counts differ by one at most, and none of them has a place that it always keeps.
    """
    while True:
        yield from chance.sample(kinds, len(kinds))


def shuffled(items: Sequence[Item], chance: Random) -> Iterator[Item]:
    """Return the items in a random order; takes time for those only that are looked at (Fisher and Yates)."""
    moved: dict[int, int] = {}
    for last in range(len(items) - 1, -1, -1):
        place = chance.randint(0, last)
        yield items[moved.get(place, place)]
        moved[place] = moved.get(last, last)
