"""Delivery: for each message and each member of its room, whether it arrived, once and in order.

A pair (message, member) is expected when the member was connected when the message was sent and stayed so until it
could have arrived; it is then delivered, lost, or unknown. Unknown is what lies at an edge:
- the sender's connection was dropped and the server had not taken the message from it;
- the member's connection ended so soon after the sending that the message may have been under way;
- messages were still arriving when the trial's drain ended.
`edge` is the part of it that the first two are the reason for.
Offline is what was sent while a member was not connected: layers deliver at most once, so it is expected and not lost.
"""

import numpy as np
import polars as pl

from loadtest.checks.delivery import table
from loadtest.checks.kind import CheckResult
from loadtest.checks.records import NS_A_S, NS_A_US, TrialRecords, Window
from loadtest.figures.column import AnyColumn
from loadtest.figures.table import Row
from loadtest.ledger.record import Event

DEAF_MESSAGES = 5
DEAF_S = 0.5
"""Deaf is a connection that stayed open and lost this many messages at the end, all that came in at least this time: a
layer at capacity loses single ones, or many at once, and goes on."""

_FOREVER = 2**62
"""Later than any time: the end of a connection that has none."""


def check(trial: TrialRecords) -> CheckResult:
    """Return one row: the pairs of messages sent in the window that counts."""
    window = trial.window
    if window is None:
        raise ValueError("the trial did not get through its phases")
    pairs = audit_pairs(trial, window)
    deaf = _deaf(pairs, window) if _everything_arrived(trial, window) else None
    edge = (pairs["unknown"] & pairs["edge"]).sum()
    row: Row = {
        table.EXPECTED: pairs.filter(~pl.col("offline")).height,
        table.DELIVERED: pairs["delivered"].sum(),
        table.LOST: pairs["lost"].sum(),
        table.DUPLICATED: (pairs["copies"].clip(1) - 1).sum(),
        table.REORDERED: pairs["reordered"].sum(),
        table.OFFLINE: pairs["offline"].sum(),
        table.UNKNOWN: pairs["unknown"].sum(),
        table.EDGE: edge,
        table.DEAF: None if deaf is None else deaf.len(),
        table.LOST_EXAMPLE: _first(pairs.filter("lost")["connection"]),
        table.DEAF_EXAMPLE: None if deaf is None else _first(deaf),
    }
    at_an_edge = [(table.UNKNOWN, _AT_AN_EDGE)] if edge else []
    return CheckResult(rows=table.TABLE.frame([row]), unknown=(*at_an_edge, *_reasons(trial, window)))


def audit_pairs(trial: TrialRecords, window: Window) -> pl.DataFrame:
    """Return one row for each pair of a message sent in the window and a member of its room that had joined by then.

    Columns: value (the message), connection (the member's last one by then), ended_ns (of the connection), sent_ns,
    delivered, lost, unknown, offline (bool, one of them true), copies (how often it arrived), reordered (bool: it first
    arrived after a later one of the same sender), edge (bool: if it is missing, it may have been under way).
    """
    connections = _connections(trial)
    messages = _messages(trial, window, connections)
    pairs, places = _pairs(messages, connections)
    arrivals = _arrivals(trial, messages, connections, places)
    copies = _count(arrivals["pair"], pairs.height)
    if (copies > 1).any():  # the search costs more than all the rest
        arrivals = arrivals.filter(pl.col("pair").is_first_distinct())
    late = _count(_overtaken(arrivals), pairs.height)
    verdicts = _verdicts(_longest_ns(trial, window), everything_arrived=_everything_arrived(trial, window))
    return pairs.with_columns(copies=copies, reordered=late > 0).with_columns(**verdicts)


def _verdicts(longest_ns: int, *, everything_arrived: bool) -> dict[str, pl.Expr]:
    offline = pl.col("ended_ns") <= pl.col("sent_ns")
    delivered = ~offline & (pl.col("copies") > 0)
    cut_short = pl.col("ended_ns") - pl.col("sent_ns") <= longest_ns
    edge = cut_short | ~pl.col("reached_server")
    cannot_tell = edge | pl.lit(not everything_arrived)
    return {
        "delivered": delivered,
        "offline": offline,
        "unknown": ~delivered & ~offline & cannot_tell,
        "lost": ~delivered & ~offline & ~cannot_tell,
        "edge": edge,
    }


