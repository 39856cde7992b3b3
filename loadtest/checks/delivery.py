"""Delivery: for each message and each member of its room, whether it arrived, once and in order.

A pair (message, member) is expected when the member was connected when the message was sent and stayed so until it
could have arrived; it is then delivered, lost, or unknown. Unknown is what lies at an edge:
- the sender's connection was dropped and the server had not taken the message from it;
- the member's connection ended so soon after the sending that the message may have been under way;
- messages were still arriving when the trial's drain ended.
Offline is what was sent while a member was not connected: layers deliver at most once, so it is expected and not lost.
"""

import polars as pl

from loadtest.checks.kind import Check, Finding
from loadtest.checks.records import TrialRecords, Window
from loadtest.ledger.record import Event

COLUMNS = ("expected", "delivered", "lost", "duplicated", "reordered", "offline", "unknown")

_FOREVER = 2**62
"""Later than any time: the end of a connection that has none."""


def check(trial: TrialRecords) -> Finding:
    """Return one row: the pairs of messages sent in the window that counts."""
    window = trial.window
    if window is None:
        raise ValueError("the trial did not get through its phases")
    pairs = audit_pairs(trial, window)
    arrivals = _arrivals(trial)
    row = {
        "expected": pairs.filter(~pl.col("offline")).height,
        "delivered": pairs["delivered"].sum(),
        "lost": pairs["lost"].sum(),
        "duplicated": int((arrivals.group_by("connection", "value").len()["len"] - 1).sum()),
        "reordered": _reordered(arrivals),
        "offline": pairs["offline"].sum(),
        "unknown": pairs["unknown"].sum(),
    }
    reasons: tuple[tuple[str, str], ...] = ()
    if not window.fell_quiet:
        reasons = (("unknown", "messages were still arriving when the drain ended"),)
    return Finding(rows=pl.DataFrame([row], schema=dict.fromkeys(COLUMNS, pl.Int64)), unknown=reasons)


def audit_pairs(trial: TrialRecords, window: Window) -> pl.DataFrame:
    """Return one row for each pair of a message sent in the window and a member of its room.

    Columns: value (the message), member, sent_ns, delivered, lost, unknown, offline (bool, one of them true).
    """
    connections = _connections(trial)
    sent = _sent(trial, window, connections)
    members = connections.group_by("room", "member").agg(pl.col("opened_ns").min().alias("joined_ns"))
    pairs = sent.join(members, on="room").filter(pl.col("sent_ns") >= pl.col("joined_ns")).sort("sent_ns")
    spans = connections.sort("opened_ns").select(
        "member", "opened_ns", "ended_ns", receiver="connection", listened_from="opened_ns"
    )
    pairs = pairs.join_asof(spans, left_on="sent_ns", right_on="opened_ns", by="member", check_sortedness=False)
    arrived = _arrivals(trial).select("value", receiver="connection").unique().with_columns(arrived=pl.lit(True))
    pairs = pairs.join(arrived, on=["value", "receiver"], how="left").with_columns(pl.col("arrived").fill_null(False))
    return pairs.with_columns(**_verdicts(_longest_ns(trial), window))


def _verdicts(longest_ns: int, window: Window) -> dict[str, pl.Expr]:
    delivered = pl.col("arrived")
    offline = ~delivered & (pl.col("ended_ns") <= pl.col("sent_ns"))
    cut_short = pl.col("ended_ns") - pl.col("sent_ns") <= longest_ns
    edge = cut_short | ~pl.col("reached_server") | pl.lit(not window.fell_quiet)
    return {
        "delivered": delivered,
        "offline": offline,
        "unknown": ~delivered & ~offline & edge,
        "lost": ~delivered & ~offline & ~edge,
    }


def _connections(trial: TrialRecords) -> pl.DataFrame:
    """Return each opened connection's member, room, and the times at which it opened and ended."""
    opening = trial.client_events(Event.OPENING).select("connection", pl.col("value").alias("member"), room="text")
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
    )


def _sent(trial: TrialRecords, window: Window, connections: pl.DataFrame) -> pl.DataFrame:
    """Return the messages sent in the window, with whether each had certainly reached the server's application.

    TCP keeps the order, so the k-th message that the application took from a connection is the k-th one sent on it.
    A message whose sender stayed on has reached it, or is lost: nothing but the server could have held it back.
    """
    failed = trial.client_events(Event.SEND_FAILED)["value"]
    taken = trial.server_events(Event.RECEIVE_IN).group_by("connection").agg(taken=pl.len())
    dropped = trial.client_events(Event.DROPPED, Event.PEER_CLOSED).select("connection", dropped=pl.lit(True)).unique()
    return (
        trial.client_events(Event.SENT)
        .filter(~pl.col("value").is_in(failed.implode()))
        .with_columns(nth=pl.int_range(1, pl.len() + 1).over("connection"))
        .filter(pl.col("time_ns").is_between(window.start_ns, window.drain_ns))
        .join(taken, on="connection", how="left")
        .join(dropped, on="connection", how="left")
        .with_columns(reached_server=pl.col("dropped").is_null() | (pl.col("nth") <= pl.col("taken")).fill_null(False))
        .join(connections.select("connection", "room"), on="connection")
        .select("value", "room", "reached_server", sent_ns="time_ns")
    )


def _arrivals(trial: TrialRecords) -> pl.DataFrame:
    return trial.client_events(Event.RECEIVED).select("time_ns", "connection", "value")


def _longest_ns(trial: TrialRecords) -> int:
    """Return the longest time that any message took to arrive: how long a missing one may have been under way."""
    sent = trial.client_events(Event.SENT).select("value", sent_ns="time_ns")
    took = _arrivals(trial).join(sent, on="value").select(took=pl.col("time_ns") - pl.col("sent_ns"))["took"]
    longest = took.max()
    return int(longest) if isinstance(longest, int) else 0


def _reordered(arrivals: pl.DataFrame) -> int:
    """Count arrivals that come after a later one of the same sender, per receiver; repeats do not count."""
    order = (
        arrivals.unique(["connection", "value"], keep="first", maintain_order=True)
        .with_columns(sender=pl.col("value") // 2**32)
        .with_columns(latest=pl.col("value").cum_max().over("connection", "sender"))
    )
    return order.filter(pl.col("value") < pl.col("latest")).height


def _blank(trial: TrialRecords) -> pl.DataFrame:
    return pl.DataFrame({name: [None] for name in COLUMNS})


KIND = Check(name="delivery", table="delivery", columns=COLUMNS, run=check, blank=_blank)
