"""TLS with an authority of one's own, and HTTP proxies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.drops import DROPS, Drop
from loadtest.wire import Closure, ProxyFailed, TLSFailed, Unreachable, open_connection
from tests.live.wire_processes import HERE, Helper, helper, wait_until

pytestmark = pytest.mark.live

CERTIFICATES = HERE / "wire_certificates"
CA_FILE = str(CERTIFICATES / "ca.pem")
KINDS = ("close", "fin", "midframe", "rst")


@pytest.fixture(scope="module")
def secure() -> Iterator[Helper]:
    with helper("wire_echo_server.py", str(CERTIFICATES / "server.pem")) as process:
        yield process


@pytest.fixture(scope="module")
def plain() -> Iterator[Helper]:
    with helper("wire_echo_server.py") as process:
        yield process


@pytest.fixture(scope="module")
def proxy() -> Iterator[Helper]:
    with helper("wire_proxy.py") as process:
        yield process


def url(server: Helper, host: str = "127.0.0.1") -> str:
    return f"wss://{host}:{server.port}/"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_tls_when_the_authority_is_ours_carries_messages(secure: Helper, host: str) -> None:
    ws = open_connection(url(secure, host), ca_file=CA_FILE)
    for message in ("hello", "x" * 500_000, b"\x00" * 100_000):
        ws.send(message)
        assert ws.recv(timeout_s=10) == message
    assert ws.close().code == 1000


def test_tls_when_the_authority_is_unknown_is_refused(secure: Helper) -> None:
    with pytest.raises(TLSFailed, match="CA file"):
        open_connection(url(secure))


def test_tls_when_insecure_is_asked_for_takes_any_certificate(secure: Helper) -> None:
    ws = open_connection(url(secure), insecure=True)
    ws.send("hello")
    assert ws.recv(timeout_s=10) == "hello"
    ws.close()


def test_tls_when_the_server_speaks_none_is_refused(plain: Helper) -> None:
    with pytest.raises(TLSFailed):
        open_connection(url(plain), ca_file=CA_FILE)


def test_tls_when_thousands_come_at_once_delivers_all(secure: Helper) -> None:
    got: list[str | bytes] = []
    ws = open_connection(url(secure), ca_file=CA_FILE, on_message=lambda _, message, __: got.append(message))
    ws.send("!burst 20000")
    wait_until(lambda: len(got) == 20000, "the burst")
    assert got == [str(number) for number in range(20000)]
    ws.close()


def test_tls_when_the_peer_closes_tells_its_code(secure: Helper) -> None:
    ended: list[Closure] = []
    ws = open_connection(url(secure), ca_file=CA_FILE, on_closed=lambda _, closure: ended.append(closure))
    ws.send("!close 4001 enough")
    wait_until(lambda: ws.released, "the release")
    assert ended == [Closure(code=4001, reason="enough", error=None, by="peer")]


@pytest.mark.parametrize(
    "kind", [DROPS[name] for name in ("close", "fin", "midframe", "rst")], ids=lambda kind: kind.name
)
def test_tls_when_dropped_leaves_nothing(secure: Helper, kind: Drop) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    ws = open_connection(url(secure), ca_file=CA_FILE)
    ws.send("hello")
    kind.drop(ws)
    wait_until(lambda: ws.released, "the release")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_proxy_when_given_carries_the_connection(proxy: Helper, plain: Helper, secure: Helper, scheme: str) -> None:
    server = plain if scheme == "ws" else secure
    ws = open_connection(
        f"{scheme}://localhost:{server.port}/", proxy=f"http://127.0.0.1:{proxy.port}", ca_file=CA_FILE
    )
    assert proxy.report() == f"localhost:{server.port}"
    ws.send("through the tunnel")
    assert ws.recv(timeout_s=10) == "through the tunnel"
    assert ws.close().code == 1000


def test_proxy_when_it_wants_a_login_gets_it_or_fails(plain: Helper) -> None:
    with helper("wire_proxy.py", "me:s3cret/!") as proxy:
        ws = open_connection(f"ws://127.0.0.1:{plain.port}/", proxy=f"http://me:s3cret%2F!@127.0.0.1:{proxy.port}")
        assert ws.open
        ws.close()
        with pytest.raises(ProxyFailed, match="407"):
            open_connection(f"ws://127.0.0.1:{plain.port}/", proxy=f"http://127.0.0.1:{proxy.port}")


def test_proxy_when_nothing_listens_there_says_so(plain: Helper) -> None:
    with pytest.raises(Unreachable, match=r"nothing listens on 127\.0\.0\.1:1"):
        open_connection(f"ws://127.0.0.1:{plain.port}/", proxy="http://127.0.0.1:1")
