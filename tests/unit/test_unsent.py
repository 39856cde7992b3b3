"""What a generator notes as the window ends: how many messages were due in it and not sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from loadtest.ledger import Event
from loadtest.users.session import Session


def noted(overdue_s: list[float], *, rate: float = 10, steady: float = 3) -> list[tuple[Any, ...]]:
    """Return what a session records of members whose next messages are overdue so long; below 0: not due yet."""
    found: list[tuple[Any, ...]] = []
    session: Any = SimpleNamespace(
        load=SimpleNamespace(rate=rate, steady=steady),
        members=[SimpleNamespace(overdue_s=seconds) for seconds in overdue_s],
        record=lambda event, connection, *, argument, value: found.append((event, connection, argument, value)),
    )
    Session.record_unsent(session)
    return found


def test_unsent_when_nobody_is_behind_then_none_is_noted_but_that_there_is_a_plan() -> None:
    assert noted([-0.05, -1.0]) == [(Event.UNSENT, 0, 0, 0)]


def test_unsent_when_members_are_behind_then_what_was_due_until_now_is_counted() -> None:
    assert noted([0.0, 0.25, -0.01]) == [(Event.UNSENT, 0, 250, 1 + 3)]


@pytest.mark.parametrize("overdue_s", [3.0, 60.0])
def test_unsent_when_a_member_was_behind_before_the_window_then_only_what_was_due_in_it_is_counted(
    overdue_s: float,
) -> None:
    assert noted([overdue_s]) == [(Event.UNSENT, 0, 3000, 30)]


def test_unsent_when_users_have_no_rate_then_nothing_is_noted() -> None:
    assert noted([5.0], rate=0) == []
