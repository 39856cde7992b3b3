"""The contract: what one side writes the other reads, and what is no answer is refused with what came."""

from __future__ import annotations

import pytest

from loadtest.contract import (
    Answer,
    AnswerError,
    Identity,
    ProcessResidue,
    Question,
    Status,
    read_answer,
    write_answer,
    write_refusal,
)

ANSWERS = (
    Status(pid=7, open=3),
    Identity(pid=7, python="3.12.1", packages={"django": "5.2.8"}, layer="", database="sqlite 3.40.1"),
    ProcessResidue(
        pid=7, groups={"room": ["a", "b"]}, busy={1 << 60: "websocket.receive"}, unknown={"fds": "no /proc"}
    ),
)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_answer_when_written_then_the_other_side_reads_the_same(answer: Answer) -> None:
    line = write_answer(answer)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert read_answer(line, type(answer)) == answer


LATER = b'{"pid": 1, "open": 2, "ours": 1, "ledger": "", "invented later": 3}'


def test_answer_when_it_says_more_than_is_known_then_the_rest_is_left_out() -> None:
    assert read_answer(LATER, Status) == Status(pid=1, open=2, ours=1)


@pytest.mark.parametrize("line", [b"", b"[]", b"null", b"{", b'{"pid": 1}'])
def test_answer_when_it_is_none_then_what_came_is_quoted(line: bytes) -> None:
    with pytest.raises(AnswerError, match="not the answer asked for") as refused:
        read_answer(line, Status)
    assert repr(line[:200]) in str(refused.value)


def test_answer_when_it_is_a_refusal_then_its_reason_is_passed_on() -> None:
    with pytest.raises(AnswerError, match=r"^not answered: no such question$"):
        read_answer(write_refusal("no such question"), Status)


@pytest.mark.parametrize("package", ["channels-redis", "channels_redis", "Channels.Redis"])
def test_identity_when_asked_for_a_version_then_any_way_to_write_the_package_will_do(package: str) -> None:
    told = Identity(pid=7, python="3.12.1", packages={"channels-redis": "4.3.0"}, layer="", database="")
    assert told.version_of(package) == "4.3.0"
    assert told.version_of("daphne") == "of unknown version"


def test_questions_when_written_then_each_is_one_word() -> None:
    assert {question.value for question in Question} == {"status", "residue", "look", "identity"}
