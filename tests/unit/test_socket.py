"""A member's socket on a connection that the tests hold: what it sends, awaits, records and counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns
from typing import Any

import gevent
import polars as pl
import pytest
from gevent import GreenletExit, get_hub
from locust.env import Environment

from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.load import Job
from loadtest.users import socket as module
from loadtest.users import waiting
from loadtest.users.messages import decode, encoder, padding
from loadtest.users.pacing import NOW
from loadtest.users.session import Session
from loadtest.users.socket import MemberSocket
from loadtest.wire import Closure, ConnectionLost

ROW = "echo"


@dataclass
class Connection:
    """An open connection without a wire."""

    id: int
    on_message: Callable[[Connection, str | bytes, int], None]
    on_closed: Callable[[Connection, Closure], None]
    sent: list[str] = field(default_factory=list)
    open: bool = True
    released: bool = True
    lag_ns: int = -1
    is_broken: bool = False

    def send(self, text: str) -> None:
        if self.is_broken:
            raise ConnectionLost("the peer sent RST")
        self.sent.append(text)

    def reset(self) -> None:
        self.open = False

    def close(self, code: int, timeout_s: float) -> None:
        self.open = False

    def arrives(self, text: str | bytes) -> None:
        """Have a text arrive as the wire has it: on the hub."""
        on_hub(lambda: self.on_message(self, text, monotonic_ns()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A member's socket, its connections, its session and its ledger."""

    ws: MemberSocket
    connections: list[Connection]
    session: Session
    folder: Path

    @property
    def connection(self) -> Connection:
        return self.connections[-1]

    def ask(self) -> gevent.Greenlet:
        """Return a greenlet that waits for the answer to a request."""
        greenlet = gevent.spawn(lambda: self.ws.request(self.ws.message(monotonic_ns())))
        gevent.idle()
        return greenlet

    def records(self, *events: Event) -> pl.DataFrame:
        ledger = read_ledger(self.folder, "client")
        return ledger.filter(pl.col("event").is_in([int(event) for event in events]))

    def failures(self) -> list[str]:
        return [f"{error.name}: {error.error}" for error in self.session.environment.stats.errors.values()]

    def counted(self) -> int:
        self.session.statistics.flush()
        count: int = self.session.environment.stats.get(ROW, "WS").num_requests
        return count


def on_hub(action: Callable[[], None]) -> None:
    get_hub().loop.run_callback(action)
    gevent.idle()


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    connections: list[Connection] = []

    def open_connection(_url: str, *, connection_id: int, on_message: Any, on_closed: Any, **_: Any) -> Connection:
        connections.append(Connection(connection_id, on_message, on_closed))
        return connections[-1]

    monkeypatch.setattr(module, "open_connection", open_connection)
    session = Session(environment=Environment(), load=Job(host="ws://test", ledger=str(tmp_path)))
    ws = MemberSocket(session, member=0, url="ws://test", room="room", row=ROW, codec=session.tutorial)
    assert ws.open()
    yield Rig(ws=ws, connections=connections, session=session, folder=tmp_path)
    ws.close()
    session.close()


def test_request_when_the_text_comes_back_as_it_was_then_it_is_recorded_and_counted(rig: Rig) -> None:
    asking = rig.ask()
    assert not asking.ready()
    rig.connection.arrives(rig.connection.sent[0])
    assert asking.value is True
    records = rig.records(Event.SENT, Event.RECEIVED)
    message = decode(rig.connection.sent[0])
    assert message is not None
    assert records["value"].to_list() == [message.identity, message.identity]
    assert records["connection"].to_list() == [rig.connection.id, rig.connection.id]
    assert message.identity >> 32 == rig.connection.id
    assert rig.counted() == 1
    assert rig.ws.is_answered


@pytest.mark.parametrize("spelled", [lambda text: json.dumps({"a": 1, **json.loads(text)}), str.encode])
def test_request_when_the_app_spells_the_answer_otherwise_then_it_is_the_same(
    rig: Rig, spelled: Callable[[str], str | bytes]
) -> None:
    asking = rig.ask()
    rig.connection.arrives(spelled(rig.connection.sent[0]))
    assert asking.value is True
    assert rig.records(Event.SENT, Event.RECEIVED)["value"].n_unique() == 1


def test_request_when_others_talk_meanwhile_then_it_waits_on(rig: Rig) -> None:
    asking = rig.ask()
    rig.connection.arrives(encoder(padding(64))(7 << 56 | 1, 1))
    rig.connection.arrives("hello")
    rig.connection.arrives("")
    assert not asking.ready()
    assert rig.records(Event.RECEIVED).height == 1
    assert rig.records(Event.FOREIGN)["value"].to_list() == [5, 0]
    rig.connection.arrives(rig.connection.sent[0])
    assert asking.value is True


def test_empty_text_when_nothing_was_sent_yet_then_it_is_foreign(rig: Rig) -> None:
    rig.connection.arrives("")
    assert rig.records(Event.FOREIGN).height == 1


def test_answer_when_it_comes_twice_then_both_are_recorded(rig: Rig) -> None:
    asking = rig.ask()
    for _ in range(2):
        rig.connection.arrives(rig.connection.sent[0])
    assert asking.value is True
    assert rig.records(Event.RECEIVED)["value"].n_unique() == 1
    assert rig.counted() == rig.records(Event.RECEIVED).height == 2


