"""WebSocketUser: the class that a locustfile derives its users from."""

from collections.abc import Callable, Sequence
from sys import intern
from time import monotonic_ns
from typing import Any, ClassVar, TypeVar

import gevent
from locust import User

from loadtest.contract.work import read_work
from loadtest.load.markers import find_marker
from loadtest.load.talk import Saying
from loadtest.users.codec import Codec, MarkerCodec
from loadtest.users.joining import Joining
from loadtest.users.lean import make_lean
from loadtest.users.messages import Planned
from loadtest.users.pacing import Schedule, gaps_of
from loadtest.users.sessions import session_of
from loadtest.users.socket import MemberSocket
from loadtest.wire import sleep

T = TypeVar("T")

RETRY_S = 1.0
"""Pause before a user tries again to open a connection that was refused or lost."""


class WebSocketUser(User):
    """A Locust user with one WebSocket, `self.ws`, which is open when its tasks run.

    A subclass sets `row`, the name that arriving messages have in Locust's statistics, and for an address without a
    path, as that of the reference app, `path`, in which `{consumer}` and `{room}` are filled in.
    """

    abstract = True
    path: ClassVar[str] = ""
    """With {room} in it, or empty, members share rooms of --room-size; else each of them is alone."""
    row: ClassVar[str] = "echo"

    def __init__(self, environment: Any) -> None:
        """Join the running test."""
        super().__init__(environment)
        self.session = session_of(environment)
        self.number = self.session.join(self)
        """Of the user among all users of the test, from 0."""
        is_alone = self.path and "{room}" not in self.path
        room = f"alone-{self.number}" if is_alone else self.session.room(self.number)
        self.room_name = room
        """The name of the room that its connections are in, as the ledger has it."""
        self.room = int(room.rpartition("-")[2])
        """The number of the user's room, from 0."""
        self.session.longest_work_s = max(self.session.longest_work_s, read_work(self.handler_work).ms / 1000)
        url = self.session.load.url(self.path, room, self.handler_work, user=self.number)
        self.url = intern(url)  # one for all of a room
        self._talk = self.session.load.talk
        self.ws = MemberSocket(
            self.session,
            member=self.number,
            url=self.url,
            room=room,
            row=self.row,
            codec=self._codec(),
            joining=self._joining(),
        )
        self.schedule = Schedule()

    @property
    def handler_work(self) -> str:
        """What the reference app is to do with each of this user's messages (`--handler-work`)."""
        return self.session.load.handler_work

    def encode(self, marker: str) -> str | bytes:
        """Return what is sent for a marker (36 letters and digits); a text frame, or bytes for a binary one.

        A locustfile overrides it where `--message` is not enough: the app has to pass the marker on to whoever gets
        the message. Here it is the message of `--message`, or that of Channels' tutorial.
        """
        return self._saying().frame(marker, 0)

    def joining(self) -> Sequence[str | bytes]:
        """Return what is sent when a connection has opened, before its first message; here what `--join` says.

        A locustfile overrides it where the app has to be told the room, or who the user is.
        """
        return self._talk.joining(room=self.room, user=self.number)

    def is_joined(self, frame: str | bytes) -> bool:
        """Tell whether a frame is the app's answer to the joining: only then the member counts as one of its room.

        Here it is one that holds the text of `--expect`. Where neither says it, nothing is waited for.
        """
        return self._talk.is_expected(frame)

    def find(self, frame: str | bytes) -> str | None:
        """Return the marker in a frame that has come; None where the frame is no message of a user.

        It is found wherever it stands, but not in what `--ack` names. A locustfile overrides this for frames that hide
        it, or where a text does not tell which frames are not the message itself.
        """
        return self._talk.find(frame)

    def _codec(self) -> Codec:
        own, load = type(self), self.session.load
        makes, finds = own.encode is not WebSocketUser.encode, own.find is not WebSocketUser.find
        if not (makes or finds or load.message or load.ack or load.push):
            return self.session.tutorial
        find = self._or_tell(self.find, None) if finds else self._talk.find if load.ack else find_marker
        return MarkerCodec((lambda marker, n: self.encode(marker)) if makes else self._saying().frame, find)

    def _or_tell(self, method: Callable[..., T], otherwise: T) -> Callable[..., T]:
        """Return a method of a locustfile's own; what it raises is told as what a task raises, and ends nothing.

        It is called where an exception would end the connection, or the user, and look like the server's doing.
        """

        def call(*arguments: Any) -> T:
            try:
                return method(*arguments)
            except Exception as error:  # noqa: BLE001 - it may raise anything
                self.environment.events.user_error.fire(user_instance=self, exception=error, tb=error.__traceback__)
                return otherwise

        return call

    def _saying(self) -> Saying:
        return self._talk.of_user(room=self.room, user=self.number, payload_size=self.session.load.payload_size)

    def _joining(self) -> Joining | None:
        speaks = type(self).joining is not WebSocketUser.joining or bool(self._talk.join)
        if not speaks and not self.waits_to_join:
            return None
        is_joined = self._or_tell(self.is_joined, False) if self.waits_to_join else None
        return Joining(self._or_tell(self.joining, ()), is_joined)

    @property
    def waits_to_join(self) -> bool:
        """Tell whether something is waited for before the member counts as one of its room."""
        return type(self).is_joined is not WebSocketUser.is_joined or bool(self._talk.expect)

    @property
    def may_send(self) -> bool:
        """Tell whether the test still wants messages."""
        return self.session.may_send

    @property
    def is_open(self) -> bool:
        """Tell whether the connection is open."""
        return self.ws.is_open

    @property
    def is_away(self) -> bool:
        """Tell whether the connection was dropped on purpose and the user is not to come back yet."""
        return False

    @property
    def is_answered(self) -> bool:
        """Tell whether the user awaits no answer: its last message has come back, or nothing is open."""
        return self.ws.is_answered

    @property
    def overdue_s(self) -> float:
        """Return the seconds since the next message was due; below 0 where none is, or none was ever sent."""
        return self.schedule.overdue_s() if self.ws.has_sent else -1.0

    def on_start(self) -> None:
        """Open the connection and wait for the first planned message."""
        make_lean(self._taskset_instance)
        self.stay_open()
        load = self.session.load
        if load.rate and not load.push:
            chance = self.session.stream(f"messages of member {self.number}")
            self.schedule = Schedule(gaps_of(load.arrivals, load.rate, chance), start_ns=monotonic_ns())
        sleep(self.schedule.wait_s())

    def on_stop(self) -> None:
        """Close the connection in order."""
        self.end()

    def stay_open(self) -> None:
        """Return when the connection is open, trying again each RETRY_S."""
        while self.may_send and not self.ws.is_open and not self.ws.open():
            gevent.sleep(RETRY_S)

    def message(self) -> Planned:
        """Return the next message, with its planned time; waits until a connection that was lost is open again."""
        ws = self.ws
        if ws.connection is None:
            self.stay_open()
        return ws.message(self.schedule.take())

    def say(self) -> bool:
        """Send the next message; with `--rate 0` wait for its answer, which is all that paces such a user.

        Where something else has the app send (`--push`), only listen.
        """
        if self.session.load.push:
            self._listen()
            return True
        message = self.message()
        return self.ws.post(message) if self.session.load.rate else self.ws.request(message)

    def _listen(self) -> None:
        """Keep the connection open and say nothing, until it has ended or for some seconds."""
        self.stay_open()
        self.ws.listen()
        if not self.is_open and not self.is_away:
            gevent.sleep(RETRY_S)  # the server has ended it, and might end the next one at once

    def send_ping(self) -> None:
        """Send what keeps the connection open (`--ping-message`), if it is open."""
        self.ws.say_aside(self.session.load.talk.pinging(room=self.room, user=self.number))

    def record_drop(self, name: str) -> None:
        """Record that the open connection ends now by the drop of that name; somebody else ends it."""
        self.ws.record_drop(name)

    def end(self) -> None:
        """Close the connection in order."""
        self.ws.close()
