"""The probe of a server elsewhere: off it is not there; with a token it answers nobody else, and forgets in the end."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from channels.consumer import AsyncConsumer
from channels.layers import ChannelLayerManager

from loadtest.contract import AnswerError, Status, write_answer
from loadtest.contract.elsewhere import (
    LEASE_S,
    ROUTES,
    SHARED_VARIABLE,
    TOKEN_VARIABLE,
    Heard,
    Unheard,
    read_heard,
    read_hello,
    write_heard,
)
from loadtest.contract.variables import LEDGER_VARIABLE
from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.probe import Probe, on_request
from loadtest.probe.meeting import Meeting, Occupied, meeting_of
from loadtest.probe.on_request import OnRequest
from loadtest.probe.session import Session
from loadtest.probe.watching import is_watching, watch

TOKEN = "a-token-of-twenty-digits"
NS = 1_000_000_000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the processes meet; nothing else is in the environment."""
    monkeypatch.delenv(LEDGER_VARIABLE, raising=False)
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    monkeypatch.setenv(SHARED_VARIABLE, str(tmp_path / "probe"))
    return tmp_path / "probe"


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418})


def asked(application: Callable[..., Any], path: str, *headers: tuple[bytes, bytes], method: str = "POST") -> list[Any]:
    """Return what is sent in answer to a request."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    path, _, query = path.partition("?")
    scope = {"type": "http", "path": path, "method": method, "headers": headers, "query_string": query.encode()}

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    asyncio.run(application(scope, receive, send))
    return sent


def answered(path: str, *headers: tuple[bytes, bytes], method: str = "POST") -> list[Any]:
    """Return what the probe sends; the event loop and sockets are left out."""
    probe = OnRequest(TOKEN)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if not await probe.answered(scope, send):
            await app(scope, receive, send)

    return asked(application, path, *headers, method=method)


def bearer(token: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {token}".encode()


def test_probe_when_the_environment_asks_for_nothing_then_it_is_the_application_itself(folder: Path) -> None:
    assert Probe(app) is app
    assert asked(Probe(app), f"{ROUTES}clock", bearer(TOKEN)) == [{"type": "http.response.start", "status": 418}]
    assert not folder.exists()


def test_probe_when_the_environment_asks_for_nothing_then_channels_is_left_as_it_is() -> None:
    parts = (AsyncConsumer.__call__, ChannelLayerManager._make_backend)
    watch.cache_clear()
    watch()
    assert parts == (AsyncConsumer.__call__, ChannelLayerManager._make_backend)
    assert not is_watching()


def test_probe_when_a_bench_has_started_the_process_then_wrappers_in_each_other_share_one_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LEDGER_VARIABLE, str(tmp_path))
    Probe(Probe(app))
    assert len(list(tmp_path.glob("server-*.ledger"))) == 1


def test_probe_when_the_token_is_short_then_the_server_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    with pytest.raises(ValueError, match="fewer than 16 characters") as refused:
        Probe(app)
    assert "short" not in str(refused.value)


@pytest.mark.parametrize("headers", [(), (bearer("another"),), (bearer(TOKEN + "x"),), (bearer(""),)])
def test_routes_when_the_token_is_another_one_then_nothing_is_told(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    start, body = answered(f"{ROUTES}clock", *headers)
    assert (start["status"], body["body"]) == (403, b'{"error": "wrong token"}')


def test_routes_when_the_token_is_compared_then_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare_digest(given: bytes, ours: bytes) -> bool:
        compared.append((given, ours))
        return False

    monkeypatch.setattr("hmac.compare_digest", compare_digest)
    assert answered(f"{ROUTES}clock", bearer(TOKEN))[0]["status"] == 403
    assert compared == [(bearer(TOKEN)[1],) * 2]


def test_routes_when_the_token_is_right_then_clock_and_machine_are_told() -> None:
    start, body = answered(f"{ROUTES}clock", bearer(TOKEN))
    assert (b"x-loadtest-probe", b"1") in start["headers"]
    hello = read_hello(body["body"])
    assert start["status"] == 200
    assert hello.time_ns > 0
    assert not hello.is_watching, "nothing was installed here"


@pytest.mark.parametrize(
    ("path", "method", "problem"),
    [
        ("clock", "GET", "ask by POST"),
        ("other", "POST", "there is no"),
        ("begin?ledger=../../x", "POST", "is no name of a ledger"),
        ("ledger", "POST", "there is no such ledger"),
        ("forget?ledger=00000000", "POST", "there is no such ledger"),
        ("ledger?ledger=aaaa&file=../asked.json", "POST", "is no file of a ledger"),
    ],
)
def test_routes_when_a_request_makes_no_sense_then_it_is_refused(path: str, method: str, problem: str) -> None:
    meeting_of(TOKEN).begin("aaaa")
    start, body = answered(ROUTES + path, bearer(TOKEN), method=method)
    assert start["status"] == 404
    assert problem in json.loads(body["body"])["error"]


@pytest.mark.parametrize("path", ["/", "/loadtest-probe", "/ws/loadtest-probe/clock"])
def test_routes_when_a_path_is_the_apps_then_the_app_answers(path: str) -> None:
    assert answered(path, bearer(TOKEN)) == [{"type": "http.response.start", "status": 418}]


class Clock:
    """A clock that stands still."""

    now_ns = 10**15

    def __call__(self) -> int:
        return self.now_ns


def test_meeting_when_made_then_it_is_for_this_user_alone_and_of_this_token() -> None:
    meeting = meeting_of(TOKEN)
    assert stat.S_IMODE(meeting.folder.stat().st_mode) == 0o700
    meeting.folder.chmod(0o755)
    with pytest.raises(PermissionError, match="mode 0700"):
        meeting_of(TOKEN)


def test_meeting_when_no_folder_is_named_then_the_token_names_it_without_being_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SHARED_VARIABLE)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = meeting_of(TOKEN).folder
    assert folder == meeting_of(TOKEN).folder != meeting_of(f"{TOKEN}2").folder
    assert folder.parent == tmp_path
    assert TOKEN not in str(folder)


def test_meeting_when_a_bench_begins_then_others_wait_until_it_ends_or_has_died(folder: Path) -> None:
    clock = Clock()
    meeting = Meeting(folder, clock)
    assert meeting.ledger is None
    meeting.begin("aaaa")
    assert meeting.ledger == folder / "ledger-aaaa"
    with pytest.raises(Occupied):
        Meeting(folder, clock).begin("bbbb")
    clock.now_ns += round(0.9 * LEASE_S * NS)
    meeting.renew("aaaa")
    clock.now_ns += round(0.9 * LEASE_S * NS)
    assert meeting.ledger is not None
    meeting.renew("bbbb")
    clock.now_ns += round(0.2 * LEASE_S * NS)
    assert meeting.ledger is meeting.recorded is None, "nobody asked for so long"
    Meeting(folder, clock).begin("bbbb")
    assert [path.name for path in folder.glob("ledger-*")] == ["ledger-bbbb"]


def test_meeting_when_a_recording_has_ended_then_it_is_kept_until_it_is_forgotten(folder: Path) -> None:
    meeting = Meeting(folder, Clock())
    meeting.begin("aaaa")
    meeting.end()
    assert meeting.ledger is None
    assert meeting.recorded == folder / "ledger-aaaa"
    meeting.forget()
    assert list(folder.iterdir()) == []


def test_meeting_when_the_machine_was_started_anew_then_what_was_asked_before_does_not_count(folder: Path) -> None:
    clock = Clock()
    Meeting(folder, clock).begin("aaaa")
    clock.now_ns = NS
    assert Meeting(folder, clock).ledger is None


def test_session_when_another_one_has_begun_then_what_is_of_the_first_is_not_in_it(tmp_path: Path) -> None:
    """A connection that was dropped without a word may end in the next trial, where another one has its number."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first = Session(tmp_path / "first")
    first.ledger.record(Event.SCOPE, 1)
    first.end()
    second = Session(tmp_path / "second")
    first.ledger.record(Event.DISCONNECT_ENTERED, 1)
    second.ledger.record(Event.SCOPE, 2)
    second.end()
    assert read_ledger(tmp_path / "first", "server")["connection"].to_list() == [1]
    assert read_ledger(tmp_path / "second", "server")["connection"].to_list() == [2]


def test_on_request_when_the_bench_has_died_then_the_process_records_no_longer_and_nothing_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_request, "LOOK_S", 0.01)
    probe, clock = OnRequest(TOKEN), Clock()
    probe._meeting._now_ns = clock

    async def main() -> None:
        probe._meeting.begin("aaaa")
        probe.look()
        assert probe.session is not None
        clock.now_ns += round(1.1 * LEASE_S * NS)
        while probe.session is not None or list(folder.iterdir()):
            await asyncio.sleep(0.005)

    asyncio.run(asyncio.wait_for(main(), 10))
    assert probe._next_look is None, "no timer is left"


def test_heard_when_written_and_read_then_it_is_the_same() -> None:
    status = Status(pid=7, open=2, ours=1, ledger="ledger-aaaa")
    heard = Heard(lines=[write_answer(status)], silent=[Unheard(pid=8, why="it died")])
    assert read_heard(write_heard(heard), Status) == ([status], [Unheard(pid=8, why="it died")])
    with pytest.raises(AnswerError):
        read_heard(b"[]", Status)


def test_hello_when_the_probe_is_of_another_version_then_it_is_said_what_to_do() -> None:
    with pytest.raises(AnswerError, match="install the same release"):
        read_hello(b'{"version": 99}')
