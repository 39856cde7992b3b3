"""permessage-deflate: what a server may answer, and its streams against the websockets library."""

from __future__ import annotations

import random
import zlib

import pytest
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from loadtest.wire.deflate import Agreement, Deflate, agreed
from loadtest.wire.errors import HandshakeInvalid, MessageTooBig, ProtocolError
from loadtest.wire.frames import encode_compressed
from loadtest.wire.parser import Parser
from tests.unit.wire import corpus, oracle

LIMIT = corpus.LIMIT


@pytest.mark.parametrize(
    ("answer", "agreement"),
    [
        ("permessage-deflate", Agreement()),
        ("permessage-deflate; server_no_context_takeover", Agreement(server_keeps_context=False)),
        (
            'permessage-deflate; server_max_window_bits=8; client_max_window_bits="12"; client_no_context_takeover',
            Agreement(server_bits=8, client_bits=12, client_keeps_context=False),
        ),
    ],
)
def test_agreed_when_the_answer_is_allowed_reads_it(answer: str, agreement: Agreement) -> None:
    assert agreed(answer) == agreement


@pytest.mark.parametrize(
    "answer",
    [
        "x-webkit-deflate-frame",
        "permessage-deflate; unheard_of",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=8",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate, permessage-deflate",
    ],
)
def test_agreed_when_the_answer_was_not_offered_is_refused(answer: str) -> None:
    with pytest.raises(HandshakeInvalid):
        agreed(answer)


@pytest.mark.parametrize("keeps_context", [True, False])
def test_encode_compressed_when_read_by_the_librarys_server_gives_the_message_back(keeps_context: bool) -> None:
    ours = Deflate(Agreement(client_keeps_context=keeps_context, client_bits=10))
    theirs = PerMessageDeflate(not keeps_context, False, 10, 15)
    messages: list[str | bytes] = ["", "hello", "hello", "☃" * 5000, b"\x00\xff" * 300]
    for message in messages:
        (frame,) = oracle.server_reads(encode_compressed(message, ours), extensions=[theirs])
        assert bytes(frame.data) == (message.encode() if isinstance(message, str) else message)


@pytest.mark.parametrize("keeps_context", [True, False])
def test_parser_when_messages_are_compressed_agrees_with_the_library(keeps_context: bool) -> None:
    agreement = Agreement(server_keeps_context=keeps_context)
    for seed in range(60):
        choice = random.Random(seed)
        data = compressed_stream(choice, keeps_context)
        parser = Parser(LIMIT, Deflate(agreement))
        events = [event for piece in corpus.pieces(choice, data) for event in parser.feed(piece)]
        judge = PerMessageDeflate(not keeps_context, False, 15, 15)
        assert oracle.told(events) == oracle.judged(data, LIMIT, extensions=[judge]), f"seed {seed}"


def compressed_stream(choice: random.Random, keeps_context: bool) -> bytes:
    """Messages as a compressing server sends them: some as they are, some in fragments, at times a wrong one."""
    squeeze = PerMessageDeflate(False, not keeps_context, 15, 15)
    pieces: list[bytes] = []
    for _ in range(20):
        opcode, payload = corpus.content(choice)
        if choice.random() < 0.2:
            pieces.append(corpus.frame(0x80 | opcode, payload))
            continue
        data = bytes(squeeze.encode(Frame(Opcode(opcode), payload)).data)
        cut = choice.randrange(len(data) + 1)
        if choice.random() < 0.5:
            pieces.append(corpus.frame(0xC0 | opcode, data))
        else:
            pieces += [corpus.frame(0x40 | opcode, data[:cut]), corpus.control(choice), corpus.frame(0x80, data[cut:])]
    if choice.random() < 0.5:
        pieces.append(choice.choice(WRONG))
    return b"".join(pieces)


def squeezed(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


WRONG = (
    corpus.frame(0xC1, b"\x06 this is no deflate block"),
    corpus.frame(0xC9, b"a compressed ping"),
    corpus.frame(0xE1, squeezed(b"RSV2 too")),
    corpus.frame(0x41, b"") + corpus.frame(0xC0, b"\x00"),
    corpus.frame(0xC1, squeezed(b"\xff\xff")),
    corpus.frame(0xC2, squeezed(bytes(LIMIT + 1))),
)


def test_decompress_when_it_is_a_bomb_makes_no_more_than_the_limit() -> None:
    stream = zlib.compressobj(9, wbits=-15)
    bomb = stream.compress(bytes(1 << 26)) + stream.flush(zlib.Z_SYNC_FLUSH)
    with pytest.raises(MessageTooBig):
        Deflate(Agreement()).decompress(bomb[:-4], LIMIT)


def test_decompress_when_exactly_at_the_limit_gives_the_message() -> None:
    for size in (LIMIT - 1, LIMIT):
        assert Deflate(Agreement()).decompress(squeezed(b"x" * size), LIMIT) == b"x" * size


def test_decompress_when_it_is_no_deflate_stream_says_so() -> None:
    with pytest.raises(ProtocolError) as raised:
        Deflate(Agreement()).decompress(b"\x06nonsense", LIMIT)
    assert raised.value.code == 1002


def test_decompress_when_the_server_ends_its_stream_begins_a_new_one() -> None:
    """A last block with its final bit set is allowed (RFC 7692 7.2.3.4)."""
    stream = zlib.compressobj(wbits=-15)
    final = stream.compress(b"Hello") + stream.flush(zlib.Z_FINISH)
    deflate = Deflate(Agreement())
    assert deflate.decompress(final + b"\x00", LIMIT) == b"Hello"
    assert deflate.decompress(squeezed(b"again"), LIMIT) == b"again"
