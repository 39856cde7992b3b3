"""A member's WebSocket, `self.ws` in a locustfile: it sends, waits for answers, drops and comes back.

Each opening is a new connection with an id of its own; everything is recorded in the ledger and in Locust's statistics.
"""

from time import monotonic_ns

from loadtest.drops import Drop, find_drop
from loadtest.ledger import Event
from loadtest.ledger.record import SEQUENCE, message_id
from loadtest.load.reasons import OTHERS
from loadtest.users.codec import Codec
from loadtest.users.handshaking import Handshake, handshake_of
from loadtest.users.joining import Joining
from loadtest.users.messages import Planned
from loadtest.users.pacing import NOW
from loadtest.users.session import Session
from loadtest.users.waiting import ANSWER_TIMEOUT_S, ANSWERED, TOO_LATE, Waiting
from loadtest.wire import Closure, Connection, WireError, open_connection, open_until

CLOSE_TIMEOUT_S = 3.0
NO_ROOM = "none: a connection that is to be dropped while it opens"
"""Stands in the ledger where a connection's room does: nobody sends anything there."""
_NS_A_MS = 1_000_000
_NS_A_US = 1000
_LARGEST_US = 2**32 - 1
_SENT = int(Event.SENT)  # plain numbers pack twice as fast, and these two come with every message
_RECEIVED = int(Event.RECEIVED)
_NOTHING = -1
"""Stands where the number of the awaited message does (those are positive): every message has come back."""
_ANY_FOREIGN = -2
"""The same: whatever comes that is no message of our users is the answer."""


