"""Rounds, pings and pushes: members get their turns in time, pushes are recorded, and listeners await them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import gevent
import polars as pl
import pytest
from locust.env import Environment

from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.load import Job
from loadtest.load.markers import find_marker, read_marker
from loadtest.load.push import Command, Request
from loadtest.pushes import Outcome
from loadtest.users import pushing as module
from loadtest.users import rounds
from loadtest.users.pacing import Schedule
from loadtest.users.pinging import pinging
from loadtest.users.pushing import Pushing
from loadtest.users.rounds import Rounds
from loadtest.users.session import Session

S = 1_000_000_000


@dataclass(slots=True, kw_only=True)
class Clock:
    """A clock that jumps to where a sleeper wants to be, and ends the session there."""

    until_s: float
    now_ns: int = 0

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * S)

    @property
    def may_send(self) -> bool:
        return self.now_ns < self.until_s * S


@dataclass(slots=True, kw_only=True)
class Members:
    """A session as far as rounds need one; `joining` tells who joins at which second."""

    clock: Clock
    joining: dict[float, str]

    @property
    def may_send(self) -> bool:
        return self.clock.may_send

    @property
    def members(self) -> list[str]:
        return [name for at_s, name in self.joining.items() if at_s * S <= self.clock.now_ns]


@pytest.fixture
def take_turns(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, float]]]:
    def run(joining: dict[float, str], *, every_s: float, until_s: float, turn_s: float = 0) -> list[tuple[str, float]]:
        clock = Clock(until_s=until_s)
        monkeypatch.setattr(rounds, "monotonic_ns", lambda: clock.now_ns)
        monkeypatch.setattr(gevent, "sleep", clock.sleep)
        turns: list[tuple[str, float]] = []

        def turn(member: str, due_ns: int) -> None:
            turns.append((member, due_ns / S))
            clock.sleep(turn_s)

        def schedule_of(member: str) -> Schedule | None:
            return Schedule(repeat(round(every_s * S)), start_ns=clock.now_ns) if member != "silent" else None

        session: Any = Members(clock=clock, joining=joining)
        Rounds(session, schedule_of, turn)._run()
        return turns

    return run


def test_rounds_when_members_have_schedules_then_each_gets_its_turns_at_their_times(
    take_turns: Callable[..., list[tuple[str, float]]],
) -> None:
    turns = take_turns({0.0: "a", 0.5: "b", 0.6: "silent"}, every_s=1.0, until_s=3.2)
    assert turns == [("a", 1.0), ("b", pytest.approx(1.5)), ("a", 2.0), ("b", pytest.approx(2.5)), ("a", 3.0)]


def test_rounds_when_a_turn_takes_longer_than_there_is_then_the_plan_does_not_drift(
    take_turns: Callable[..., list[tuple[str, float]]],
) -> None:
    turns = take_turns({0.0: "a"}, every_s=1.0, until_s=10, turn_s=3.0)
    assert turns == [("a", 1.0), ("a", 2.0), ("a", 3.0)]


@dataclass
class Socket:
    """A member's socket, as far as pushes need one."""

    awaited: list[int] = field(default_factory=list)

    def await_message(self, identity: int) -> None:
        self.awaited.append(identity)


def member(number: int, *, room: str, is_open: bool = True) -> Any:
    return SimpleNamespace(number=number, room_name=room, is_open=is_open, ws=Socket())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    pushing: Pushing
    session: Session
    members: list[Any]
    folder: Path
    pushed: list[Request | Command]

    def push(self, to: int = 0) -> None:
        self.pushing._push(self.members[to], 1)
        self.pushing._slots.join()

    def records(self, *events: Event) -> pl.DataFrame:
        ledger = read_ledger(self.folder, "client")
        return ledger.filter(pl.col("event").is_in([int(event) for event in events]))

    def failures(self) -> list[str]:
        return [f"{error.name}: {error.error}" for error in self.session.environment.stats.errors.values()]


Made = Callable[..., Rig]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """Return what makes pushes to two rooms of two, the first member of the first one away."""
    sessions: list[Session] = []

    def make(outcome: Outcome, push: str = "POST /n/{room}/ {marker}") -> Rig:
        pushed: list[Request | Command] = []

        def send(request: Request, *_: object) -> Outcome:
            pushed.append(request)
            return outcome

        monkeypatch.setattr(module, "send_request", send)
        job = Job(host="ws://test", ledger=str(tmp_path), room_size=2, push=push)
        session = Session(environment=Environment(), load=job)
        sessions.append(session)
        members = [member(n, room=f"room-{n // 2}", is_open=n > 0) for n in range(4)]
        pushing = Pushing(session)
        scheduled = [pushing._schedule_of(one) is not None for one in members]
        assert scheduled == [True, False, True, False], "the first member stands for its room"
        return Rig(pushing=pushing, session=session, members=members, folder=tmp_path, pushed=pushed)

    yield make
    for session in sessions:
        session.close()


def test_push_when_it_is_answered_then_it_is_recorded_for_its_room_and_one_who_listens_awaits_it(rig: Made) -> None:
    made = rig(Outcome(kind="ok", said="HTTP 204"))
    made.push()
    made.push(to=2)
    records = made.records(Event.PUSHING, Event.SENT, Event.PUSHED)
    assert records["event"].to_list() == [Event.PUSHING, Event.SENT, Event.PUSHED] * 2
    assert records["text"].drop_nulls().to_list() == ["room-0", "room-1"]
    assert records["connection"].n_unique() == 2, "each is a sender of its own"
    sent = made.records(Event.SENT)["value"].to_list()
    markers = [read_marker(find_marker(push.body) or "") for push in made.pushed if isinstance(push, Request)]
    assert [marker.identity for marker in markers if marker] == sent
    assert [push.url for push in made.pushed if isinstance(push, Request)] == ["/n/0/", "/n/1/"]
    assert [one.ws.awaited for one in made.members] == [[], sent[:1], sent[1:], []]


def test_push_when_it_is_refused_then_that_is_recorded_and_counted_as_a_failure(rig: Made) -> None:
    made = rig(Outcome(kind="fail", said="HTTP 503 Service Unavailable"))
    made.push()
    (failed,) = made.records(Event.SEND_FAILED).iter_rows(named=True)
    assert failed["text"] == "HTTP 503 Service Unavailable"
    assert made.failures() == ["push: HTTP 503 Service Unavailable"]


def test_push_when_no_answer_comes_then_it_is_a_failure_of_which_nothing_more_is_recorded(rig: Made) -> None:
    made = rig(Outcome(kind="unknown", said="no answer: timed out"))
    made.push()
    assert made.records(Event.PUSHED, Event.SEND_FAILED).is_empty()
    assert made.failures() == ["push: no answer: timed out"]


def test_push_when_others_were_waited_for_then_its_record_says_so(rig: Made) -> None:
    made = rig(Outcome(kind="ok", said="HTTP 204"))
    made.push()
    made.pushing._free_ns = 2  # after the planned time
    made.push()
    assert made.records(Event.SENT)["code"].to_list() == [0, 1]


def test_pings_when_they_are_planned_then_each_member_has_one_in_each_interval() -> None:
    pings: list[int] = []
    load = Job(host="ws://h", ping_message="{}", ping_every=30)
    session: Any = SimpleNamespace(load=load, stream=Random)
    rota = pinging(session)
    schedule = rota._schedule_of(SimpleNamespace(number=1))
    assert schedule is not None
    first, second = schedule.take(), schedule.take()
    assert second - first == 30 * S
    rota._turn(SimpleNamespace(send_ping=lambda: pings.append(1)), first)
    assert pings == [1]
