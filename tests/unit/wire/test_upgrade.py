"""The upgrade against websocket-client's own: the same bytes asked, the same answers taken, known or new."""

from __future__ import annotations

import base64
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websocket import _handshake as theirs

from loadtest.wire import HandshakeClosed, HandshakeInvalid, HandshakeRefused, upgrade
from loadtest.wire.deflate import OFFER
from loadtest.wire.opening import parse
from loadtest.wire.stream import Stream
from loadtest.wire.upgrade import Answer, Wish, answer_to, request, wish_for
from tests.unit.wire import heads

SOAK = bool(os.environ.get("LOADTEST_SOAK"))
CORPUS_HEADS = 400_000 if SOAK else 8_000
URL = "ws://127.0.0.1:8000/ws/"
RANDOMNESS = bytes(range(16))
KEY = base64.b64encode(RANDOMNESS)
GOOD = heads.WHOLE[0]

words = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",;:"), min_size=1, max_size=12)
urls = st.sampled_from(
    (
        "ws://127.0.0.1:8000/",
        "ws://localhost",
        "wss://example.org/chat?a=1&b={own headers}",
        "wss://example.org:444/{resource}",
        "ws://example.org:443/ws/room/7/",
        "ws://[::1]:9000/ws",
        "wss://[2001:db8::1]/ws",
    )
)


@pytest.fixture(autouse=True)
def knows_nothing() -> Iterator[None]:
    upgrade._known_good.clear()
    yield
    upgrade._known_good.clear()


@pytest.fixture(scope="module", autouse=True)
def same_randomness() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "urandom", lambda count: RANDOMNESS[:count])
        yield


