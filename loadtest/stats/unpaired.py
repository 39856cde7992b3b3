"""Two runs compared: their trials have nothing in common, so what each of them varies by is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, isnan, log, log1p, nan, sqrt
from statistics import fmean, median
from typing import Final, Protocol

import numpy as np

from loadtest.stats.difference import Difference
from loadtest.stats.holm import holm
from loadtest.stats.interval import LEVEL, Interval, exp_of, satterthwaite
from loadtest.stats.paired import Verdict
from loadtest.stats.share import Counts, counts_of, design_effect, df_of, difference_of, share_of
from loadtest.stats.share_sameness import Stratum, p_of_same, side_of
from loadtest.stats.vague import as_ratio

MOST_DIVISIONS: Final = 20_000
"""Ranks are exact up to 8 trials in each run, which can be divided in 12,870 ways; of more, that many are drawn."""


class Contrast(Protocol):
    """What one figure of a run is beside the same figure of another run."""

    @property
    def matters(self) -> float:
        """The smallest difference that matters, as a share: 0.05 is 5 %, or 5 points for a share."""

    @property
    def is_higher(self) -> bool:
        """Whether the first is above the second."""

    def interval(self, *, level: float = LEVEL) -> Interval:
        """Return what the two differ by."""

    def p_of_difference(self) -> float:
        """Return the chance of such a difference between equals."""

    def p_of_sameness(self) -> float:
        """Return the chance of such sameness where the difference is one that matters."""

    def seeable(self, *, comparisons: int = 1, level: float = LEVEL) -> float:
        """Return the smallest difference, as a share, that is seen in POWER of the cases; infinite for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a family of comparisons says of one of them."""

    verdict: Verdict
    difference: Interval
    """A ratio, or a difference of shares; for itself at its level, not corrected for the number of comparisons."""
    p: float
    """The chance of such a difference between equals, after Holm's correction over the family."""
    p_same: float
    """The chance of such sameness where the difference is one that matters, corrected likewise."""
    matters: float
    seeable: float
    """The smallest difference that would have been seen, as a share; infinite where none would."""


