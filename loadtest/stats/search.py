"""A search for the highest value at which a condition is kept, by trials that may come out either way near it.

Up by factors until the condition breaks, then halving the gap in logs. The rule is pure: from the trials so far to the
next value, or to what was found. It is the same upwards and downwards, so that chance moves the answer to neither side:

- One trial decides a value until the answer hangs on it.
- Both ends of the answer need two trials that agree. Where the first two do not, a third one decides.
- An end that is decided the other way then becomes the other end, and the search goes on.

Simulated in tests/unit/stats/test_search.py: what is found is on average within 1 % of the value that half of the
trials keep, for trials that scatter by 0 to 10 %. Rejected: a break that counts when it is confirmed and a pass that
counts at once finds the value that 3 of 10 trials keep, half a standard deviation too high.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

FACTOR: Final = 2.0
"""From one value to the next on the way up, and down where the first one breaks already."""
HALVINGS: Final = 8
"""Below the first value the search ends, at a 256th of it."""
DOUBLINGS: Final = 16
"""Above the first value it ends too: nothing that is measured carries 65,000 times as much."""
RIG_TRIES: Final = 3
"""Trials of one value that do not count, until it is taken as one that cannot be measured."""
DISTURBED_TRIES: Final = 5
"""Trials of one value that something else disturbed, until the search ends with nothing: no value is quieter."""
HOPELESS: Final = 2
"""Values that cannot be measured, the lower ones too, until the search ends with nothing."""
AGREEING: Final = 2
"""Trials that decide an end of the answer."""
MOST_TRIALS: Final = 60
"""Of one search; they take 10 to 20."""

Outcome = Literal["kept", "broken", "rig", "disturbed"]
"""Of one trial. The last two say nothing of what is measured: what measures was the limit, as it would be at any higher
value, or something that has nothing to do with the value came between."""
Kind = Literal["found", "at least", "below", "not known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One trial: the value, and whether the condition was kept."""

    value: float
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Where and how finely to search; `whole`: values are whole numbers."""

    first: float
    resolution: float
    """The ratio of the two ends of the answer, less 1."""
    whole: bool = False

    @property
    def lowest(self) -> float:
        """Return the value below which the search does not go."""
        return max(1.0, self.first / FACTOR**HALVINGS) if self.whole else self.first / FACTOR**HALVINGS

    @property
    def highest(self) -> float:
        """Return the value above which the search does not go."""
        return self.first * FACTOR**DOUBLINGS

    def is_narrow(self, kept: float, broken: float) -> bool:
        """Tell whether two ends are as near to each other as they need to be."""
        return broken <= kept * (1 + self.resolution) or (self.whole and broken - kept <= 1)

    def rounded(self, value: float) -> float:
        """Return a value that can be tried."""
        return float(max(1, round(value))) if self.whole else float(f"{value:.5g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a search found: the highest value that was kept, and the lowest that was not; None: there is none.

    found: both. at least: nothing higher can be measured. below: even the lowest value broke. not known: nothing could
    be measured.
    """

    kind: Kind
    kept: float | None
    broken: float | None

    @property
    def middle(self) -> float | None:
        """Return the value between both ends, the likeliest; None where one is missing."""
        return sqrt(self.kept * self.broken) if self.kind == "found" and self.kept and self.broken else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tally:
    kept: int
    broken: int
    rig: int
    disturbed: int

    @property
    def outcome(self) -> Outcome | None:
        """What the trials of the value say; None where they do not yet."""
        if self.kept != self.broken:
            return "kept" if self.kept > self.broken else "broken"
        return "rig" if not self.kept and self.rig >= RIG_TRIES else None

    @property
    def is_sure(self) -> bool:
        return max(self.kept, self.broken) >= AGREEING or self.rig >= RIG_TRIES

    @property
    def is_hopeless(self) -> bool:
        return self.disturbed >= DISTURBED_TRIES


def next_value(tried: Sequence[Tried], limits: Range) -> float | Ended:
    """Return the value to try next, or what was found."""
    if not tried:
        return limits.rounded(limits.first)
    tallies = {value: _tally(value, tried) for value in sorted({one.value for one in tried})}
    if len(tried) >= MOST_TRIALS:
        return _as_it_stands(tallies)
    if any(tally.is_hopeless for tally in tallies.values()):
        return Ended(kind="not known", kept=_ends(tallies)[0], broken=None)
    if (unsure := tried[-1].value) and tallies[unsure].outcome is None:
        return unsure
    kept, over = _ends(tallies)
    if over is None:
        return _up(kept, tallies, limits)
    if kept is None:
        return _down(over, tallies, limits)
    if not limits.is_narrow(kept, over):
        return limits.rounded(sqrt(kept * over))
    unsure_ends = [value for value in (kept, over) if not tallies[value].is_sure]
    return unsure_ends[0] if unsure_ends else _answer(kept, over, tallies)


def _tally(value: float, tried: Iterable[Tried]) -> _Tally:
    outcomes = [one.outcome for one in tried if one.value == value]
    return _Tally(
        kept=outcomes.count("kept"),
        broken=outcomes.count("broken"),
        rig=outcomes.count("rig"),
        disturbed=outcomes.count("disturbed"),
    )


def _ends(tallies: dict[float, _Tally]) -> tuple[float | None, float | None]:
    """Return the highest value that is kept below the lowest that is not, and that one."""
    over = min((value for value, tally in tallies.items() if tally.outcome in ("broken", "rig")), default=None)
    below = [value for value, tally in tallies.items() if tally.outcome == "kept" and (over is None or value < over)]
    return max(below, default=None), over


def _up(kept: float | None, tallies: dict[float, _Tally], limits: Range) -> float | Ended:
    assert kept is not None, "a trial was kept, or broke, or is to be repeated"
    higher = limits.rounded(kept * FACTOR)
    if higher <= limits.highest:
        return higher
    return Ended(kind="at least", kept=kept, broken=None) if tallies[kept].is_sure else kept


def _down(over: float, tallies: dict[float, _Tally], limits: Range) -> float | Ended:
    if sum(tally.outcome == "rig" for tally in tallies.values()) >= HOPELESS:
        return Ended(kind="not known", kept=None, broken=None)
    if over > limits.rounded(limits.lowest):
        return max(limits.rounded(over / FACTOR), limits.rounded(limits.lowest))
    if not tallies[over].is_sure:
        return over
    return Ended(kind="below" if tallies[over].outcome == "broken" else "not known", kept=None, broken=over)


def _answer(kept: float, over: float, tallies: dict[float, _Tally]) -> Ended:
    if tallies[over].outcome == "rig":
        return Ended(kind="at least", kept=kept, broken=None)
    return Ended(kind="found", kept=kept, broken=over)


def _as_it_stands(tallies: dict[float, _Tally]) -> Ended:
    """Where a search does not come to an end: the highest value that was kept below all that were not."""
    kept, _ = _ends(tallies)
    return Ended(kind="not known" if kept is None else "at least", kept=kept, broken=None)
