"""Pushing: something else than a user has the app send, on a planned schedule, and users only listen (`--push`).

Each room is pushed to at `--rate` a second, by the generator of its first member. A push is a sender of one message,
with a number of its own: it is in no room itself, and nothing tells in which order two of them are carried out.
"""

from collections import defaultdict
from functools import partial
from pathlib import Path
from time import monotonic_ns
from typing import Final

from gevent.pool import Pool

from loadtest.ledger import Event
from loadtest.ledger.record import message_id
from loadtest.load.markers import marker_of
from loadtest.load.push import Command, Push, PushedTo, Request, filled, read_push
from loadtest.pushes import Outcome
from loadtest.pushes.commands import run_at
from loadtest.pushes.requests import Trust, base_of, send_request
from loadtest.users.pacing import Schedule, gaps_of
from loadtest.users.rounds import Rounds
from loadtest.users.session import Session
from loadtest.users.user import WebSocketUser

REQUESTS_AT_ONCE: Final = 64
"""More than an app handles at a time; what is due beyond waits, and the record says so."""
COMMANDS_AT_ONCE: Final = 4
"""Each is a process that starts Django: more of them only wait for each other's CPU."""
ROW: Final = "push"
"""In Locust's statistics: how long pushes took to be answered."""
_NS_A_MS = 1_000_000
_NS_A_US = 1000
_LARGEST_US = 2**32 - 1


class Pushing:
    """Pushes to the rooms of a session, from `start` until `stop`."""

    def __init__(self, session: Session) -> None:
        """Push nothing yet."""
        self._session = session
        self._template = read_push(session.load.push)
        self._is_command = isinstance(self._template, Command)
        self._slots = Pool(COMMANDS_AT_ONCE if self._is_command else REQUESTS_AT_ONCE)
        self._free_ns = 0
        """When a request that had to wait for the answers to others could go on last."""
        self._rooms: dict[int, list[WebSocketUser]] = defaultdict(list)
        self._pushed: dict[int, int] = defaultdict(int)
        self._rounds = Rounds(session, self._schedule_of, self._push)

    @property
    def is_idle(self) -> bool:
        """Tell whether no push is under way."""
        return len(self._slots) == 0

    def start(self) -> None:
        """Begin to push, where there is a rate."""
        if self._session.load.rate:
            self._rounds.start()

    def stop(self) -> None:
        """Push no more; what is under way goes on."""
        self._rounds.stop()

    def end(self) -> None:
        """Stop, and leave what is under way."""
        self.stop()
        self._slots.kill()

    def overdue_s(self) -> list[float]:
        """Return for each room the seconds since its next push was due; below 0 where it is not yet."""
        return list(self._rounds.overdue_s())

    def _schedule_of(self, member: WebSocketUser) -> Schedule | None:
        load = self._session.load
        room, place = divmod(member.number, load.room_size)
        self._rooms[room].append(member)
        if place:
            return None  # the room's first member stands for it, here or in another generator
        chance = self._session.stream(f"pushes to room {room}")
        return Schedule(gaps_of(load.arrivals, load.rate, chance), start_ns=monotonic_ns())

    def _push(self, member: WebSocketUser, planned_ns: int) -> None:
        if self._slots.full():
            self._slots.wait_available()
            if not self._is_command:  # that commands take long is this machine's doing, and not the server's
                self._free_ns = monotonic_ns()
            if not self._session.may_send:
                return
        self._slots.spawn(self._carry_out, member, planned_ns)

    def _carry_out(self, member: WebSocketUser, planned_ns: int) -> None:
        session = self._session
        number, room = session.next_connection(), member.number // session.load.room_size
        identity = message_id(number, 1)
        self._pushed[room] += 1
        to = PushedTo(room=room, user=member.number, n=self._pushed[room])
        push = filled(self._template, marker_of(identity, planned_ns), to, session.load.payload_size)
        self._await_at_one(room, identity)
        now_ns = monotonic_ns()
        record = partial(session.record, connection=number, time_ns=now_ns)
        record(Event.PUSHING, argument=session.text(member.room_name))
        late_us = min((now_ns - planned_ns) // _NS_A_US, _LARGEST_US)
        record(Event.SENT, code=self._free_ns > planned_ns, argument=late_us, value=identity)
        self._note(number, identity, self._outcome_of(push, member), now_ns)

    def _await_at_one(self, room: int, identity: int) -> None:
        """Have one of those who listen await it: while it is under way, the test is not quiet."""
        listener = next((member for member in self._rooms[room] if member.is_open), None)
        if listener is not None:
            listener.ws.await_message(identity)

    def _outcome_of(self, push: Push, member: WebSocketUser) -> Outcome:
        load = self._session.load
        match push:
            case Command():
                return run_at(Path(load.commands), push)
            case Request():
                headers = [*load.headers, *self._session.entry.of_request(member.number)]
                trust = Trust(ca_file=load.ca_file, is_any=load.insecure)
                return send_request(push, base_of(load.host), headers, trust)

    def _note(self, number: int, identity: int, outcome: Outcome, began_ns: int) -> None:
        """Record what came of a push; of one that was not answered nothing, for it may have been carried out."""
        session = self._session
        match outcome.kind:
            case "ok":
                session.record(Event.PUSHED, number, value=identity)
                ended_ns = monotonic_ns()
                session.statistics.log(ROW, (ended_ns - began_ns) / _NS_A_MS, 0, ended_ns)
                return
            case "fail":
                why = session.fail(ROW, outcome.said)
                session.record(Event.SEND_FAILED, number, argument=why, value=identity)
            case "unknown":
                session.fail(ROW, outcome.said)
