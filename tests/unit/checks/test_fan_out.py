"""Fan-out: the first, the median and the last receiver of each broadcast."""

from __future__ import annotations

from math import inf
from typing import Any

from loadtest.checks import delivery
from tests.unit.checks.histories import A, B, C, Line, client, dropped, joined, phases, received, records, sent

ROOM = [*joined(100, A), *joined(100, B, member=1), *joined(100, C, member=2)]


def figures(*lines: Line | list[Line]) -> dict[str, Any]:
    row = delivery.KIND.run(records(client(phases(), ROOM, *lines))).rows.row(0, named=True)
    return {name: value for name, value in row.items() if name.endswith(("p50", "p99"))}


def broadcast(at: float, number: int, *took: float | None) -> list[Line]:
    """Return a message of A and when it came to A, B and C."""
    came = [received(at + ms, who, A, number) for who, ms in zip((A, B, C), took, strict=True) if ms is not None]
    return [sent(at, A, number), *came]


def test_fan_out_when_all_got_it_then_first_median_last_and_skew_are_those_of_the_receivers() -> None:
    found = figures(broadcast(2000, 1, 2, 9, 5))
    assert [found[f"{name}_ms_p50"] for name in ("first", "median", "last", "skew")] == [2, 5, 9, 7]


def test_fan_out_when_there_are_many_messages_then_the_quantiles_are_those_of_the_messages() -> None:
    found = figures(*(broadcast(2000 + number, number, number, number + 1, 2 * number) for number in range(1, 101)))
    assert (found["first_ms_p50"], found["first_ms_p99"], found["last_ms_p99"]) == (51, 99, 198)
    assert found["skew_ms_p99"] == 99


def test_fan_out_when_it_never_came_to_one_then_its_last_receiver_is_infinitely_late() -> None:
    found = figures(broadcast(2000, 1, 2, 3, None))
    assert (found["first_ms_p50"], found["median_ms_p50"]) == (2, 3)
    assert (found["last_ms_p50"], found["skew_ms_p50"]) == (inf, inf)


def test_fan_out_when_it_came_to_nobody_then_every_receiver_is_infinitely_late() -> None:
    found = figures(broadcast(2000, 1, None, None, None))
    assert {found["first_ms_p50"], found["median_ms_p50"], found["last_ms_p50"], found["skew_ms_p50"]} == {inf}


def test_fan_out_when_a_drop_cut_one_off_then_it_is_that_of_the_others() -> None:
    found = figures(broadcast(2000, 1, 2, 3, None), *dropped(2001, C))
    assert (found["last_ms_p50"], found["skew_ms_p50"]) == (3, 1)


def test_fan_out_when_a_message_came_twice_then_its_first_arrival_counts() -> None:
    found = figures(broadcast(2000, 1, 2, 3, 4), received(2800, B, A, 1))
    assert found["last_ms_p50"] == 4


def test_fan_out_when_a_member_is_alone_then_there_is_none() -> None:
    lines = [*joined(100, A), sent(2000, A, 1), received(2001, A, A, 1)]
    row = delivery.KIND.run(records(client(phases(), lines))).rows.row(0, named=True)
    assert row["last_ms_p50"] is None and row["skew_ms_p99"] is None
