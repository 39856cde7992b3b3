"""What Locust's command line asks of the opening handshake, against servers that insist on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from loadtest.drops import DROPS
from tests.live.in_thread import in_thread
from tests.live.test_locustfiles import USERS, Locust
from tests.live.wire_processes import HERE, Helper, helper

pytestmark = pytest.mark.live

CERTIFICATES = HERE / "wire_certificates"
TOKEN = "Bearer of: good; news, too"
EXTRA = ("upgrade-gone", "accept-gone")
"""Drops that open an extra connection, and ask all that a member asks."""


@dataclass(slots=True)
class Demanding:
    """A server that lets nobody in without TOKEN, and what each handshake asked of it."""

    port: int = 0
    asked: list[Headers] = field(default_factory=list)
    agreed: list[tuple[str | None, list[str]]] = field(default_factory=list)
    """Subprotocol and extensions of each connection that was let in."""

    def admit(self, _: ServerConnection, request: Request) -> Response | None:
        self.asked.append(request.headers)
        if request.headers.get("Authorization") == TOKEN:
            return None
        return Response(HTTPStatus.UNAUTHORIZED, "Unauthorized", Headers())

    def echo(self, connection: ServerConnection) -> None:
        extensions: list[str] = [extension.name for extension in connection.protocol.extensions]
        self.agreed.append((connection.subprotocol, extensions))
        for message in connection:
            connection.send(message)


@pytest.fixture
def demanding() -> Iterator[Demanding]:
    server = Demanding()
    subprotocols = [Subprotocol("chat.v2"), Subprotocol("chat.v1")]
    running = serve(server.echo, "127.0.0.1", 0, process_request=server.admit, subprotocols=subprotocols)
    with running, in_thread(running) as server.port:
        yield server


def test_proxy_when_it_is_given_then_every_member_goes_through_it(demanding: Demanding, tmp_path: Path) -> None:
    login = "somebody:s3cret"
    with helper("wire_proxy.py", login) as proxy:
        locust = Locust(
            "churn", f"ws://127.0.0.1:{demanding.port}/", tmp_path / "run", f"--header=Authorization: {TOKEN}",
            f"--proxy=http://{login}@127.0.0.1:{proxy.port}", "--subprotocol=chat.v1", "--rate=5", "--drop-share=0.5",
            "--offline=0.2",
        )  # fmt: skip
        code, out = locust.ended()
        assert (code, locust.failures()) == (0, {}), out
        assert "s3cret" not in out
        opened = locust.rows()["open"].requests
        assert opened > USERS, "those that were dropped have come back"
        tunnels = [proxy.report() for _ in range(opened)]
    assert set(tunnels) == {f"127.0.0.1:{demanding.port}"}
    assert opened <= len(demanding.asked)


def test_proxy_when_it_lets_nobody_through_then_the_failure_has_its_name(demanding: Demanding, tmp_path: Path) -> None:
    with helper("wire_proxy.py", "somebody:s3cret") as proxy:
        locust = Locust(
            "echo", f"ws://127.0.0.1:{demanding.port}/", tmp_path / "run", f"--proxy=http://127.0.0.1:{proxy.port}"
        )
        assert locust.ended()[0] == 1
    assert locust.failures().keys() == {"open: proxy failed"}
    assert demanding.asked == []


@pytest.fixture(scope="module")
def secure() -> Iterator[Helper]:
    with helper("wire_uvicorn.py", str(CERTIFICATES / "server.pem")) as process:
        yield process


def test_options_when_a_server_insists_on_them_then_members_and_extra_connections_bring_them(
    demanding: Demanding, tmp_path: Path
) -> None:
    locust = Locust(
        "churn", f"ws://127.0.0.1:{demanding.port}/", tmp_path / "run", f"--header=Authorization: {TOKEN}",
        "--header=Cookie: sessionid=mine; other=1", "--origin=https://example.com", "--subprotocol=chat.v1, chat.v2",
        "--compression", "--rate=5", "--drop-share=1", f"--drop-kind=rst,{','.join(EXTRA)}", "--payload-size=2000",
    )  # fmt: skip
    code, out = locust.ended()
    assert (code, locust.failures()) == (0, {}), out
    rows = locust.rows()
    assert rows["delivered"].requests > USERS
    assert all(rows[f"drop {kind}"].requests for kind in EXTRA)
    assert {headers["Cookie"] for headers in demanding.asked} == {"sessionid=mine; other=1"}
    assert {headers["Origin"] for headers in demanding.asked} == {"https://example.com"}
    assert len({headers["X-Loadtest-Connection"] for headers in demanding.asked}) == len(demanding.asked)
    assert len(demanding.asked) >= USERS + sum(rows[f"drop {kind}"].requests for kind in EXTRA)
    assert {(name, *extensions) for name, extensions in demanding.agreed} == {("chat.v2", "permessage-deflate")}


def test_options_when_none_is_given_then_none_is_sent_and_the_refusal_has_its_name(
    demanding: Demanding, tmp_path: Path
) -> None:
    locust = Locust("echo", f"ws://127.0.0.1:{demanding.port}/", tmp_path / "run")
    code, _ = locust.ended()
    failures = locust.failures()
    assert code == 1
    assert failures.keys() == {"open: refused 401"}
    assert {headers["Origin"] for headers in demanding.asked} == {f"http://127.0.0.1:{demanding.port}"}
    assert not any("Sec-WebSocket-Extensions" in headers for headers in demanding.asked)


def test_ca_file_when_it_is_the_servers_then_every_drop_works_over_tls_through_locust(
    secure: Helper, tmp_path: Path
) -> None:
    kinds = [name for name, kind in DROPS.items() if kind.unavailable() is None]
    locust = Locust(
        "churn", f"wss://127.0.0.1:{secure.port}/", tmp_path / "run", f"--ca-file={CERTIFICATES / 'ca.pem'}",
        "--rate=5", "--drop-share=1", "--offline=0.1", f"--drop-kind={','.join(kinds)}", run_s=5,
    )  # fmt: skip
    code, out = locust.ended()
    assert (code, locust.failures()) == (0, {}), out
    rows = locust.rows()
    assert {f"drop {kind}" for kind in kinds} <= rows.keys()
    assert rows["delivered"].requests > USERS
    seen = secure.report()
    assert (seen["scheme"], int(seen["connection"]) >> 24) == ("wss", 1)


@pytest.mark.parametrize(("options", "code", "failures"), [((), 1, {"open: tls failed"}), (("--insecure",), 0, set())])
def test_ca_when_nothing_is_said_of_it_then_a_strange_one_is_trusted_only_insecurely(
    secure: Helper, tmp_path: Path, options: tuple[str, ...], code: int, failures: set[str]
) -> None:
    locust = Locust("echo", f"wss://127.0.0.1:{secure.port}/", tmp_path / "run", "--rate=5", *options)
    assert locust.ended()[0] == code
    assert locust.failures().keys() == failures
