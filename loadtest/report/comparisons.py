"""The answers to what is asked of a run: each difference with its interval, and what was decided of all together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log1p
from statistics import fmean

from loadtest.checks.throughput.overload import not_comparable
from loadtest.dimensions import DROP
from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.share import Part, counts_of
from loadtest.report.manifest import Manifest
from loadtest.report.questions import LATE, Asked, Pair, asked_of
from loadtest.stats.difference import UNKNOWN, Difference, mean_of, of_ratio
from loadtest.stats.interval import Interval, exp_of
from loadtest.stats.paired import Paired, paired
from loadtest.stats.questions import Question, Verdicts, decide
from loadtest.stats.share_difference import mean_of_shares, of_shares
from loadtest.stats.vague import as_points, as_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A question, how much the two differ over all places and on each, and what was decided."""

    asked: Asked
    whole: Difference
    parts: tuple[Difference, ...]
    verdicts: Verdicts

    @property
    def interval(self) -> Interval:
        """The ratio of the first to the other, or the points between them; not corrected for how many are asked."""
        return shown(self.asked, self.whole)

    @property
    def seeable(self) -> float:
        """The smallest difference that would have been seen: 0.1 is 10 %, or 10 points of shares."""
        found = self.verdicts.seeable
        return found if self.asked.metric.is_share else exp_of(found) - 1


def comparisons_of(evidence: Evidence, manifest: Manifest) -> tuple[Comparison, ...]:
    """All that is asked of a run, decided together."""
    asked = asked_of(evidence, manifest)
    questions = [_question(one) for one in asked]
    return tuple(
        Comparison(asked=one, whole=question.whole, parts=tuple(question.parts), verdicts=verdicts)
        for one, question, verdicts in zip(asked, questions, decide(questions), strict=True)
    )


def shown(asked: Asked, difference: Difference) -> Interval:
    """A difference as it is shown: a ratio, or points as shares from -1 to 1."""
    found = difference.interval()
    if asked.metric.is_share:
        return as_points(replace(found, low=max(found.low, -1.0), high=min(found.high, 1.0)))
    return as_ratio(found.exp())


def _question(asked: Asked) -> Question:
    figure = asked.metric.figure
    if isinstance(figure, Part):
        counts = [(counts_of(pair.one, figure), counts_of(pair.other, figure)) for pair in asked.pairs]
        return Question(
            whole=mean_of_shares(counts), parts=[of_shares(*pair) for pair in counts], matters=asked.metric.matters
        )
    parts = [UNKNOWN if why_not(asked, pair) else of_ratio(_paired(pair, figure)) for pair in asked.pairs]
    return Question(whole=mean_of(parts), parts=parts, matters=log1p(asked.metric.matters))


def why_not(asked: Asked, pair: Pair) -> str:
    """Why the two are not compared at a place: an overloaded server's latency is that of its queue; "": they are."""
    if asked.metric is not LATE:
        return ""
    of = {asked.one: pair.one, asked.other: pair.other}
    reasons = [not_comparable({name: cell}) for name, cells in of.items() for cell in cells]
    return next(filter(None, reasons), "")


def _paired(pair: Pair, figure: Column[float]) -> Paired:
    """By round; where kinds of drop have trials of their own, the mean of the kinds that both have in the round."""
    kinds = [(one, other) for one in pair.one for other in pair.other if _differ_by_consumer(one, other)]
    by_kind = [_logs(one, other, figure) for one, other in kinds]
    if not all(by_kind):
        return Paired(logs=())
    numbers = sorted({number for logs in by_kind for number in logs})
    return Paired(logs=tuple(fmean(logs[number] for logs in by_kind if number in logs) for number in numbers))


def _differ_by_consumer(one: Cell, other: Cell) -> bool:
    return one.key[DROP] == other.key[DROP]


def _logs(one: Cell, other: Cell, figure: Column[float]) -> dict[int, float]:
    """The log of the ratio in each round; of none where one of the ratios has no log."""
    first, second = one.by_round(figure), other.by_round(figure)
    return dict(zip(sorted(first.keys() & second.keys()), paired(first, second).logs, strict=False))
