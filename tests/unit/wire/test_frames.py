"""The codec, case by case and against the websockets library as the oracle."""

from __future__ import annotations

import itertools
import os
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadtest.wire.errors import MessageTooBig, ProtocolError
from loadtest.wire.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    Close,
    Parsed,
    Ping,
    Pong,
    build,
    close_frame,
    encode,
)
from loadtest.wire.parser import Parser
from tests.unit.wire import corpus, oracle
from tests.unit.wire.corpus import frame

SOAK = bool(os.environ.get("LOADTEST_SOAK"))
CORPUS_FRAMES = 1_000_000 if SOAK else 20_000
FRAMES_A_STREAM = 40


def parsed(*pieces: bytes, limit: int = corpus.LIMIT) -> list[Parsed]:
    parser = Parser(limit)
    return [event for piece in pieces for event in taken(parser, piece)]


def taken(parser: Parser, piece: bytes) -> list[Parsed]:
    """What the pump gets out of a piece: by the short way where that is open."""
    text = parser.short_text(piece)
    return parser.feed(piece) if text is None else [text]


def only_error(*pieces: bytes, limit: int = corpus.LIMIT) -> ProtocolError:
    events = parsed(*pieces, limit=limit)
    error = events[-1]
    assert isinstance(error, ProtocolError), events
    return error


def test_parser_when_several_frames_come_in_one_piece_gives_them_in_order() -> None:
    data = frame(0x81, b"one") + frame(0x82, b"\x00") + frame(0x89, b"p") + frame(0x8A, b"") + frame(0x81, b"")
    assert parsed(data) == ["one", b"\x00", Ping(b"p"), Pong(b""), ""]


def test_parser_when_a_message_is_fragmented_gives_it_once_and_controls_between() -> None:
    data = frame(0x01, b"\xe2\x98") + frame(0x89, b"") + frame(0x00, b"\x83 sno") + frame(0x80, b"w")
    assert parsed(data) == [Ping(b""), "☃ snow"]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_parser_when_cut_anywhere_near_a_frames_ends_gives_the_same(length: int) -> None:
    data = frame(0x82, b"z" * length) + frame(0x81, b"next")
    for cut in {*range(min(20, len(data))), *range(max(0, len(data) - 20), len(data))}:
        assert parsed(data[:cut], data[cut:]) == [b"z" * length, "next"]


def test_parser_idle_when_something_is_held_is_false() -> None:
    parser = Parser()
    assert parser.idle
    parser.feed(b"\x81")
    assert not parser.idle
    parser.feed(b"\x00")
    assert parser.idle
    parser.feed(frame(0x01, b"begins"))
    assert not parser.idle
    parser.feed(frame(0x80, b""))
    assert parser.idle
    parser.feed(frame(0x88, b""))
    assert not parser.idle, "after a close frame nothing may take the short way"
    assert not Parser(100).idle, "a short frame may be too long for this limit"


