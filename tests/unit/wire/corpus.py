"""Streams of server frames, right ones and wrong ones, from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

LIMIT = 100_000
TEXTS = ("", "a", "hello world", "naïve ☃", "🜚" * 31, "x" * 125, "x" * 126, "{" + '"k":1,' * 30 + "}")
WORDS = b"abcdefghijklmnopqrstuvwxyz" * 4000
WRONG_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)


def frame(first: int, payload: bytes, *, masked: bool = False) -> bytes:
    """A frame as a server sends it."""
    length = len(payload)
    mask = 0x80 if masked else 0
    if length < 126:
        head = bytes((first, mask | length))
    elif length < 65536:
        head = bytes((first, mask | 126)) + length.to_bytes(2)
    else:
        head = bytes((first, mask | 127)) + length.to_bytes(8)
    return head + (b"\0\0\0\0" if masked else b"") + payload


def stream(choice: random.Random, frames: int) -> bytes:
    """About so many frames; one stream in three ends with a wrong one, one in six with a close frame."""
    pieces: list[bytes] = []
    while len(pieces) < frames:
        pieces += message(choice)
    ending = choice.random()
    if ending < 1 / 3:
        pieces.insert(choice.randrange(len(pieces) + 1), wrong(choice))
    elif ending < 1 / 2:
        code = choice.choice((1000, 1001, 1011, 3000, 4999))
        reason = choice.choice(("", "going away", "☃")).encode()
        pieces.append(choice.choice((frame(0x88, b""), frame(0x88, code.to_bytes(2) + reason))))
    return b"".join(pieces)


def message(choice: random.Random) -> Iterator[bytes]:
    """The frames of one message, whole or in fragments with control frames between them."""
    if choice.random() < 0.1:
        yield control(choice)
    opcode, payload = content(choice)
    if choice.random() < 0.7:
        yield frame(0x80 | opcode, payload)
        return
    cuts = sorted(choice.randrange(len(payload) + 1) for _ in range(choice.randrange(1, 5)))
    for begin, end in zip([0, *cuts], cuts, strict=False):
        yield frame(opcode, payload[begin:end])
        opcode = 0
        if choice.random() < 0.2:
            yield control(choice)
    yield frame(0x80, payload[cuts[-1] :])


def content(choice: random.Random) -> tuple[int, bytes]:
    if choice.random() < 0.6:
        return 1, choice.choice(TEXTS).encode()
    length = choice.choice((0, 1, 64, 125, 126, 127, 1000, 65535, 65536, 70000) if choice.random() < 0.1 else (5, 64))
    return choice.choice((1, 2)), WORDS[:length]


def control(choice: random.Random) -> bytes:
    return frame(choice.choice((0x89, 0x8A)), WORDS[: choice.choice((0, 4, 125))])


def wrong(choice: random.Random) -> bytes:
    """A frame that breaks one rule of RFC 6455."""
    return choice.choice(
        (
            frame(0x83, b"reserved data opcode"),
            frame(0x8B, b"reserved control opcode"),
            frame(0xC1, b"RSV1"),
            frame(0xA1, b"RSV2"),
            frame(0x91, b"RSV3"),
            frame(0x81, b"masked", masked=True),
            frame(0x09, b"fragmented ping"),
            frame(0x89, b"p" * 126),
            frame(0x80, b"nothing to go on with"),
            frame(0x01, b"begins") + frame(0x81, b"begins again"),
            frame(0x81, b"\xff not UTF-8"),
            frame(0x01, b"\xe2\x98") + frame(0x80, b"cut short"),
            frame(0x82, WORDS[:60000] + WORDS[: LIMIT - 59999]),
            frame(0x02, WORDS[:60000]) + frame(0x80, WORDS[: LIMIT - 59999]),
            frame(0x88, b"\x03"),
            frame(0x88, choice.choice(WRONG_CODES).to_bytes(2)),
            frame(0x88, b"\x03\xe8\xff"),
        )
    )


def pieces(choice: random.Random, data: bytes) -> Iterator[bytes]:
    """The stream as TCP may deliver it: cut anywhere, now into single bytes, now into large parts."""
    position = 0
    size = choice.choice((1, 7, 100, 1400, 65536))
    while position < len(data):
        step = choice.randint(1, size)
        yield data[position : position + step]
        position += step
