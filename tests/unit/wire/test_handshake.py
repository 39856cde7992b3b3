"""The opening handshake against websocket-client's own: the same bytes asked, the same answers taken, known or new."""

from __future__ import annotations

import base64
import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websocket import _handshake as theirs
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from loadtest.wire import HandshakeClosed, HandshakeInvalid, HandshakeRefused, handshake
from loadtest.wire.address import parse
from loadtest.wire.deflate import OFFER
from loadtest.wire.handshake import HandshakeOptions, Response, build_request, handshake_options
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
    handshake._known_good.clear()
    yield
    handshake._known_good.clear()


@pytest.fixture(scope="module", autouse=True)
def same_randomness() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "urandom", lambda count: RANDOMNESS[:count])
        yield


def answer_to(key: bytes, answer: bytes, options: HandshakeOptions) -> Response:
    """What we make of the answer to a request with this key, in two pieces and then FIN."""
    shaking = handshake.Handshake(parse(URL), options)
    shaking._key = key
    for piece in (answer[: len(answer) // 2], answer[len(answer) // 2 :], b""):
        if (piece or not answer or shaking._data == answer) and (response := shaking.receive(piece)):
            return response
    raise AssertionError("neither a response nor an error")


def verdict(answer: bytes, key: bytes, options: HandshakeOptions) -> str:
    """Our word on the answer, as heads.judged() puts it."""
    try:
        return str(answer_to(key, answer, options).status)
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
    address = parse(url)
    asked = handshake_options(
        headers, origin=origin, subprotocols=subprotocols, cookies=cookies, compression=compression
    )
    options = {
        "header": [f"{name}: {value}" for name, value in headers]
        + ([f"Sec-WebSocket-Extensions: {OFFER}"] if compression else []),
        "origin": origin,
        "subprotocols": subprotocols,
        "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }
    lines, key = theirs._get_handshake_headers(address.resource, url, address.host, address.port, options)
    try:
        assert build_request(address, asked) == ("\r\n".join(lines).encode(), key.encode())
    finally:
        theirs.CookieJar.jar.clear()


def test_request_when_asked_twice_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", random.Random(1).randbytes)
    first, second = (build_request(parse(URL), HandshakeOptions())[1] for _ in range(2))
    assert first != second
    assert len(base64.b64decode(first)) == 16


@pytest.mark.parametrize("subprotocols", [(), ("chat",)], ids=["plain", "subprotocol"])
def test_answer_when_spoilt_in_any_way_is_judged_as_websocket_client_does(subprotocols: tuple[str, ...]) -> None:
    """Each pattern is met with several keys, so that one found good before comes again with right and wrong ones."""
    choice = random.Random(20)
    options = HandshakeOptions(subprotocols=subprotocols)
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
            expected, ours = heads.judged(answer, key.decode(), subprotocols), verdict(answer, key, options)
            if is_plain(answer):
                assert ours == expected, answer
            else:
                assert ours != "101" or expected == "101", answer
            seen[expected] = seen.get(expected, 0) + 1
            known = right
    assert min(seen.values()) > CORPUS_HEADS // 200, "the corpus has something of everything"
    assert handshake._known_good, "some were known"


def is_plain(answer: bytes) -> bool:
    """Whether we read as far as websocket-client does: it stops at a line of blanks and takes any beginning.

    Set-Cookie is kept from it, so it cannot stumble over that.
    """
    head, end, _ = answer.partition(b"\r\n\r\n")
    lines = head.decode(errors="replace").split("\n")
    is_http = head.startswith(b"HTTP/1.") and bool(end)
    return is_http and all(line.strip() and not line.lower().startswith("set-cookie:") for line in lines)


def test_answer_when_the_same_comes_again_is_judged_once_and_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[bytes] = []
    judge = handshake._judge

    def counted(head: bytes, key: bytes, options: HandshakeOptions, url: str) -> Response:
        judged.append(key)
        return judge(head, key, options, url)

    monkeypatch.setattr(handshake, "_judge", counted)
    answers = [answered(GOOD, base64.b64encode(bytes([number] * 16))) for number in range(100)]
    assert len(judged) == 1
    assert {id(answer.head) for answer in answers} == {id(answers[0].head)}
    assert b"ccept" not in answers[0].head


def answered(pattern: bytes, key: bytes) -> Response:
    """Our answer to a pattern with the right accept key."""
    return answer_to(key, pattern.replace(heads.ACCEPT, heads.accept_key(key.decode())), HandshakeOptions())


def test_answer_when_known_but_with_a_wrong_accept_key_is_refused() -> None:
    answered(GOOD, KEY)
    other = base64.b64encode(b"another's key 16")
    with pytest.raises(HandshakeInvalid):
        answer_to(other, GOOD.replace(heads.ACCEPT, heads.accept_key(KEY.decode())), HandshakeOptions())


def test_answer_when_known_for_some_options_is_judged_anew_for_others() -> None:
    chat = GOOD.replace(b"Server: test", b"Sec-WebSocket-Protocol: chat")
    answer = chat.replace(heads.ACCEPT, heads.accept_key(KEY.decode()))
    assert verdict(answer, KEY, HandshakeOptions(subprotocols=("chat",))) == "101"
    assert verdict(answer, KEY, HandshakeOptions()) == "invalid"
    assert verdict(answer, KEY, HandshakeOptions(subprotocols=("other",))) == "invalid"
    deflated = GOOD.replace(b"Server: test", b"Sec-WebSocket-Extensions: permessage-deflate")
    answer = deflated.replace(heads.ACCEPT, heads.accept_key(KEY.decode()))
    assert verdict(answer, KEY, HandshakeOptions(compression=True)) == "101"
    assert verdict(answer, KEY, HandshakeOptions()) == "invalid"


def test_answers_when_all_differ_fill_no_memory() -> None:
    for number in range(handshake.MAX_KNOWN * 2):
        answered(GOOD.replace(b"Server: test", b"X-Request-Id: %d" % number), KEY)
    answered(GOOD.replace(b"Server: test", b"X-Long: " + b"x" * handshake.MAX_KNOWN_BYTES), KEY)
    assert 0 < len(handshake._known_good) <= handshake.MAX_KNOWN
    assert all(len(head) <= handshake.MAX_KNOWN_BYTES for kind in handshake._known_good for head in kind[:2])


@pytest.mark.parametrize("compression", [True, False])
def test_handshake_when_the_websockets_library_is_the_server_opens(compression: bool) -> None:
    asked = handshake_options(
        [("X-Loadtest-Connection", "42")], subprotocols=["chat.v2", "chat.v1"], compression=compression
    )
    shaking = handshake.Handshake(parse("ws://example.org:8000/ws/room/?a=1"), asked)
    server = ServerProtocol(
        subprotocols=[Subprotocol("chat.v1")], extensions=[ServerPerMessageDeflateFactory()] if compression else None
    )
    server.receive_data(shaking.request)
    (request,) = server.events_received()
    assert isinstance(request, Request)
    assert (request.path, request.headers["Host"]) == ("/ws/room/?a=1", "example.org:8000")
    assert (request.headers["Origin"], request.headers["X-Loadtest-Connection"]) == ("http://example.org:8000", "42")
    server.send_response(server.accept(request))
    server.send_text(b"first")
    sent = b"".join(server.data_to_send())
    pieces = [shaking.receive(sent[at : at + 10]) for at in range(0, sent.index(b"\r\n\r\n") - 10, 10)]
    assert set(pieces) == {None}, "not whole yet"
    response = shaking.receive(sent[len(pieces) * 10 :])
    assert response is not None
    assert (response.status, response.agreement is not None) == (101, compression)
    assert shaking.early, "the first frame came with it"


def test_handshake_when_the_server_says_nothing_and_closes_is_told_so() -> None:
    shaking = handshake.Handshake(parse(URL), HandshakeOptions())
    assert shaking.receive(b"HTTP/1.1 1") is None
    with pytest.raises(HandshakeClosed, match=r"after b.HTTP/1\.1 1"):
        shaking.receive(b"")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/elsewhere?a=1", "ws://127.0.0.1:8000/elsewhere?a=1"),
        ("https://example.org/x", "wss://example.org/x"),
        ("ws://example.org/x", "ws://example.org/x"),
    ],
)
def test_redirect_target_when_named_in_any_form_is_a_websocket_address(location: str, target: str) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n".encode()
    assert handshake.redirect_target(Response(status=302, head=head), URL) == target