def judge(family: Sequence[Contrast], *, level: float = LEVEL) -> list[Judged]:
    """Judge all comparisons of a family together, in their order.

    "same": shown to differ by less than what matters. "higher", "lower": the first is shown to be above, or below.
    Each of the two claims is false for one comparison or more of the family in at most 1 - level of runs (Holm). All
    else is "not decided", and `seeable` says what would have been seen.

    Simulated, 30 comparisons of equals a pair of runs, 3, 5 and 10 trials: a false "higher" or "lower" of a ratio in
    1.5, 2.8 and 3.0 % of 2,000 pairs whose noise (1 to 20 %) is the same in both runs, in 5.9, 5.2 and 4.5 % where
    it may differ 20-fold; of a share in 0 and 0.3 % of 1,000 pairs with 3 and 5 trials of 67.
    """
    different = holm([one.p_of_difference() for one in family])
    same = holm([one.p_of_sameness() for one in family])
    return [
        Judged(
            verdict=_verdict(one, p, p_same, 1 - level),
            difference=one.interval(level=level),
            p=p,
            p_same=p_same,
            matters=one.matters,
            seeable=one.seeable(comparisons=len(family), level=level),
        )
        for one, p, p_same in zip(family, different, same, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Times or rates of the trials of two runs, in any unit: the first over the second.

    Welch's t test of the logs (Biometrika 34, 1947): the two may differ in their noise and in their number of trials.
    A 0 or an infinite figure (what never came) has no log: then the ranks decide (Mann and Whitney, Annals of
    Mathematical Statistics 18, 1947), the ratio is that of the medians, and no limit of it is known.

    Simulated coverage at 0.95 with 3, 5 and 10 trials, 20,000 pairs of runs each: 96.5, 95.8 and 95.1 % where both
    have noise of 5 %, 94.4, 94.8 and 95.1 % where one has 20 %; 93.5 % with 3 trials beside 10.
    """

    one: tuple[float, ...]
    other: tuple[float, ...]
    matters: float

    @property
    def is_higher(self) -> bool:
        return self._estimate > 1

    def interval(self, *, level: float = LEVEL) -> Interval:
        """Return the ratio of the geometric means, exp(difference of means -+ t standard errors) of the logs."""
        trials = min(len(self.one), len(self.other))
        if (gap := self._gap) is None:
            return as_ratio(Interval(estimate=self._estimate, low=0.0, high=inf, level=level, of=trials))
        return as_ratio(replace(gap.interval(level=level).exp(), of=trials))

    def p_of_difference(self) -> float:
        """Return the chance of such a ratio, or one further from 1, between equals."""
        if (gap := self._gap) is not None:
            return gap.p_of_difference()
        return 1.0 if self._has_logs or not self._has_spread else _p_of_ranks(self.one, self.other)

    def p_of_sameness(self) -> float:
        """Return the larger p value of two one-sided t tests, of a ratio below 1 + matters and one above 1 / that."""
        gap = self._gap
        return 1.0 if gap is None else gap.p_of_sameness(log1p(self.matters))

    def seeable(self, *, comparisons: int = 1, level: float = LEVEL) -> float:
        """Return the smallest difference that such a spread shows in POWER of the cases."""
        gap = self._gap
        return inf if gap is None else exp_of(gap.seeable(alpha=(1 - level) / comparisons)) - 1

    @property
    def _has_spread(self) -> bool:
        """One trial shows no spread, so nothing can be said of it."""
        return min(len(self.one), len(self.other)) > 1

    @property
    def _has_logs(self) -> bool:
        return all(isfinite(value) and value > 0 for value in (*self.one, *self.other))

    @property
    def _estimate(self) -> float:
        """The ratio, also where it has no limits."""
        if not (self.one and self.other):
            return nan
        if not self._has_logs:
            return _over(median(self.one), median(self.other))
        return exp_of(fmean(map(log, self.one)) - fmean(map(log, self.other)))

    @property
    def _gap(self) -> Difference | None:
        if not (self._has_logs and self._has_spread):
            return None
        logs = [[log(value) for value in values] for values in (self.one, self.other)]
        means = [fmean(values) for values in logs]
        squares = [
            sum((value - mean) ** 2 for value in values) / ((len(values) - 1) * len(values))
            for values, mean in zip(logs, means, strict=True)
        ]
        return _gap_of(means, squares, [len(values) - 1 for values in logs])


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareDifference:
    """Counts of the trials of two runs, (events, of what could be) each: the first share less the second, -1 to 1.

    Interval: `difference_of` two shares. Sameness: `p_of_same`. Test of a difference: its t with the variances of
    Agresti and Caffo (one event and one other added to each run, American Statistician 54, 2000) times each run's
    design effect, if above 1, and the degrees of freedom of both (`df_of`, Satterthwaite). With one trial nothing is
    decided.

    Simulated, 3, 5 and 10 trials of 67 and 200, shares of 0.5 to 50 %, deff 1 to 5: a false difference at 5 % in 0 to
    4.9 % of 3,000 pairs of runs. Rejected: the level at which `difference_of` just holds 0 (none in 400 runs of 30
    comparisons, so it sees little); the test's own interval (it holds 86 % where 0.5 % of one run have deff 5).
    """

    one: tuple[tuple[int, int], ...]
    other: tuple[tuple[int, int], ...]
    matters: float

    @property
    def is_higher(self) -> bool:
        return self.interval().estimate > 0

    def interval(self, *, level: float = LEVEL) -> Interval:
        """Return the difference of the shares; its estimate is NaN where one of them is of nothing."""
        first, second = (share_of(*_columns(counts), level=level) for counts in (self.one, self.other))
        return difference_of(first, second)

    def p_of_difference(self) -> float:
        """Return the chance of such a difference, or a larger one, between equals."""
        gap = self._gap
        return 1.0 if gap is None else gap.p_of_difference()

    def p_of_sameness(self) -> float:
        """Return the chance of shares as close as these, where they differ by what matters: see `p_of_same`."""
        if self._gap is None:
            return 1.0
        one, other = (side_of(*counts_of(*_columns(counts))) for counts in (self.one, self.other))
        return p_of_same([Stratum(one=one, other=other)], self.matters)

    def seeable(self, *, comparisons: int = 1, level: float = LEVEL) -> float:
        """Return the smallest difference that is seen in POWER of the cases."""
        gap = self._gap
        return inf if gap is None else gap.seeable(alpha=(1 - level) / comparisons)

    @property
    def _gap(self) -> Difference | None:
        trials = [[(events, of) for events, of in counts if of] for counts in (self.one, self.other)]
        if min(map(len, trials)) < 2:
            return None
        columns = [tuple(np.array(column) for column in _columns(counts)) for counts in trials]
        shares = [float(events.sum() / of.sum()) for events, of in columns]
        squares = [_square(events, of) for events, of in columns]
        return _gap_of(shares, squares, [df_of(events, of) for events, of in columns])


def _gap_of(means: Sequence[float], squares: Sequence[float], dfs: Sequence[int]) -> Difference:
    """The gap between two means whose standard errors have these squares and degrees of freedom (Satterthwaite)."""
    df = satterthwaite(list(zip(squares, dfs, strict=True)))
    return Difference(estimate=means[0] - means[1], error=sqrt(sum(squares)), df=df)


def _square(events: Counts, of: Counts) -> float:
    """The square of the standard error of a share."""
    total = int(of.sum())
    share = (int(events.sum()) + 1) / (total + 2)
    deff = design_effect(events, of)
    return (1.0 if isnan(deff) else max(1.0, deff)) * share * (1 - share) / (total + 2)


def _p_of_ranks(one: Sequence[float], other: Sequence[float]) -> float:
    """The two-sided p value of the ranks of two groups, ties included."""
    from scipy.stats import PermutationMethod, mannwhitneyu  # here: seldom needed, and slow to import

    method = PermutationMethod(n_resamples=MOST_DIVISIONS, rng=0)
    return float(mannwhitneyu(one, other, method=method).pvalue)


def _columns(counts: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [events for events, _ in counts], [of for _, of in counts]


def _over(one: float, other: float) -> float:
    """A ratio of which either may be 0 or infinite."""
    if one == other:
        return 1.0
    return inf if other == 0 or one == inf else one / other


def _verdict(one: Contrast, p: float, p_same: float, alpha: float) -> Verdict:
    """A difference that is shown, and shown not to matter, is sameness."""
    if p_same <= alpha:
        return "same"
    if p <= alpha:
        return "higher" if one.is_higher else "lower"
    return "not decided"
