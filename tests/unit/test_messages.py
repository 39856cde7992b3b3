"""Messages: what is encoded is decoded, however an app spells it, and what is not ours is none of ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadtest.ledger.record import message_id
from loadtest.load import SMALLEST_PAYLOAD
from loadtest.users.messages import Message, decode, encoder, padding

connections = st.builds(
    lambda generator, number: generator << 24 | number, st.integers(1, 255), st.integers(1, 2**24 - 1)
)
messages = st.builds(
    Message,
    st.builds(message_id, connections, st.integers(1, 2**32 - 1)),
    st.integers(0, 2**64 - 1),
)  # fmt: skip
sizes = st.integers(SMALLEST_PAYLOAD, 300)


def text_of(message: Message, size: int = SMALLEST_PAYLOAD) -> str:
    return encoder(padding(size))(message.identity, message.planned_ns)


@given(messages, sizes)
def test_message_when_it_comes_back_as_it_was_then_it_is_the_same(message: Message, size: int) -> None:
    assert decode(text_of(message, size)) == message


@given(messages, sizes)
def test_message_when_encoded_then_it_has_the_size_asked_for_and_is_json(message: Message, size: int) -> None:
    text = text_of(message, size)
    assert len(text.encode()) == size
    assert list(json.loads(text)) == ["message"]


@given(
    messages,
    sizes,
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]),
    st.sampled_from([None, 2, "\t"]),
    st.dictionaries(st.sampled_from(["type", "user", "a"]), st.text(max_size=5), max_size=2),
)
def test_message_when_the_app_spells_it_otherwise_then_it_is_the_same(
    message: Message, size: int, separators: tuple[str, str], indent: int | str | None, others: dict[str, str]
) -> None:
    value = json.loads(text_of(message, size))["message"]
    text = json.dumps({**others, "message": value}, separators=separators, indent=indent)
    assert decode(text) == message
    assert decode(text.encode()) == message


@given(messages, sizes)
def test_message_when_it_comes_back_as_bytes_then_it_is_the_same(message: Message, size: int) -> None:
    assert decode(text_of(message, size).encode()) == message


@given(st.one_of(st.text(), st.binary()))
@example("")
@example(b"")
@example("[" * 100_000)
@example(b"\xff\xfe\x00")
@example('{"message": "')
@example('{"message": "' + "x" * 32 + '"}')
@example('{"message": "-1234567890123456789012345678901"}')
@example('{"message": "+1234567890123456789012345678901"}')
@example('{"message": "cafe"}')
@example('{"message": "00000000000000000000000000000000"}')
@example('{"message": 5}')
@example('{"message": null}')
@example('{"message": ["a"]}')
@example('{"message": {}}')
@example('["message"]')
@example('{"message": "\\ud800"}')
@example("\ud800" * 60)
def test_decode_when_given_anything_then_it_returns_none_or_a_number_that_a_record_holds(text: str | bytes) -> None:
    message = decode(text)
    if message is not None:
        assert 0 < message.identity < 2**64
        assert 0 <= message.planned_ns < 2**64


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        '{"message": "hello, this is a person typing a rather long text"}',
        '{"message": "cafe"}',  # hexadecimal, but no number of ours
        '{"message": "-1234567890123456789012345678901"}',
        '{"type": "welcome"}',
        "[" * 100_000,
        b"\x00" * 100,
    ],
)
def test_decode_when_the_text_is_not_ours_then_it_is_none(text: str | bytes) -> None:
    assert decode(text) is None


def test_padding_when_less_than_the_smallest_is_asked_for_then_it_is_still_a_message() -> None:
    assert json.loads(text_of(Message(1 << 56, 5), 10))
