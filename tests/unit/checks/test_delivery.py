"""Delivery: histories of a few lines, one good and the others each with one known defect."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from loadtest.checks.delivery.audit import check
from loadtest.checks.kind import CheckResult
from loadtest.checks.pairs import pairs_of
from tests.unit.checks.histories import (
    CLOSE,
    DRAIN,
    STEADY,
    A,
    B,
    C,
    Line,
    client,
    closed,
    dropped,
    joined,
    peer_closed,
    phases,
    reasons,
    receive_in,
    received,
    records,
    send_failed,
    sent,
    server,
    truncated,
)

NOTHING = dict.fromkeys(("expected", "delivered", "lost", "duplicated", "reordered", "offline", "unknown"), 0)


def found(
    *lines: Line | list[Line], on_server: tuple[Line, ...] = (), quiet: bool = True, **others: Any
) -> CheckResult:
    return check(records(client(phases(quiet=quiet), *lines), server(*on_server), **others))


def row(*lines: Line | list[Line], **others: Any) -> dict[str, int]:
    return counted(found(*lines, **others))


def counted(finding: CheckResult) -> dict[str, int]:
    figures = finding.rows.row(0, named=True)
    return {name: figures[name] for name in NOTHING}


TWO_MEMBERS = (joined(100, A, member=0), joined(200, B, member=1))


def test_delivery_when_all_arrive_then_nothing_is_lost() -> None:
    figures = row(
        *TWO_MEMBERS,
        sent(2000, A, 1),
        received(2003, A, A, 1),
        received(2004, B, A, 1),
        sent(2010, B, 1),
        received(2011, A, B, 1),
        received(2012, B, B, 1),
    )
    assert figures == NOTHING | {"expected": 4, "delivered": 4}


def test_delivery_when_one_of_two_members_gets_nothing_then_one_is_lost() -> None:
    assert row(*TWO_MEMBERS, sent(2000, A, 1), received(2003, A, A, 1)) == NOTHING | {
        "expected": 2,
        "delivered": 1,
        "lost": 1,
    }


def test_delivery_when_a_message_arrives_three_times_then_two_are_duplicates() -> None:
    figures = row(joined(100, A), sent(2000, A, 1), *(received(2000 + n, A, A, 1) for n in (3, 4, 5)))
    assert figures == NOTHING | {"expected": 1, "delivered": 1, "duplicated": 2}


def test_delivery_when_messages_overtake_then_those_that_come_late_are_reordered() -> None:
    figures = row(
        joined(100, A),
        *(sent(2000 + n, A, n) for n in (1, 2, 3)),
        received(2010, A, A, 3),
        received(2011, A, A, 1),
        received(2012, A, A, 2),
    )
    assert figures == NOTHING | {"expected": 3, "delivered": 3, "reordered": 2}


def test_delivery_when_an_old_message_is_repeated_then_it_is_a_duplicate_and_not_reordered() -> None:
    figures = row(
        joined(100, A),
        sent(2001, A, 1),
        sent(2002, A, 2),
        received(2010, A, A, 1),
        received(2011, A, A, 2),
        received(2012, A, A, 1),
    )
    assert figures == NOTHING | {"expected": 2, "delivered": 2, "duplicated": 1}


def test_delivery_when_two_senders_interleave_then_nothing_is_reordered() -> None:
    figures = row(
        *TWO_MEMBERS,
        sent(2000, A, 1),
        sent(2001, B, 1),
        received(2010, A, B, 1),
        received(2011, A, A, 1),
        received(2012, B, A, 1),
        received(2013, B, B, 1),
    )
    assert figures == NOTHING | {"expected": 4, "delivered": 4}


def test_delivery_when_the_later_message_came_before_a_reconnect_then_the_earlier_one_is_reordered() -> None:
    figures = row(
        joined(100, A, member=0),
        joined(200, B, member=1),
        sent(2000, A, 1),
        sent(2001, A, 2),
        received(2002, A, A, 1),
        received(2003, A, A, 2),
        received(2004, B, A, 2),
        dropped(2005, B),
        joined(2006, C, member=1),
        received(2020, C, A, 1),
    )
    assert figures == NOTHING | {"expected": 4, "delivered": 4, "reordered": 1}


def test_delivery_when_it_arrives_on_both_connections_of_a_member_then_it_is_a_duplicate() -> None:
    figures = row(
        *TWO_MEMBERS,
        sent(2000, A, 1),
        received(2001, A, A, 1),
        received(2002, B, A, 1),
        dropped(2003, B),
        joined(2004, C, member=1),
        received(2005, C, A, 1),
    )
    assert figures == NOTHING | {"expected": 2, "delivered": 2, "duplicated": 1}


def test_delivery_when_a_member_is_away_then_it_is_offline_and_not_lost() -> None:
    figures = row(
        *TWO_MEMBERS,
        dropped(2000, B),
        sent(2500, A, 1),
        received(2502, A, A, 1),
        joined(3000, C, member=1),
        sent(3500, A, 2),
        received(3502, A, A, 2),
        received(3503, C, A, 2),
    )
    assert figures == NOTHING | {"expected": 3, "delivered": 3, "offline": 1}


def test_delivery_when_sent_at_the_instant_of_a_drop_then_it_is_offline() -> None:
    figures = row(*TWO_MEMBERS, dropped(2000, B), sent(2000, A, 1), received(2002, A, A, 1))
    assert figures == NOTHING | {"expected": 1, "delivered": 1, "offline": 1}


def test_delivery_when_the_server_had_ended_the_connection_then_what_follows_is_offline() -> None:
    figures = row(*TWO_MEMBERS, peer_closed(2000, B), sent(2500, A, 1), received(2502, A, A, 1))
    assert figures == NOTHING | {"expected": 1, "delivered": 1, "offline": 1}


def test_delivery_when_a_member_joins_late_then_earlier_messages_are_not_meant_for_it() -> None:
    figures = row(
        joined(100, A, member=0),
        sent(2000, A, 1),
        received(2001, A, A, 1),
        joined(2500, B, member=1),
        sent(3000, A, 2),
        received(3001, A, A, 2),
        received(3002, B, A, 2),
    )
    assert figures == NOTHING | {"expected": 3, "delivered": 3}


def test_delivery_when_the_receiver_went_before_it_could_arrive_then_it_is_unknown() -> None:
    figures = row(*TWO_MEMBERS, sent(2000, A, 1), received(2010, A, A, 1), dropped(2010, B))
    assert figures == NOTHING | {"expected": 2, "delivered": 1, "unknown": 1}


def test_delivery_when_the_receiver_stayed_longer_than_any_message_took_then_it_is_lost() -> None:
    figures = row(*TWO_MEMBERS, sent(2000, A, 1), received(2010, A, A, 1), dropped(2011, B))
    assert figures == NOTHING | {"expected": 2, "delivered": 1, "lost": 1}


def test_delivery_when_it_arrived_and_the_receiver_went_then_it_is_delivered() -> None:
    figures = row(*TWO_MEMBERS, sent(2000, A, 1), received(2010, A, A, 1), received(2010, B, A, 1), dropped(2010.5, B))
    assert figures == NOTHING | {"expected": 2, "delivered": 2}


def test_delivery_when_the_sender_went_and_the_server_had_not_taken_it_then_it_is_unknown() -> None:
    lines = (*TWO_MEMBERS, sent(2000, A, 1), received(2005, B, A, 1), sent(2100, A, 2), dropped(2101, A))
    taken_one = row(*lines, on_server=(receive_in(2001, A),))
    assert taken_one == NOTHING | {
        "expected": 4,
        "delivered": 1,
        "lost": 1,
        "unknown": 2,
    }  # lost: the first, by A itself
    assert row(*lines) == NOTHING | {"expected": 4, "delivered": 1, "unknown": 3}


def test_delivery_when_the_sender_went_and_the_server_had_taken_it_then_it_is_lost() -> None:
    lines = (*TWO_MEMBERS, sent(2000, A, 1), received(2001, A, A, 1), received(2005, B, A, 1))
    figures = row(*lines, sent(2100, A, 2), dropped(2101, A), on_server=(receive_in(2001, A), receive_in(2102, A)))
    assert figures == NOTHING | {"expected": 4, "delivered": 2, "lost": 1, "unknown": 1}


def test_delivery_when_the_server_ended_the_sender_and_had_not_taken_it_then_it_is_unknown() -> None:
    lines = (*TWO_MEMBERS, sent(2000, A, 1), received(2001, A, A, 1), received(2001, B, A, 1), sent(2100, A, 2))
    figures = row(*lines, peer_closed(2200, A), on_server=(receive_in(2001, A),))
    assert figures == NOTHING | {"expected": 4, "delivered": 2, "unknown": 2}


def test_delivery_when_the_sender_stayed_then_what_the_server_never_took_is_lost() -> None:
    assert row(joined(100, A), sent(2000, A, 1)) == NOTHING | {"expected": 1, "lost": 1}


def test_delivery_when_a_sending_failed_then_nobody_expects_it_and_the_next_counts_as_first() -> None:
    figures = row(
        *TWO_MEMBERS,
        sent(2000, A, 1),
        send_failed(2000.1, A, 1),
        sent(2001, A, 2),
        received(2003, B, A, 2),
        received(2003, A, A, 2),
        sent(2005, A, 3),
        received(2006, A, A, 3),
        dropped(2050, A),
        on_server=(receive_in(2001, A), receive_in(2005, A)),
    )
    assert figures == NOTHING | {"expected": 4, "delivered": 3, "lost": 1}


def test_delivery_when_messages_still_arrived_at_the_end_then_missing_ones_are_unknown() -> None:
    finding = found(joined(100, A), sent(2000, A, 1), sent(2001, A, 2), received(2002, A, A, 2), quiet=False)
    assert counted(finding) == NOTHING | {"expected": 2, "delivered": 1, "unknown": 1}
    assert "still arriving" in reasons(finding)["unknown"]


def test_delivery_when_a_ledger_was_cut_then_missing_ones_are_unknown() -> None:
    finding = found(joined(100, A), sent(2000, A, 1), on_server=(truncated(1500),))
    assert counted(finding) == NOTHING | {"expected": 1, "unknown": 1}
    assert "could not grow" in reasons(finding)["unknown"]


def test_delivery_when_connections_are_closed_in_order_then_the_last_messages_are_still_lost() -> None:
    figures = row(
        joined(100, A),
        sent(2000, A, 1),
        received(2001, A, A, 1),
        sent(DRAIN - 1, A, 2),
        closed(CLOSE + 1, A),
    )
    assert figures == NOTHING | {"expected": 2, "delivered": 1, "lost": 1}


def test_delivery_when_nothing_ever_arrived_then_drops_shortly_after_are_unknown_and_all_else_is_lost() -> None:
    waited = CLOSE - DRAIN
    figures = row(
        *TWO_MEMBERS, sent(3000, A, 1), dropped(3000 + waited, B), sent(4000 + waited, A, 2), closed(CLOSE, A)
    )
    assert figures == NOTHING | {"expected": 3, "lost": 2, "unknown": 1, "offline": 1}


def test_delivery_when_sent_before_the_window_then_it_does_not_count_at_all() -> None:
    figures = row(
        joined(100, A),
        sent(STEADY - 1, A, 1),
        received(STEADY, A, A, 1),
        received(STEADY + 1, A, A, 1),
        sent(STEADY, A, 2),
        received(STEADY + 2, A, A, 2),
    )
    assert figures == NOTHING | {"expected": 1, "delivered": 1}


def test_delivery_when_nobody_sends_then_all_is_zero() -> None:
    assert row(*TWO_MEMBERS) == NOTHING


def test_delivery_when_two_rooms_then_each_has_its_own_messages() -> None:
    figures = row(
        joined(100, A, member=0, room="r1"),
        joined(100, B, member=1, room="r2"),
        sent(2000, A, 1),
        received(2001, A, A, 1),
        received(2002, B, A, 1),  # a stray: it was not meant for this room
    )
    assert figures == NOTHING | {"expected": 1, "delivered": 1}


def test_delivery_when_a_message_strays_into_another_room_then_nobodys_figures_change() -> None:
    rooms = (joined(100, A, member=0, room="r1"), joined(100, B, member=1, room="r2"))
    sendings = (sent(2000, A, 1), received(2001, A, A, 1), sent(2002, B, 1))
    figures = row(*rooms, *sendings, received(2003, A, B, 1))  # the first of r2, just behind the last of r1
    assert figures == NOTHING | {"expected": 2, "delivered": 1, "lost": 1}


def test_delivery_when_a_room_was_silent_then_it_has_no_pairs() -> None:
    figures = row(
        joined(100, A, member=0, room="r1"),
        joined(100, B, member=1, room="r2"),
        sent(2000, B, 1),
        received(2001, B, B, 1),
    )
    assert figures == NOTHING | {"expected": 1, "delivered": 1}


def test_delivery_when_messages_arrive_that_nobody_sent_then_they_are_no_duplicates() -> None:
    figures = row(joined(100, A), sent(2000, A, 1), received(2001, A, A, 1), *[received(2002, A, C, 9)] * 3)
    assert figures == NOTHING | {"expected": 1, "delivered": 1}


def test_delivery_when_a_connection_opens_at_the_instant_of_a_sending_then_it_is_expected() -> None:
    figures = row(joined(100, A, member=0), joined(2000, B, member=1), sent(2000, A, 1), received(2001, A, A, 1))
    assert figures == NOTHING | {"expected": 2, "delivered": 1, "lost": 1}


def test_delivery_when_the_names_of_rooms_are_missing_then_it_raises_and_counts_nothing() -> None:
    with pytest.raises(ValueError, match="names of all rooms"):
        found(joined(100, A, room=None), sent(2000, A, 1))


def test_delivery_when_the_trial_ended_early_then_it_raises() -> None:
    with pytest.raises(ValueError, match="phases"):
        check(records(client(joined(100, A), sent(2000, A, 1))))


def test_pairs_when_asked_then_they_name_the_message_and_the_connection_that_missed_it() -> None:
    trial = records(client(phases(), *TWO_MEMBERS, sent(2000, A, 1), received(2001, A, A, 1)))
    assert trial.window is not None
    pairs = pairs_of(trial, trial.window)
    lost = pairs.frame.filter("lost")
    assert pairs.messages["value"].gather(lost["message"]).to_list() == [A << 32 | 1]
    assert lost["connection"].to_list() == [B]


def test_delivery_when_the_trial_ended_before_what_was_slow_could_come_then_it_is_unknown_but_at_no_edge() -> None:
    slow = [sent(1500, A, 1), received(6500, A, A, 1)]
    finding = found(joined(100, A), slow, sent(2000, A, 2), closed(CLOSE, A))
    figures = finding.rows.row(0, named=True)
    assert (figures["unknown"], figures["edge"], figures["lost"]) == (1, 0, 0)
    assert "when the trial ended" in reasons(finding)["unknown"]


def test_delivery_when_a_member_has_only_asked_to_join_then_what_it_missed_before_its_first_is_unknown() -> None:
    finding = found(
        joined(100, A, member=0),
        joined(2000, B, member=1, asked_only=True),
        sent(2001, A, 1),
        received(2003, A, A, 1),
        sent(2010, A, 2),
        received(2013, A, A, 2),
        received(2014, B, A, 2),
    )
    assert counted(finding) == NOTHING | {"expected": 4, "delivered": 3, "unknown": 1}
    assert finding.rows["joining"].item() == 1
    assert finding.rows["edge"].item() == 0
    assert "--expect" in reasons(finding)["unknown"]


def test_delivery_when_a_member_that_had_only_asked_has_heard_something_then_what_it_misses_is_lost() -> None:
    figures = row(
        joined(100, A, member=0),
        joined(200, B, member=1, asked_only=True),
        sent(2001, A, 1),
        received(2003, A, A, 1),
        received(2004, B, A, 1),
        sent(2010, A, 2),
        received(2013, A, A, 2),
    )
    assert figures == NOTHING | {"expected": 4, "delivered": 3, "lost": 1}


def test_delivery_when_a_message_was_sent_before_the_first_one_of_a_joining_member_came_then_it_is_unknown() -> None:
    """It may have been passed on before the app had handled the asking, and the other one after that."""
    figures = row(
        joined(100, A, member=0),
        joined(200, B, member=1, asked_only=True),
        sent(2001, A, 1),
        sent(2002, A, 2),
        received(2003, A, A, 1),
        received(2004, A, A, 2),
        received(2005, B, A, 1),
    )
    assert figures == NOTHING | {"expected": 4, "delivered": 3, "unknown": 1}


def test_delivery_when_a_member_that_has_only_asked_hears_nothing_then_all_is_unknown_and_none_is_late() -> None:
    trial = records(
        client(
            phases(),
            joined(100, A, member=0),
            joined(200, B, member=1, asked_only=True),
            sent(2001, A, 1),
            received(2003, A, A, 1),
        ),
        server(),
    )
    assert counted(check(trial)) == NOTHING | {"expected": 2, "delivered": 1, "unknown": 1}
    assert trial.window is not None
    assert pairs_of(trial, trial.window).due(pl.lit(True))["delivered"].to_list() == [True]


ROOM_OF_TWO = (
    *TWO_MEMBERS,
    sent(2000, A, 1),
    received(2003, B, A, 1),
    sent(2010, B, 1),
    received(2012, B, B, 1),
)


@pytest.mark.parametrize(
    ("reaches", "figures"),
    [
        ("everyone", {"expected": 4, "delivered": 2, "lost": 2}),
        ("others", {"expected": 2, "delivered": 1, "lost": 1}),
        ("nobody", {}),
    ],
)
def test_delivery_when_messages_reach_some_only_then_they_are_expected_at_those(
    reaches: str, figures: dict[str, int]
) -> None:
    assert row(*ROOM_OF_TWO, reaches=reaches) == NOTHING | figures


def test_delivery_when_messages_reach_others_then_a_sender_that_came_back_is_no_other() -> None:
    figures = row(
        *TWO_MEMBERS,
        sent(2000, A, 1),
        dropped(2001, A),
        joined(2002, C, member=0),
        receive_in(2000.5, A),
        received(2003, B, A, 1),
        reaches="others",
    )
    assert figures == NOTHING | {"expected": 1, "delivered": 1}