def _everything_arrived(trial: TrialRecords, window: Window) -> bool:
    return window.fell_quiet and not trial.is_truncated


def _deaf(pairs: pl.DataFrame, window: Window) -> pl.Series:
    """Return the connections that stayed open to the end and lost everything from some moment on."""
    lost = pairs.filter(pl.col("lost") & (pl.col("ended_ns") > window.drain_ns))
    suspects = lost.group_by("connection").len().filter(pl.col("len") >= DEAF_MESSAGES)["connection"]
    heard = pairs.filter(pl.col("connection").is_in(suspects.implode()) & pl.col("delivered"))
    last_heard = heard.group_by("connection").agg(last_heard_ns=pl.col("sent_ns").max())
    missed = (
        lost.join(last_heard, on="connection", how="left")
        .filter(pl.col("sent_ns") > pl.col("last_heard_ns").fill_null(0))
        .group_by("connection")
        .agg(pl.len(), lasted_ns=pl.col("sent_ns").max() - pl.col("sent_ns").min())
    )
    is_deaf = (pl.col("len") >= DEAF_MESSAGES) & (pl.col("lasted_ns") >= DEAF_S * NS_A_S)
    return missed.filter(is_deaf)["connection"].sort()


def _first(connections: pl.Series) -> str:
    return str(connections[0]) if connections.len() else ""


def _connections(trial: TrialRecords) -> pl.DataFrame:
    """Return each opened connection's member, room, and the times at which it opened and ended, by opening."""
    opening = trial.client_events(Event.OPENING).select("connection", pl.col("value").alias("member"), room="text")
    if opening["room"].null_count():
        raise ValueError("the ledger does not hold the names of all rooms: the disk was full")
    opened = trial.client_events(Event.OPENED).select("connection", opened_ns="time_ns")
    ended = (
        trial.client_events(Event.DROPPED, Event.PEER_CLOSED, Event.CLOSED)
        .group_by("connection")
        .agg(pl.col("time_ns").min().alias("ended_ns"))
    )
    return (
        opening.join(opened, on="connection")
        .join(ended, on="connection", how="left")
        .with_columns(pl.col("ended_ns").fill_null(_FOREVER))
        .sort("opened_ns")
    )


def _messages(trial: TrialRecords, window: Window, connections: pl.DataFrame) -> pl.DataFrame:
    """Return the messages sent in the window, by room and time, numbered (`message`), with `reached_server`.

    That is whether each has certainly reached the server's application. TCP keeps the order, so the k-th message that
    the application took from a connection is the k-th one sent on it. A message whose sender stayed on has reached it,
    or is lost: nothing but the server could have held it back.
    """
    taken = trial.server_events(Event.RECEIVE_IN).group_by("connection").agg(taken=pl.len())
    gone = trial.client_events(Event.DROPPED, Event.PEER_CLOSED).select("connection", gone=pl.lit(True)).unique()
    return (
        trial.sent.with_columns(nth=pl.int_range(1, pl.len() + 1).over("connection"))
        .filter(pl.col("time_ns").is_between(window.start_ns, window.drain_ns))
        .join(taken, on="connection", how="left")
        .join(gone, on="connection", how="left")
        .with_columns(reached_server=pl.col("gone").is_null() | (pl.col("nth") <= pl.col("taken")).fill_null(False))
        .join(connections.select("connection", "room"), on="connection")
        .select("value", "room", "reached_server", sent_ns="time_ns")
        .sort("room", "sent_ns", "value")
        .with_row_index("message")
    )