class MemberSocket(Waiting):
    """The WebSocket of one member; `row` is the statistics row of the messages that arrive."""

    def __init__(
        self,
        session: Session,
        *,
        member: int,
        url: str,
        room: str,
        row: str,
        codec: Codec,
        joining: Joining | None = None,
    ) -> None:
        """Remember where to connect; nothing is opened yet. Without `joining` a connection is open at once."""
        super().__init__()
        self._session = session
        self._statistics = session.statistics
        self._record = session.record
        self._member = member
        self._url = url
        self._room = session.text(room)
        self._row = row
        self._encode, self._decode = codec.encode, codec.decode
        self._joining = joining
        self.connection: Connection | None = None
        """The open one; None while there is none."""
        self._last_identity = 0
        self._awaited = _NOTHING
        self._sent: Planned = (0, NOW)
        self._sent_text: str | bytes | None = None
        """The message that was sent last, as it is on the wire: most apps send it back like that, and then nothing is
        parsed. With that and `encode` as it is a round trip takes 4.2 µs of CPU, its wire left out, without 6.0."""
        self._sent_ns = 0

    @property
    def is_open(self) -> bool:
        """Tell whether messages can be sent."""
        return self.connection is not None

    @property
    def is_answered(self) -> bool:
        """Tell whether no answer is awaited: the last message has come back, none was sent, or nothing is open."""
        return self._awaited == _NOTHING or not self.is_open

    @property
    def has_sent(self) -> bool:
        """Tell whether a message of the plan was made on the connection that is open."""
        return self._last_identity & SEQUENCE > 0 and self.is_open

    def open(self) -> bool:
        """Open a new connection; on failure count it, record it and return False."""
        number = self._session.next_connection()
        started_ns = monotonic_ns()
        self._record(Event.OPENING, number, argument=self._room, value=self._member)
        try:
            connection = open_connection(
                self._url,
                **self._handshake(number),
                proxy=self._session.load.proxy or None,
                on_message=self._received if self._joining is None else self._received_or_joined,
                on_closed=self._peer_closed,
            )
        except WireError as error:
            self._open_failed(number, error, row="open")
            return False
        if self._joining is not None:
            for _ in range(self._joining.says):
                self._record(Event.ASIDE, number)
        if self._joining is not None and (problem := self._joining.join(connection)):
            connection.reset()
            self._record(Event.OPEN_FAILED, number, argument=self._session.fail("open", problem))
            return False
        asked_only = self._joining is not None and not self._joining.is_answered
        self._record(Event.OPENED, number, code=101, value=int(asked_only))
        opened_ns = monotonic_ns()
        self._statistics.log("open", (opened_ns - started_ns) / _NS_A_MS, 0, opened_ns)
        self.connection = connection
        self._last_identity = message_id(number, 0)
        self._awaited = _NOTHING
        self.free_ns = opened_ns
        return True

    def _handshake(self, number: int) -> Handshake:
        return handshake_of(self._session.load, number, entry=self._session.entry, user=self._member)

    def _open_failed(self, number: int, error: WireError, *, row: str) -> None:
        status = getattr(error, "status", 0) or 0
        self._record(Event.OPEN_FAILED, number, code=status, argument=self._session.fail(row, error.name))

    def message(self, planned_ns: int) -> Planned:
        """Return this connection's next message."""
        self._last_identity = identity = self._last_identity + 1
        return identity, planned_ns

    def post(self, message: Planned) -> bool:
        """Send a message and wait for nothing; return whether it could be sent."""
        connection = self.connection
        if connection is None or not self._session.may_send:
            return False
        identity, planned_ns = message
        now_ns = monotonic_ns()
        if not NOW < planned_ns <= now_ns:  # gevent's timers can fire early: latency never counts from the future
            planned_ns = now_ns
        late_us = (now_ns - planned_ns) // _NS_A_US
        if late_us > _LARGEST_US:
            late_us = _LARGEST_US
        text = self._encode(identity, planned_ns)  # before it is recorded: a locustfile's own may raise
        self._record(_SENT, connection.id, self.free_ns > planned_ns, late_us, identity, now_ns)
        try:
            connection.send(text)
        except WireError as error:
            why = self._session.fail("send", error.name)
            self._record(Event.SEND_FAILED, connection.id, argument=why, value=identity)
            return False
        self._sent, self._sent_text, self._sent_ns = (identity, planned_ns), text, now_ns
        self._awaited = identity
        return True

    def request(self, message: Planned) -> bool:
        """Send a message and wait until it comes back; return whether it did before the connection ended."""
        if not self.post(message):
            return False
        outcome = self.wait(self._sent_ns)
        return outcome is ANSWERED or self._got_none(outcome)

    def listen(self) -> None:
        """Wait until the connection has ended or something awaited has come, ANSWER_TIMEOUT_S at most."""
        if self.is_open:
            self.wait(monotonic_ns())

    def await_message(self, identity: int) -> None:
        """Await a message that this member does not send itself: until it comes, `is_answered` says so."""
        self._awaited = identity

    def say_aside(self, frame: str | bytes) -> None:
        """Send what is no message, and wait for nothing; what answers it is none either."""
        connection = self.connection
        if connection is None:
            return
        self._record(Event.ASIDE, connection.id)
        try:
            connection.send(frame)
        except WireError as error:
            self._session.fail("ping", error.name)

    def ask(self, text: str) -> bool:
        """Send a text that is not measured, and wait until something that is no message of ours comes."""
        connection = self.connection
        if connection is None or not connection.open or not self._session.may_send:
            return False
        try:
            connection.send(text)
        except WireError as error:
            self._session.fail("send", error.name)
            return False
        self._awaited = _ANY_FOREIGN
        outcome = self.wait(monotonic_ns())
        return outcome is ANSWERED or self._got_none(outcome)

    def _got_none(self, outcome: str) -> bool:
        """Take note that what was waited for has not come; return False."""
        self._awaited = _NOTHING
        if outcome is TOO_LATE:
            self.free_ns = monotonic_ns()
            self._statistics.fail(self._row, f"no answer within {ANSWER_TIMEOUT_S:.0f} s")
        return False

    def drop(self, name: str) -> None:
        """End the connection at once in the way of the drop `name`; it does not switch to another greenlet.

        A drop that acts while a connection is being opened leaves this one alone: an extra one is opened for it.
        """
        kind = find_drop(name)
        if kind.stage != "open":
            self._session.spawn(self._drop_another, kind)
            return
        connection, self.connection = self.connection, None
        if connection is not None and connection.open:
            self._carry_out(kind, connection)
            self.give_up()

    def record_drop(self, name: str) -> None:
        """Record that the open connection ends now by the drop of that name; somebody else ends it."""
        connection = self.connection
        assert connection is not None, "only what is open can be dropped"
        self._record(Event.DROPPED, connection.id, argument=self._session.text(name))

    def _drop_another(self, kind: Drop) -> None:
        """Open a connection that belongs to no member up to where the drop acts."""
        number = self._session.next_connection()
        self._record(Event.OPENING, number, argument=self._session.text(NO_ROOM), value=self._member)
        try:
            connection = open_until(kind.stage, self._url, **self._handshake(number))
        except WireError as error:
            self._open_failed(number, error, row=f"drop {kind.name}")
            return
        if kind.stage == "accepted":
            self._record(Event.OPENED, number, code=101)
        self._carry_out(kind, connection)

    def _carry_out(self, kind: Drop, connection: Connection) -> None:
        started_ns = monotonic_ns()
        self._record(Event.DROPPED, connection.id, argument=self._session.text(kind.name), time_ns=started_ns)
        kind.drop(connection)
        ended_ns = monotonic_ns()
        self._record(Event.DROP_DONE, connection.id, time_ns=ended_ns)
        self._statistics.log(f"drop {kind.name}", (ended_ns - started_ns) / _NS_A_MS, 0, ended_ns)
        if kind.holds and not connection.released:
            connection.on_closed = self._gave_up
            self._session.hold(connection)

    def close(self) -> None:
        """Close in order (1000) and wait, for a bounded time, until the server has answered."""
        connection, self.connection = self.connection, None
        if connection is not None and connection.open:
            self._record(Event.CLOSED, connection.id, code=1000)
            connection.close(1000, timeout_s=CLOSE_TIMEOUT_S)
        self.give_up()
        self.forget_timer()

    def _received(self, connection: Connection, text: str | bytes, arrived_ns: int) -> None:
        """Record and count a message that has arrived, and let its sender go on; runs on the hub."""
        message = self._sent if text == self._sent_text else self._decode(text)
        if message is None:
            self._received_foreign(connection, text, arrived_ns)
            return
        identity, planned_ns = message
        lag_ns = connection.lag_ns
        if lag_ns < 0:  # the kernel does not tell: it arrived when it was read
            lag_ns = monotonic_ns() - arrived_ns
        lag_us = lag_ns // _NS_A_US
        if lag_us > _LARGEST_US:
            lag_us = _LARGEST_US
        self._record(_RECEIVED, connection.id, 0, lag_us, identity, arrived_ns)
        self._statistics.log(self._row, (arrived_ns - planned_ns) / _NS_A_MS, len(text), arrived_ns)
        if identity == self._awaited:
            self._awaited = _NOTHING
            self.answer(arrived_ns)

    def _received_or_joined(self, connection: Connection, text: str | bytes, arrived_ns: int) -> None:
        if self._joining is None or not self._joining.is_met_by(connection, text):
            self._received(connection, text, arrived_ns)

    def _received_foreign(self, connection: Connection, text: str | bytes, arrived_ns: int) -> None:
        self._record(Event.FOREIGN, connection.id, value=len(text), time_ns=arrived_ns)
        if self._awaited == _ANY_FOREIGN:
            self._awaited = _NOTHING
            self.answer(arrived_ns)

    def _peer_closed(self, connection: Connection, closure: Closure) -> None:
        """Count an end that was not our doing; runs on the hub."""
        if self._joining is not None and self._joining.is_ended_by(connection):
            return
        why = self._record_peer_closed(connection, closure)
        said = why if why is OTHERS else f"{closure.code} {why}"
        self._statistics.fail("connection", f"ended by the server: {said}")
        if self.connection is connection:
            self.connection = None
            self.give_up()

    def _gave_up(self, connection: Connection, closure: Closure) -> None:
        """Record that the server ended a connection that we had dropped and held: no failure; runs on the hub."""
        self._record_peer_closed(connection, closure)
        self._session.let_go(connection)

    def _record_peer_closed(self, connection: Connection, closure: Closure) -> str:
        why = self._session.heard.reason("connection", closure.reason or closure.by, closure.code)
        self._record(Event.PEER_CLOSED, connection.id, code=closure.code or 0, argument=self._session.text(why))
        return why
