"""What is charged to the channel layer, and what to the app: queues, subscriptions, sockets; and memory."""

from collections.abc import Sequence

from loadtest.checks import ProcessResidue
from loadtest.checks.residue.audit import check
from loadtest.checks.residue.kinds import KEPT_BY_LAYER
from tests.unit.checks.histories import A, B, Line, channel, ended, held, records, server

GONE = (channel(100, A, "c1"), ended(900, A))
RUNNING = (channel(100, B, "c2"),)


def left(
    after: ProcessResidue, before: ProcessResidue | None = None, on_server: Sequence[Line] = (*GONE, *RUNNING)
) -> dict[str, int | None]:
    trial = records(server_ledger=server(*on_server), before=(before or held(),), after=(after,))
    return {kind: count for kind, count in check(trial).rows.select("kind", "left").iter_rows() if count}


def test_queue_with_messages_when_its_consumer_has_gone_then_it_is_the_layers() -> None:
    assert left(held(queues={"c1": 3})) == {"orphaned layer queues": 1}


def test_queue_with_messages_when_the_channel_is_still_in_a_group_then_it_is_the_apps() -> None:
    assert left(held(queues={"c1": 3}, groups={"g": ["c1"]})) == {"layer queues": 1, "group members": 1}


def test_queue_with_messages_when_the_consumer_still_runs_then_it_is_the_apps() -> None:
    assert left(held(queues={"c2": 1})) == {"layer queues": 1}


def test_queue_when_empty_then_it_is_the_layers() -> None:
    assert left(held(queues={"c1": 0})) == {"empty layer queues": 1}


def test_queue_when_one_process_of_two_has_messages_in_it_then_it_is_not_empty() -> None:
    trial = records(
        server_ledger=server(*GONE),
        before=(held(pid=1), held(pid=2)),
        after=(held(pid=1, queues={"c1": 0}), held(pid=2, queues={"c1": 2})),
    )
    found = dict(check(trial).rows.select("kind", "left").iter_rows())
    assert (found["orphaned layer queues"], found["empty layer queues"]) == (1, 0)


def test_subscription_when_to_a_group_or_to_a_channel_that_has_gone_then_they_are_told_apart() -> None:
    found = left(held(subscriptions=["__group__g", "c1"]))
    assert found == {"layer subscriptions": 1, "orphaned layer subscriptions": 1}


def test_subscription_when_its_consumer_ended_and_did_not_leave_the_group_then_it_is_the_layers_all_the_same() -> None:
    found = left(held(subscriptions=["__group__g", "c1", "c2"], groups={"g": ["c1", "c2"]}))
    assert found == {"layer subscriptions": 2, "orphaned layer subscriptions": 1, "group members": 2}


def test_sockets_when_of_the_layer_then_they_are_no_file_descriptors_of_the_apps() -> None:
    assert left(held(fds={"socket": 4, "layer socket": 6}), held(fds={"socket": 3, "layer socket": 1})) == {
        "file descriptors": 1,
        "layer sockets": 5,
    }


def test_memory_when_more_then_the_difference_is_left_and_when_less_nothing() -> None:
    assert left(held(memory_kb=5000), held(memory_kb=3000)) == {"memory in kB": 2000}
    assert left(held(memory_kb=3000), held(memory_kb=5000)) == {}


def test_kinds_kept_by_the_layer_when_looked_up_then_they_are_among_the_rows() -> None:
    assert set(check(records()).rows["kind"]) >= KEPT_BY_LAYER