def test_parser_when_closed_gives_nothing_more() -> None:
    parser = Parser()
    assert parser.feed(frame(0x88, b"\x0f\xa1why") + frame(0x81, b"late")) == [Close(4001, "why", b"\x0f\xa1why")]
    assert parser.feed(frame(0x81, b"later")) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(0x83, b""), 1002),
        (frame(0x8B, b""), 1002),
        (frame(0xC1, b""), 1002),
        (frame(0xA1, b""), 1002),
        (frame(0x91, b""), 1002),
        (frame(0x81, b"", masked=True), 1002),
        (frame(0x09, b""), 1002),
        (frame(0x89, b"p" * 126), 1002),
        (frame(0x80, b""), 1002),
        (frame(0x01, b"a") + frame(0x82, b"b"), 1002),
        (b"\x81\x7e\x00\x7d" + b"x" * 125, 1002),
        (b"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 1002),
        (b"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 1002),
        (frame(0x88, b"\x03"), 1002),
        (frame(0x88, b"\x03\xed"), 1002),
        (frame(0x88, b"\x03\xe8\xff"), 1007),
        (frame(0x81, b"\xc3\x28"), 1007),
        (frame(0x81, b"\xed\xa0\x80"), 1007),
        (b"\x82\x7f\x00\x00\x00\x00\x7f\xff\xff\xff", 1009),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else str(value),
)
def test_parser_when_a_rule_is_broken_gives_the_code_it_deserves(data: bytes, code: int) -> None:
    assert only_error(frame(0x81, b"before"), data).code == code
    assert only_error(*(data[i : i + 1] for i in range(len(data)))).code == code


def test_parser_when_a_message_is_too_big_stops_at_its_header_or_fragment() -> None:
    assert parsed(frame(0x82, b"x" * 200), limit=200) == [b"x" * 200]
    assert isinstance(only_error(frame(0x82, b"x" * 201)[:4], limit=200), MessageTooBig)
    assert isinstance(only_error(frame(0x81, b"x" * 101), limit=100), MessageTooBig)
    assert isinstance(only_error(frame(0x01, b"x" * 150), frame(0x00, b"x" * 51)[:2], limit=200), MessageTooBig)


def test_parser_when_empty_fragments_never_end_holds_nothing() -> None:
    parser = Parser()
    parser.feed(frame(0x02, b""))
    for _ in range(1000):
        assert parser.feed(frame(0x00, b"") * 100) == []
    assert parser.feed(frame(0x80, b"end")) == [b"end"]


@pytest.mark.parametrize("length", [0, 1, 3, 125, 126, 65535, 65536, 100_001])
def test_encode_when_read_by_the_librarys_server_gives_the_message_back(length: int) -> None:
    text, binary = "ü" * (length // 2) + "x" * (length % 2), os.urandom(length)
    sent = [encode(text), encode(binary), build(PING, b"p" * min(length, 125)), build(CONTINUATION, b"x", fin=True)]
    read = [oracle.server_reads(data) for data in sent[:3]]
    assert [(int(one.opcode), bytes(one.data)) for (one,) in read] == [
        (TEXT, text.encode()),
        (BINARY, binary),
        (PING, b"p" * min(length, 125)),
    ]


def test_encode_when_repeated_draws_a_new_key_for_each_frame() -> None:
    keys = {encode("x" * 20)[2:6] for _ in range(10_000)}
    assert len(keys) > 9_990


def test_close_frame_when_its_reason_is_too_long_is_refused() -> None:
    (read,) = oracle.server_reads(close_frame(4000, "é" * 61))
    assert (int(read.opcode), bytes(read.data)) == (CLOSE, b"\x0f\xa0" + "é".encode() * 61)
    assert bytes(oracle.server_reads(close_frame(None))[0].data) == b""
    with pytest.raises(ValueError, match="124 bytes"):
        close_frame(4000, "é" * 62)


def test_parser_when_given_the_seeded_corpus_agrees_with_the_library() -> None:
    frames_seen = 0
    stream_number = 0
    while frames_seen < CORPUS_FRAMES:
        choice = random.Random(stream_number)
        data = corpus.stream(choice, FRAMES_A_STREAM)
        events = parsed(*corpus.pieces(choice, data))
        assert oracle.told(events) == oracle.judged(data, corpus.LIMIT), f"stream {stream_number}"
        frames_seen += FRAMES_A_STREAM
        stream_number += 1


FRAMES = st.builds(
    frame,
    first=st.one_of(st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x88]), st.integers(0, 255)),
    payload=st.one_of(st.text(max_size=40).map(str.encode), st.binary(max_size=200)),
    masked=st.sampled_from([False] * 19 + [True]),
)


@settings(max_examples=2000 if SOAK else 150)
@example(frames=[frame(0x88, b"\0\0\xff")], cuts=[])  # wrong twice: the reason is looked at first
@given(frames=st.lists(FRAMES, max_size=8), cuts=st.lists(st.integers(0, 400), max_size=5))
def test_parser_when_given_any_frames_agrees_with_the_library(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    events = parsed(*(data[begin:end] for begin, end in itertools.pairwise(edges)))
    assert oracle.told(events) == oracle.judged(data, corpus.LIMIT)