@pytest.mark.parametrize("planned_ns", [NOW, 10**19])
def test_request_when_its_planned_time_is_now_or_to_come_then_that_is_now(rig: Rig, planned_ns: int) -> None:
    """To come: as after a timer that fired early."""
    before_ns = monotonic_ns()
    assert rig.ws.post(rig.ws.message(planned_ns))
    message = decode(rig.connection.sent[0])
    assert message is not None
    assert before_ns <= message.planned_ns <= monotonic_ns()
    assert rig.records(Event.SENT)["argument"].to_list() == [0]


def test_request_when_it_is_late_then_the_record_says_by_how_much_and_latency_counts_from_the_plan(rig: Rig) -> None:
    planned_ns = monotonic_ns() - 3_000_000_000
    assert rig.ws.post(rig.ws.message(planned_ns))
    assert rig.records(Event.SENT)["argument"][0] >= 3_000_000
    rig.connection.arrives(rig.connection.sent[0])
    rig.session.statistics.flush()
    assert rig.session.environment.stats.get(ROW, "WS").min_response_time >= 3000


def test_request_when_no_answer_comes_then_it_fails_and_a_late_answer_is_still_recorded(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "ANSWER_TIMEOUT_S", 0.0)
    asking = rig.ask()
    asking.join()
    assert asking.value is False
    assert rig.failures() == ["echo: no answer within 10 s"]
    assert rig.ws.is_answered
    rig.connection.arrives(rig.connection.sent[0])
    assert rig.records(Event.SENT, Event.RECEIVED)["value"].n_unique() == 1
    assert rig.records(Event.RECEIVED).height == 1


def test_request_when_the_member_is_dropped_meanwhile_then_it_ends_and_is_no_failure(rig: Rig) -> None:
    asking = rig.ask()
    rig.ws.drop("rst")
    assert not asking.ready()  # a drop switches to nobody
    gevent.idle()
    assert asking.value is False
    assert rig.failures() == []
    assert not rig.ws.request(rig.ws.message(0))


def test_request_when_the_server_ends_the_connection_then_it_ends_and_that_is_a_failure(rig: Rig) -> None:
    asking = rig.ask()
    rig.connection.open = False
    closure = Closure(code=1011, reason="", error=None, by="peer")
    on_hub(lambda: rig.connection.on_closed(rig.connection, closure))
    assert asking.value is False
    assert rig.failures() == ["connection: ended by the server: 1011 peer"]


def test_request_when_locust_kills_its_user_then_it_ends_and_what_comes_is_recorded(rig: Rig) -> None:
    asking = rig.ask()
    asking.kill()
    assert isinstance(asking.value, GreenletExit)
    assert not rig.ws.is_answered  # it is still under way
    rig.connection.arrives(rig.connection.sent[0])
    assert rig.records(Event.RECEIVED).height == 1
    assert rig.ws.is_answered
    assert rig.failures() == []


def test_request_when_sending_fails_then_it_is_recorded_and_waits_for_nothing(rig: Rig) -> None:
    rig.connection.is_broken = True
    asking = rig.ask()
    assert asking.value is False
    assert rig.records(Event.SENT, Event.SEND_FAILED).height == 2
    assert rig.failures() == ["send: connection lost"]
    assert rig.ws.is_answered


def test_request_when_the_answer_to_an_earlier_connection_comes_then_it_waits_on(rig: Rig) -> None:
    rig.ask()
    before = rig.connection
    rig.ws.drop("rst")
    assert rig.ws.open()
    asking = rig.ask()
    rig.connection.arrives(before.sent[0])  # as it comes to the room of a member that was away for a moment
    assert not asking.ready()
    rig.connection.arrives(rig.connection.sent[0])
    assert asking.value is True
    assert rig.records(Event.RECEIVED)["value"].n_unique() == 2


def test_ask_when_something_foreign_comes_then_that_is_the_answer(rig: Rig) -> None:
    asking = gevent.spawn(rig.ws.ask, "a question")
    gevent.idle()
    rig.connection.arrives(encoder(padding(64))(7 << 56 | 1, 1))
    assert not asking.ready()
    rig.connection.arrives("an answer")
    assert asking.value is True


def test_listen_when_what_is_awaited_comes_or_the_connection_ends_then_it_returns(rig: Rig) -> None:
    other = 7 << 56 | 1
    rig.ws.await_message(other)
    listening = gevent.spawn(rig.ws.listen)
    gevent.idle()
    assert not rig.ws.is_answered
    rig.connection.arrives(encoder(padding(64))(other + 1, 1))
    assert not listening.ready()
    rig.connection.arrives(encoder(padding(64))(other, 1))
    assert listening.ready()
    assert rig.ws.is_answered
    again = gevent.spawn(rig.ws.listen)
    gevent.idle()
    rig.ws.drop("rst")
    gevent.idle()
    assert again.ready()
    assert rig.failures() == []


def test_aside_when_it_is_sent_and_answered_then_neither_is_a_message(rig: Rig) -> None:
    rig.ws.say_aside('{"type": "ping"}')
    rig.connection.arrives('{"type": "pong"}')
    assert rig.connection.sent == ['{"type": "ping"}']
    assert rig.records(Event.ASIDE).height == 1
    assert rig.records(Event.SENT, Event.RECEIVED).is_empty()
    assert rig.counted() == 0
    assert rig.ws.is_answered


def test_aside_when_the_connection_is_gone_then_it_is_left_out_or_a_failure(rig: Rig) -> None:
    rig.connection.is_broken = True
    rig.ws.say_aside("ping")
    assert rig.failures() == ["ping: connection lost"]
    rig.ws.drop("rst")
    rig.ws.say_aside("ping")
    assert rig.records(Event.ASIDE).height == 1
