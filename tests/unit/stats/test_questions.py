"""Questions decided together: what each may claim, and of which part."""

from __future__ import annotations

import pytest

from loadtest.stats.difference import UNKNOWN, Difference, mean_of
from loadtest.stats.questions import Question, decide


def question(*estimates: float, error: float = 0.1, matters: float = 0.1) -> Question:
    parts = [Difference(estimate=estimate, error=error, df=6, rounds=4) for estimate in estimates]
    return Question(whole=mean_of(parts), parts=parts, matters=matters)


def test_question_when_it_is_decided_of_all_then_its_parts_are_asked() -> None:
    (found,) = decide([question(0.6, 0.7, 0.0)])
    assert found.whole == "higher"
    assert found.parts == ("higher", "higher", "not decided")


def test_question_when_it_is_not_decided_of_all_then_no_part_is() -> None:
    (found,) = decide([question(0.6, -0.6, 0.0)])
    assert (found.whole, set(found.parts)) == ("not decided", {"not decided"})
    assert found.seeable == pytest.approx((2.101 + 0.862) * 0.1 / 3**0.5, rel=0.01)


def test_question_when_it_has_one_part_then_that_has_the_answer_of_the_whole() -> None:
    (found,) = decide([question(-0.6)])
    assert (found.whole, found.parts) == ("lower", ("lower",))


def test_question_when_the_difference_is_shown_not_to_matter_then_they_are_the_same() -> None:
    (found,) = decide([question(0.01, 0.01, 0.02, error=0.01)])
    assert (found.whole, found.parts) == ("same", ("same", "same", "same"))


def test_questions_when_there_are_many_then_each_has_a_smaller_chance_to_be_wrong() -> None:
    one = question(0.31)
    (alone,) = decide([one])
    among = decide([one] * 10)
    assert (alone.whole, {found.whole for found in among}) == ("higher", {"not decided"})
    assert among[0].p == pytest.approx(10 * alone.p)
    assert among[0].seeable > alone.seeable


def test_question_when_nothing_is_known_then_nothing_is_decided() -> None:
    (found,) = decide([Question(whole=UNKNOWN, parts=[UNKNOWN], matters=0.1)])
    assert (found.whole, found.p, found.seeable) == ("not decided", 1.0, float("inf"))
    assert decide([]) == []
