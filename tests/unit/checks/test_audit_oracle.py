"""The audit against brute force: loops over plain data that count what the data frames count, written independently."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given, settings

from loadtest.checks import delivery, disconnects
from tests.unit.checks.histories import CLOSE, DRAIN, STEADY
from tests.unit.checks.random_histories import KINDS, LIVING, Connection, History, histories

EXAMPLES = 40


@settings(max_examples=EXAMPLES)
@given(histories())
def test_delivery_when_the_history_is_random_then_it_counts_as_brute_force_does(history: History) -> None:
    figures = delivery.KIND.run(history.records()).rows.row(0, named=True)
    wanted = expected_delivery(history)
    assert {name: figures[name] for name in wanted} == wanted
    assert figures["expected"] == figures["delivered"] + figures["lost"] + figures["unknown"]


@settings(max_examples=EXAMPLES)
@given(histories())
def test_disconnects_when_the_history_is_random_then_it_counts_as_brute_force_does(history: History) -> None:
    for row in disconnects.KIND.run(history.records()).rows.iter_rows(named=True):
        wanted = expected_disconnects(history, row["drop"])
        assert {name: row[name] for name in wanted} == wanted
        assert row["dropped"] == row["disconnect_called"] + row["missed"] + row["unknown"]


def expected_delivery(history: History) -> dict[str, int]:
    counts = dict.fromkeys(("delivered", "lost", "duplicated", "offline", "unknown"), 0)
    longest = longest_ms(history)
    connections_of: dict[int, list[Connection]] = defaultdict(list)
    for connection in history.connections:
        connections_of[connection.member].append(connection)
    for sender in history.connections:
        for number, at in enumerate(sender.sends, 1):
            if not STEADY <= at <= DRAIN:
                continue
            for own in connections_of.values():
                held = [connection for connection in own if connection.opened <= at]
                if own[0].room != sender.room or not held:
                    continue
                copies = sum(
                    arrival[1:] == (sender.id, number) for connection in own for arrival in connection.arrivals
                )
                counts["duplicated"] += max(0, copies - 1)
                counts[verdict(history, sender, number, held[-1], copies, longest)] += 1
    counts["expected"] = counts["delivered"] + counts["lost"] + counts["unknown"]
    counts["reordered"] = sum(reordered(history, own) for own in connections_of.values())
    return counts


def verdict(
    history: History, sender: Connection, number: int, receiver: Connection, copies: int, longest: float
) -> str:
    at = sender.sends[number - 1]
    has_end = receiver.end != "none"
    if has_end and receiver.ended <= at:
        return "offline"
    if copies:
        return "delivered"
    if not history.quiet or history.cut:
        return "unknown"
    if has_end and receiver.ended - at <= longest:
        return "unknown"
    if sender.end in ("fin", "rst", "server") and number > sender.taken:
        return "unknown"
    return "lost"


def longest_ms(history: History) -> float:
    sent_at = {(one.id, number): at for one in history.connections for number, at in enumerate(one.sends, 1)}
    took = [at - sent_at[sender, number] for one in history.connections for at, sender, number in one.arrivals]
    return max(took, default=CLOSE - DRAIN)


def reordered(history: History, own: list[Connection]) -> int:
    """Count the first arrivals at a member before which a later message of the same sender had come."""
    sends = {one.id: one.sends for one in history.connections}
    arrivals = sorted((arrival for one in own for arrival in one.arrivals), key=lambda arrival: arrival[0])
    joined = own[0].opened
    seen: dict[int, list[int]] = defaultdict(list)
    late = 0
    for _, sender, number in arrivals:
        if not max(STEADY, joined) <= sends[sender][number - 1] <= DRAIN:
            continue
        late += number not in seen[sender] and any(other > number for other in seen[sender])
        seen[sender].append(number)
    return late


def expected_disconnects(history: History, kind: str) -> dict[str, object]:
    assert kind in KINDS
    of_kind = [one for one in history.connections if one.end == kind and one.ended >= STEADY]
    called = [one for one in of_kind if one.entered]
    others = [one for one in of_kind if not one.entered]
    missed = [one for one in others if (one.pid == LIVING or one.task_ended) and not history.cut]
    running = [one for one in of_kind if not one.task_ended]
    codes = Counter(one.entered[0][1] for one in called)
    most_first = sorted(codes.items(), key=lambda code_count: (-code_count[1], code_count[0]))
    return {
        "dropped": len(of_kind),
        "disconnect_called": len(called),
        "missed": len(missed),
        "unknown": len(others) - len(missed),
        "codes": [{"value": str(code), "count": count} for code, count in most_first],
        "detect_ms_max": max((one.entered[0][0] - one.ended for one in called), default=None),
        "tasks_left": len(running) if all(one.pid == LIVING and not history.cut for one in running) else None,
    }
