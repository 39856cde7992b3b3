"""Deaf connections and messages at an edge: histories of a few lines."""

from typing import Any

from loadtest.checks.delivery.audit import DEAF_MESSAGES, check
from tests.unit.checks.histories import DRAIN, A, B, Line, client, dropped, joined, phases, received, records, sent

TWO_MEMBERS = (joined(100, A, member=0), joined(200, B, member=1))
MANY = range(1, 21)


def talk(*, heard_by_b: range, step_ms: float = 50) -> list[Line]:
    """A sends MANY messages and hears all of them; B those that are named."""
    lines: list[Line] = []
    for number in MANY:
        t_ms = 2000 + number * step_ms
        lines += [sent(t_ms, A, number), received(t_ms + 1, A, A, number)]
        if number in heard_by_b:
            lines.append(received(t_ms + 1, B, A, number))
    return lines


def figures(*lines: Line, quiet: bool = True) -> dict[str, Any]:
    return check(records(client(phases(quiet=quiet), *TWO_MEMBERS, *lines))).rows.row(0, named=True)


def test_deaf_when_a_member_hears_nothing_more_to_the_end_then_it_is_counted() -> None:
    found = figures(*talk(heard_by_b=range(1, 6)))
    assert (found["deaf"], found["lost"]) == (1, len(MANY) - 5)
    assert (found["deaf_example"], found["lost_example"]) == (str(B), str(B))


def test_deaf_when_a_member_never_heard_anything_then_it_is_counted() -> None:
    assert figures(*talk(heard_by_b=range(0)))["deaf"] == 1


def test_deaf_when_it_hears_again_later_then_it_is_not() -> None:
    assert figures(*talk(heard_by_b=range(20, 21)))["deaf"] == 0


def test_examples_when_nothing_was_lost_then_there_are_none() -> None:
    found = figures(*talk(heard_by_b=MANY))
    assert (found["deaf_example"], found["lost_example"]) == ("", "")


def test_deaf_when_few_messages_are_missing_at_the_end_then_it_is_not() -> None:
    assert figures(*talk(heard_by_b=range(1, 22 - DEAF_MESSAGES)))["deaf"] == 0


def test_deaf_when_many_were_lost_at_once_then_it_is_not() -> None:
    assert figures(*talk(heard_by_b=range(1, 6), step_ms=5))["deaf"] == 0


def test_deaf_when_the_connection_was_dropped_then_it_is_not() -> None:
    assert figures(*talk(heard_by_b=range(1, 6)), *dropped(DRAIN - 100, B))["deaf"] == 0


def test_deaf_when_messages_still_arrived_at_the_end_then_it_is_not_known() -> None:
    trial = records(client(phases(quiet=False), *TWO_MEMBERS, *talk(heard_by_b=range(1, 6))))
    finding = check(trial)
    assert finding.rows.select("deaf", "deaf_example").row(0) == (None, None)
    assert {"deaf", "deaf_example"} <= {column.name for column, _ in finding.unknown}


def test_edge_when_the_receiver_went_at_once_then_the_unknown_one_lies_at_an_edge() -> None:
    lines = (sent(2000, A, 1), received(2010, A, A, 1), *dropped(2005, B))
    assert (figures(*lines)["unknown"], figures(*lines)["edge"]) == (1, 1)


def test_edge_when_messages_still_arrived_at_the_end_then_the_unknown_ones_lie_at_none() -> None:
    lines = (sent(2000, A, 1), received(2010, A, A, 1))
    found = figures(*lines, quiet=False)
    assert (found["unknown"], found["edge"]) == (1, 0)
