"""Codecs of users: a class that makes and knows its messages itself, and joining before a connection counts as open."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import get_hub
from locust.env import Environment

from loadtest.ledger import Event
from loadtest.load import Job
from loadtest.load.markers import Message
from loadtest.users import WebSocketUser, joining
from loadtest.users import socket as module
from loadtest.users.codec import MarkerCodec
from loadtest.users.messages import decode
from loadtest.users.session import Session
from loadtest.users.sessions import begin_session, end_session
from tests.unit.test_socket import Connection, on_hub

HOST = "ws://test/chat/{room}/"
JOINING = {"join": ('{"join": "r{room}", "as": {user}}',), "expect": '"joined"'}


class JsonRpc(WebSocketUser):
    """Messages as a call, with a result for the sender besides."""

    abstract = True

    def encode(self, marker: str) -> str:
        return json.dumps({"method": "say", "params": [marker], "id": marker})

    def find(self, frame: str | bytes) -> str | None:
        return None if '"result"' in str(frame) else super().find(frame)


class Plain(WebSocketUser):
    """A user as the scenarios have it."""

    abstract = True
    path = "/ws/{consumer}/room/{room}/"


Made = Callable[..., WebSocketUser]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    opened: list[Connection] = []

    def open_connection(_url: str, *, connection_id: int, on_message: Any, on_closed: Any, **_: Any) -> Connection:
        opened.append(Connection(connection_id, on_message, on_closed))
        return opened[-1]

    monkeypatch.setattr(module, "open_connection", open_connection)
    return opened


@pytest.fixture
def made() -> Iterator[Made]:
    environments: list[Environment] = []

    def make(kind: type[WebSocketUser], **load: Any) -> WebSocketUser:
        environment = Environment(user_classes=[kind])
        begin_session(environment, Session(environment=environment, load=Job(host=HOST, **load)))
        environments.append(environment)
        return kind(environment)

    yield make
    for environment in environments:
        end_session(environment)


def test_user_when_nothing_is_said_then_its_messages_are_the_tutorials(
    made: Made, connections: list[Connection]
) -> None:
    user = made(Plain)
    assert user.ws.open()
    user.ws.post(user.ws.message(1))
    assert decode(connections[0].sent[0]) == Message(connections[0].id << 32 | 1, 1)


def test_user_when_its_class_makes_messages_then_they_are_sent_and_an_acknowledgement_is_none(
    made: Made, connections: list[Connection]
) -> None:
    user = made(JsonRpc)
    assert user.ws.open()
    user.ws.post(user.ws.message(1))
    sent = json.loads(connections[0].sent[0])
    assert not user.is_answered
    connections[0].arrives(json.dumps({"id": sent["id"], "result": "ok"}))
    assert not user.is_answered
    connections[0].arrives(json.dumps({"method": "said", "params": sent["params"]}).encode())
    assert user.is_answered


def test_user_when_a_template_is_given_then_room_user_and_number_are_its_own(
    made: Made, connections: list[Connection]
) -> None:
    user = made(Plain, message='{"to": "r{room}", "by": {user}, "n": {n}, "text": "{marker}"}', room_size=1)
    assert user.ws.open()
    user.ws.post(user.ws.message(1))
    user.ws.post(user.ws.message(2))
    first, second = map(json.loads, connections[0].sent)
    assert (first["to"], first["by"], first["n"], second["n"]) == ("r0", 0, 1, 2)
    assert first["text"] != second["text"]


def test_user_when_acknowledgements_are_named_then_they_are_no_messages_of_the_tutorials_either(
    made: Made, connections: list[Connection]
) -> None:
    user = made(Plain, ack="stored")
    assert user.ws.open()
    user.ws.post(user.ws.message(1))
    sent = json.loads(connections[0].sent[0])
    connections[0].arrives(json.dumps({"stored": sent}))
    assert not user.is_answered
    connections[0].arrives(json.dumps({"said": sent}))
    assert user.is_answered


def test_codec_when_a_frame_holds_no_marker_then_it_is_no_message() -> None:
    assert MarkerCodec(lambda marker, n: marker, lambda frame: "not one").decode("x") is None


def opening(user: WebSocketUser) -> gevent.Greenlet:
    greenlet = gevent.spawn(user.ws.open)
    gevent.idle()
    return greenlet


def test_connection_when_a_member_joins_then_it_is_open_once_what_is_expected_has_come(
    made: Made, connections: list[Connection]
) -> None:
    user = made(Plain, **JOINING)
    greenlet = opening(user)
    assert connections[0].sent == ['{"join": "r0", "as": 0}']
    connections[0].arrives('{"event": "welcome"}')
    assert not greenlet.ready()
    assert not user.is_open
    connections[0].arrives('{"event": "joined"}')
    assert greenlet.get(timeout=1) is True
    assert user.is_open


@pytest.mark.parametrize(("talk", "value"), [({"join": ("in",)}, 1), (JOINING, 0), ({}, 0)])
def test_connection_when_no_answer_to_joining_is_awaited_then_the_ledger_says_that_it_has_only_asked(
    made: Made, connections: list[Connection], talk: dict[str, Any], value: int
) -> None:
    user = made(Plain, **talk)
    recorded: list[tuple[int, int]] = []
    user.ws._record = lambda event, *_, **fields: recorded.append((event, fields.get("value", 0)))
    greenlet = opening(user)
    if user.session.load.expect:
        connections[0].arrives('"joined"')
    assert greenlet.get(timeout=1) is True
    assert (Event.OPENED, value) in recorded


def test_connection_when_joining_is_not_answered_then_it_has_failed_and_is_gone(
    made: Made, connections: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "JOIN_TIMEOUT_S", 0.01)
    user = made(Plain, **JOINING)
    assert opening(user).get(timeout=1) is False
    assert not user.is_open
    assert not connections[0].open
    (error,) = user.session.environment.stats.errors.values()
    assert error.error == joining.NO_ANSWER


def test_connection_when_the_server_closes_it_while_joining_then_it_has_failed(
    made: Made, connections: list[Connection]
) -> None:
    user = made(Plain, **JOINING)
    greenlet = opening(user)
    connections[0].open = False
    get_hub().loop.run_callback(lambda: connections[0].on_closed(connections[0], None))  # type: ignore[arg-type]
    assert greenlet.get(timeout=1) is False
    (error,) = user.session.environment.stats.errors.values()
    assert error.error == joining.CLOSED


def test_message_when_it_comes_after_the_join_was_answered_then_it_counts(
    made: Made, connections: list[Connection]
) -> None:
    """Also where both are read in one piece, before the member has gone on."""
    user = made(Plain, message="{marker}", **JOINING)
    recorded: list[int] = []
    user.session.record = lambda event, *_, **__: recorded.append(event)
    user.ws._record = user.session.record
    greenlet = opening(user)
    message = user.ws._encode(1 << 56 | 1, 5)

    def both() -> None:
        connections[0].on_message(connections[0], '"joined"', 1)
        connections[0].on_message(connections[0], message, 2)

    on_hub(both)
    assert greenlet.get(timeout=1) is True
    assert int(Event.RECEIVED) in recorded


class Raising(WebSocketUser):
    """A user whose own code raises, wherever it is asked."""

    abstract = True

    def joining(self) -> list[str]:
        raise KeyError("joining")

    def is_joined(self, frame: str | bytes) -> bool:
        return str(frame) == "in" or bool(json.loads(frame))

    def encode(self, marker: str) -> str:
        raise KeyError("encode")

    def find(self, frame: str | bytes) -> str | None:
        return str(json.loads(frame)["text"])


def test_user_when_its_own_code_raises_then_that_is_told_and_its_connection_stays(
    made: Made, connections: list[Connection]
) -> None:
    user = made(Raising)
    told: list[str] = []
    user.environment.events.user_error.add_listener(lambda exception, **_: told.append(type(exception).__name__))
    recorded: list[int] = []
    user.ws._record = lambda event, *_, **__: recorded.append(event)
    greenlet = opening(user)
    connections[0].arrives("no JSON")
    connections[0].arrives("in")
    assert greenlet.get(timeout=1) is True
    connections[0].arrives("{}")
    assert told == ["KeyError", "JSONDecodeError", "KeyError"]
    with pytest.raises(KeyError):
        user.ws.post(user.ws.message(1))
    assert Event.SENT not in recorded, "it was not sent"
    assert user.is_open


class Talkative(WebSocketUser):
    """A user that joins by itself, and waits for an answer."""

    abstract = True

    def joining(self) -> list[str]:
        return [f"room {self.room} user {self.number}"]

    def is_joined(self, frame: str | bytes) -> bool:
        return frame == "in"


def test_user_when_its_class_joins_then_it_is_open_once_that_is_answered(
    made: Made, connections: list[Connection]
) -> None:
    user = made(Talkative, room_size=1)
    greenlet = opening(user)
    assert connections[0].sent == ["room 0 user 0"]
    connections[0].arrives("welcome")
    assert not greenlet.ready()
    connections[0].arrives("in")
    assert greenlet.get(timeout=1) is True


@pytest.mark.parametrize(("path", "rooms"), [("", [0, 0, 1]), ("/ws/{room}/", [0, 0, 1]), ("/ws/echo/", [0, 1, 2])])
def test_users_when_their_class_has_no_path_or_one_with_rooms_then_they_share_them(
    made: Made, path: str, rooms: list[int]
) -> None:
    first = made(type("Shared", (Plain,), {"path": path, "abstract": True}), room_size=2)
    users = [first, *(type(first)(first.environment) for _ in range(2))]
    assert [user.room for user in users] == rooms
