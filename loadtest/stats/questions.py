"""The questions that a run is asked, answered together: one run in twenty of equals has a false claim, not more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.stats.difference import Difference
from loadtest.stats.holm import holm
from loadtest.stats.interval import LEVEL
from loadtest.stats.paired import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whether one thing differs from another, over several parts (layers, say) and in each."""

    whole: Difference
    parts: Sequence[Difference]
    matters: float
    """The smallest difference that matters, in the unit of the differences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What was decided of one question."""

    whole: Verdict
    parts: tuple[Verdict, ...]
    p: float
    """Of the whole: the chance of such a difference between equals, corrected for the number of questions."""
    seeable: float
    """Of the whole: the smallest difference that would have been seen; infinite where none would."""


def decide(questions: Sequence[Question], *, level: float = LEVEL) -> list[Verdicts]:
    """Decide all questions of a run, in their order.

    Each of m questions has (1 - level) / m of the chance of a false claim. It is asked of all parts together first,
    and of single parts, with Holm's correction, only where that was decided. So a false "higher" or "lower" is among
    all that is said of equals in at most 1 - level of runs, and so is a false "same" (a gatekeeper: Westfall and
    Krishen, Journal of Statistical Planning and Inference 99, 2001).
    """
    alpha = (1 - level) / max(len(questions), 1)
    return [_decided(question, alpha, len(questions)) for question in questions]


def _decided(question: Question, alpha: float, questions: int) -> Verdicts:
    whole = _verdict(question.whole, question.whole.p_of_difference(), _p_same(question, question.whole), alpha)
    return Verdicts(
        whole=whole,
        parts=_of_parts(question, whole, alpha),
        p=min(1.0, question.whole.p_of_difference() * questions),
        seeable=question.whole.seeable(alpha=alpha),
    )


def _of_parts(question: Question, whole: Verdict, alpha: float) -> tuple[Verdict, ...]:
    parts = question.parts
    if whole == "not decided" or len(parts) == 1:
        return (whole,) * len(parts)
    different = holm([part.p_of_difference() for part in parts]) if whole != "same" else [1.0] * len(parts)
    same = holm([_p_same(question, part) for part in parts]) if whole == "same" else [1.0] * len(parts)
    return tuple(_verdict(part, p, p_same, alpha) for part, p, p_same in zip(parts, different, same, strict=True))


def _p_same(question: Question, difference: Difference) -> float:
    return difference.p_of_sameness(question.matters)


def _verdict(difference: Difference, p: float, p_same: float, alpha: float) -> Verdict:
    """A difference that is shown, and shown not to matter, is sameness."""
    if p_same <= alpha:
        return "same"
    if p <= alpha:
        return "higher" if difference.estimate > 0 else "lower"
    return "not decided"