class Told(Stream):
    """A stream on which an answer has arrived already."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(heads._Bytes(answer))

    def _wait(self, event: int) -> None:
        pass


def verdict(answer: bytes, key: bytes, wish: Wish) -> str:
    """Our word on the answer, as heads.judged() puts it."""
    try:
        return str(answer_to(key, Told(answer), wish, URL).status)
    except HandshakeRefused:
        return "refused"
    except HandshakeClosed:
        return "closed"
    except HandshakeInvalid:
        return "invalid"


@given(
    url=urls,
    headers=st.lists(st.tuples(words, words | st.just("naïve ☃")), max_size=4),
    origin=st.none() | st.just("https://example.org"),
    subprotocols=st.lists(words, max_size=2),
    cookies=st.dictionaries(words, words, max_size=2),
    compression=st.booleans(),
    jar=st.none() | st.just("held=by; Domain=example.org"),
)
def test_request_when_built_from_a_pattern_equals_websocket_clients(
    url: str,
    headers: list[tuple[str, str]],
    origin: str | None,
    subprotocols: list[str],
    cookies: dict[str, str],
    compression: bool,
    jar: str | None,
) -> None:
    theirs.CookieJar.jar.clear()
    theirs.CookieJar.add(jar)
    place = parse(url)
    wish = wish_for(headers, origin=origin, subprotocols=subprotocols, cookies=cookies, compression=compression)
    options = {
        "header": [f"{name}: {value}" for name, value in headers]
        + ([f"Sec-WebSocket-Extensions: {OFFER}"] if compression else []),
        "origin": origin,
        "subprotocols": subprotocols,
        "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }
    lines, key = theirs._get_handshake_headers(place.resource, url, place.host, place.port, options)
    try:
        assert request(place, wish) == ("\r\n".join(lines).encode(), key.encode())
    finally:
        theirs.CookieJar.jar.clear()


def test_request_when_asked_twice_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", random.Random(1).randbytes)
    first, second = (request(parse(URL), Wish())[1] for _ in range(2))
    assert first != second
    assert len(base64.b64decode(first)) == 16


@pytest.mark.parametrize("subprotocols", [(), ("chat",)], ids=["plain", "subprotocol"])
def test_answer_when_spoilt_in_any_way_is_judged_as_websocket_client_does(subprotocols: tuple[str, ...]) -> None:
    """Each pattern is met with several keys, so that one found good before comes again with right and wrong ones."""
    choice = random.Random(20)
    wish = Wish(subprotocols=subprotocols)
    seen = dict.fromkeys(("101", "301", "refused", "invalid"), 0)
    for _ in range(CORPUS_HEADS // 4):
        pattern = heads.pattern(choice)
        known = heads.accept_key(base64.b64encode(choice.randbytes(16)).decode())
        for number in range(4):
            key = base64.b64encode(choice.randbytes(16))
            right = heads.accept_key(key.decode())
            put = (right, right, choice.choice((known, right.lower(), right[:-2] + b"A=", b"")), right)[number]
            parts = pattern.split(heads.ACCEPT)
            answer = parts[0] + b"".join(
                (choice.choice((put, put, right, known)) if i else put) + part for i, part in enumerate(parts[1:])
            )
            expected, ours = heads.judged(answer, key.decode(), subprotocols), verdict(answer, key, wish)
            if is_plain(answer):
                assert ours == expected, answer
            else:
                assert ours != "101" or expected == "101", answer
            seen[expected] = seen.get(expected, 0) + 1
            known = right
    assert min(seen.values()) > CORPUS_HEADS // 200, "the corpus has something of everything"
    assert upgrade._known_good, "some were known"


def is_plain(answer: bytes) -> bool:
    """Whether we read as far as websocket-client does: it stops at a line of blanks and takes any beginning.

    Set-Cookie is kept from it, so it cannot stumble over that.
    """
    head, end, _ = answer.partition(b"\r\n\r\n")
    lines = head.decode(errors="replace").split("\n")
    is_http = head.startswith(b"HTTP/1.") and bool(end)
    return is_http and all(line.strip() and not line.lower().startswith("set-cookie:") for line in lines)


def test_answer_when_the_same_comes_again_is_judged_once_and_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def validate(headers: Any, key: str, subprotocols: Any) -> tuple[bool, str | None]:
        judged.append(key)
        return theirs._validate(headers, key, subprotocols)

    monkeypatch.setattr(upgrade, "_validate", validate)
    answers = [answered(GOOD, base64.b64encode(bytes([number] * 16))) for number in range(100)]
    assert len(judged) == 1
    assert {id(answer.head) for answer in answers} == {id(answers[0].head)}
    assert b"ccept" not in answers[0].head


def answered(pattern: bytes, key: bytes) -> Answer:
    """Our answer to a pattern with the right accept key."""
    return answer_to(key, Told(pattern.replace(heads.ACCEPT, heads.accept_key(key.decode()))), Wish(), URL)


def test_answer_when_known_but_with_a_wrong_accept_key_is_refused() -> None:
    answered(GOOD, KEY)
    other = base64.b64encode(b"another's key 16")
    with pytest.raises(HandshakeInvalid):
        answer_to(other, Told(GOOD.replace(heads.ACCEPT, heads.accept_key(KEY.decode()))), Wish(), URL)


def test_answer_when_known_to_one_wish_is_judged_anew_for_another() -> None:
    chat = GOOD.replace(b"Server: test", b"Sec-WebSocket-Protocol: chat")
    answer = chat.replace(heads.ACCEPT, heads.accept_key(KEY.decode()))
    assert verdict(answer, KEY, Wish(subprotocols=("chat",))) == "101"
    assert verdict(answer, KEY, Wish()) == "invalid"
    assert verdict(answer, KEY, Wish(subprotocols=("other",))) == "invalid"
    deflated = GOOD.replace(b"Server: test", b"Sec-WebSocket-Extensions: permessage-deflate")
    answer = deflated.replace(heads.ACCEPT, heads.accept_key(KEY.decode()))
    assert verdict(answer, KEY, Wish(compression=True)) == "101"
    assert verdict(answer, KEY, Wish()) == "invalid"


def test_answers_when_all_differ_fill_no_memory() -> None:
    for number in range(upgrade.MAX_KNOWN * 2):
        answered(GOOD.replace(b"Server: test", b"X-Request-Id: %d" % number), KEY)
    answered(GOOD.replace(b"Server: test", b"X-Long: " + b"x" * upgrade.MAX_KNOWN_BYTES), KEY)
    assert 0 < len(upgrade._known_good) <= upgrade.MAX_KNOWN
    assert all(len(head) <= upgrade.MAX_KNOWN_BYTES for kind in upgrade._known_good for head in kind[:2])
