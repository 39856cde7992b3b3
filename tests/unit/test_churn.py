"""Churn: as many are dropped as planned, and each stays away for the whole of the time."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from loadtest.users import WebSocketUser
from loadtest.users.churn import ChurnUser, Dropping
from loadtest.users.pacing import Schedule


class Member(ChurnUser):
    """A member without a connection or a running test."""

    abstract = True

    def __init__(self, *, is_there: bool = True) -> None:
        self.dropped_by: list[str] = []
        self.is_there = is_there

    @property
    def is_open(self) -> bool:
        return self.is_there

    def drop(self, kind: str) -> None:
        self.dropped_by.append(kind)


def dropping(members: list[Member], *, share: float, kinds: tuple[str, ...] = ("rst",), seed: int = 1) -> Dropping:
    load = SimpleNamespace(drop_kind=kinds, drop_share=share)
    session: Any = SimpleNamespace(load=load, members=members, random=random.Random(seed), may_send=True)
    return Dropping(session)


def drops_of(members: list[Member]) -> int:
    return sum(len(member.dropped_by) for member in members)


@pytest.mark.parametrize(
    ("count", "share", "bursts", "dropped"),
    [(80, 0.2, 3, 48), (10, 0.04, 25, 10), (3, 0.1, 10, 3), (10, 0.0, 10, 0), (7, 1.0, 2, 14), (1, 0.5, 1, 0)],
)
def test_bursts_when_the_share_is_small_then_its_rests_add_up(
    count: int, share: float, bursts: int, dropped: int
) -> None:
    members = [Member() for _ in range(count)]
    drops = dropping(members, share=share)
    for _ in range(bursts):
        drops._burst()
    assert drops_of(members) == dropped


def test_burst_when_few_are_there_then_only_those_are_dropped_and_none_twice() -> None:
    members = [Member(is_there=number < 2) for number in range(10)]
    dropping(members, share=0.5)._burst()
    assert [len(member.dropped_by) for member in members] == [1, 1, *[0] * 8]


def test_bursts_when_there_are_several_kinds_then_they_take_turns() -> None:
    members = [Member() for _ in range(4)]
    dropping(members, share=1.0, kinds=("fin", "rst"))._burst()
    assert sorted(kind for member in members for kind in member.dropped_by) == ["fin", "fin", "rst", "rst"]


def test_bursts_when_the_seed_is_the_same_then_the_same_members_are_dropped() -> None:
    def chosen(seed: int) -> list[int]:
        members = [Member() for _ in range(30)]
        dropping(members, share=0.3, seed=seed)._burst()
        return [number for number, member in enumerate(members) if member.dropped_by]

    assert chosen(5) == chosen(5) != chosen(6)


class Back:
    """The event that a member is back; each wait for it ends with the member back."""

    def __init__(self) -> None:
        self.is_back = False
        self.waits = 0

    def is_set(self) -> bool:
        return self.is_back

    def wait(self) -> None:
        self.waits += 1
        self.is_back = True


def test_member_when_dropped_again_while_it_waits_for_its_next_message_then_it_stays_away_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    member: Any = Member()
    back = member._back = Back()
    member.schedule = Schedule(rate=1, start_ns=0)
    drops_to_come = iter([True, False])

    def sleep(_seconds: float) -> None:
        back.is_back = not next(drops_to_come)

    opened_while_back: list[bool] = []
    parent: Callable[[Any], None] = lambda _self: opened_while_back.append(back.is_back)  # noqa: E731
    monkeypatch.setattr(gevent, "sleep", sleep)
    monkeypatch.setattr(WebSocketUser, "stay_open", parent)
    member.stay_open()
    assert (back.waits, opened_while_back) == (2, [True])