def _pairs(messages: pl.DataFrame, connections: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the pairs, and for each member the place of its pairs among them.

    The messages of a room are numbered by time, so those that fall to one connection of a member are a range, from
    its opening to the opening of the member's next one. A member's pairs stand together: the pair of a message is row
    `origin` + message, for messages from `first` to before `beyond`.
    """
    rooms = messages.group_by("room").agg(beyond=pl.col("message").max() + 1)
    starts = messages.select("room", "sent_ns", first="message").sort("sent_ns")
    spans = (
        connections.join(rooms, on="room", maintain_order="left")
        .join_asof(
            starts, left_on="opened_ns", right_on="sent_ns", by="room", strategy="forward", check_sortedness=False
        )
        .with_columns(first=pl.col("first").fill_null(pl.col("beyond")))
        .sort("room", "member", "opened_ns")
        .with_columns(beyond=pl.col("first").shift(-1).over("room", "member").fill_null(pl.col("beyond")))
        .with_columns(size=(pl.col("beyond") - pl.col("first")).cast(pl.Int64))
        .with_columns(origin=pl.col("size").cum_sum() - pl.col("size") - pl.col("first"))
    )
    places = spans.group_by("room", "member").agg(
        pl.col("origin").first(), pl.col("first").min(), pl.col("beyond").max()
    )
    pairs = (
        spans.filter(pl.col("size") > 0)
        .select("connection", "ended_ns", message=pl.int_ranges("first", "beyond", dtype=pl.UInt32))
        .explode("message")
    )
    of_message = messages.select(pl.col("value", "sent_ns", "reached_server").gather(pairs["message"]))
    return pairs.drop("message").hstack(of_message), places


def _arrivals(
    trial: TrialRecords, messages: pl.DataFrame, connections: pl.DataFrame, places: pl.DataFrame
) -> pl.DataFrame:
    """Return the arrivals of these messages at members of their room, in order: pair (its row), sender, message."""
    places_of = connections.join(places, on=["room", "member"]).select("connection", "origin", "first", "beyond")
    return (
        trial.received.select("connection", "value")
        .join(messages.select("value", "message"), on="value", maintain_order="left")
        .join(places_of, on="connection", maintain_order="left")
        .filter(pl.col("message").is_between("first", "beyond", closed="left"))
        .select(
            "message",
            pair=pl.col("origin") + pl.col("message"),
            sender=(pl.col("value") // 2**32).cast(pl.UInt32),
            receiver="origin",
        )
    )


def _count(pairs: pl.Series, height: int) -> pl.Series:
    """Return how often each pair's row is named."""
    return pl.Series(np.bincount(pairs.to_numpy(), minlength=height), dtype=pl.Int64)


def _overtaken(arrivals: pl.DataFrame) -> pl.Series:
    """Return the pairs whose message came after a later one of the same sender."""
    latest = pl.col("message").cum_max().over("receiver", "sender")
    return arrivals.filter(pl.col("message") < latest)["pair"]


def _longest_ns(trial: TrialRecords, window: Window) -> int:
    """Return the longest time any message took until it was handled: so long may a missing one have been under way.

    What has arrived and not been handled when a connection ends, or its process is killed, is in no ledger. When none
    arrived, the time that was waited for one at the end.
    """
    sent = trial.sent.select("value", sent_ns="time_ns")
    handled = trial.received.drop("connection").join(sent, on="value")
    took = handled.select(pl.col("time_ns") + pl.col("lag_us").cast(pl.Int64) * NS_A_US - pl.col("sent_ns")).to_series()
    longest = took.max()
    return int(longest) if isinstance(longest, int) else window.closing_ns - window.drain_ns


_NEED_EVERY_ARRIVAL = (table.UNKNOWN, table.DEAF, table.DEAF_EXAMPLE)
_AT_AN_EDGE = "they were under way when the sender's or the receiver's connection ended"


def _reasons(trial: TrialRecords, window: Window) -> list[tuple[AnyColumn, str]]:
    reasons: list[tuple[AnyColumn, str]] = []
    if not window.fell_quiet:
        why = "messages were still arriving when the drain ended"
        reasons += [(column, why) for column in _NEED_EVERY_ARRIVAL]
    if trial.is_truncated:
        why = "a ledger could not grow, so what is not in it may have happened"
        reasons += [(column, why) for column in _NEED_EVERY_ARRIVAL]
    return reasons
