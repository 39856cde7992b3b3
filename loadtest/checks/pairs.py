"""Pairs: each message with each member that it was meant for, and whether and when it arrived there.

A pair (message, member) is expected when the member was connected when the message was sent and stayed so until it
could have arrived; it is then delivered, lost, or unknown. Unknown is what lies at an edge:
- the sender's connection was dropped and the server had not taken the message from it, or a push was not answered;
- the member's connection ended so soon after the sending that the message may have been under way;
- the member had asked to join the room and awaited no answer, and the message was sent before its first one came: the
  app may not have handled the asking yet;
- messages were still arriving when the trial's drain ended, or others had taken as long as was left until then.
`edge` is the part of it that one of the first three is the reason for.
Offline is what was sent while a member was not connected: layers deliver at most once, so it is expected and not lost.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtest.checks.lateness import PLANNED_NS
from loadtest.checks.records import NS_A_US, Reaches, TrialRecords, Window
from loadtest.ledger.record import Event

NEVER_NS = 2**62
"""Longer than any time, and later: the end of a connection that has none."""
_ASKED_ONLY = 1
"""The value of OPENED where nothing tells when the member has joined."""


IS_MISSING = pl.col("lost") | (pl.col("unknown") & ~pl.col("edge"))
"""Whether what a pair should have got never came, or had not when the trial ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The messages sent from the start of the window until no more were, with the members of their rooms."""

    frame: pl.DataFrame
    """One row for each pair of a message and a member of its room that had joined by then: message (the row of
    `messages`), connection (the member's last one by then), ended_ns (of the connection), took_ns (from the planned
    sending to the first arrival; NEVER_NS if it did not come), delivered, lost, unknown, offline (bool, one of them
    true), copies (how often it arrived), reordered (bool: it first arrived after a later one of the same sender), edge
    (bool: if it is missing, it may have been under way, or not meant for the member yet), joining (bool: nothing had
    told that the member had joined when it was sent)."""
    messages: pl.DataFrame
    """value (the message), room, sent_ns, planned_ns, reached_server (bool)."""
    everything_arrived: bool
    """Whether what is missing will never come: nothing was on its way any more, and the ledger holds it all."""

    def due(self, chosen: pl.Expr) -> pl.DataFrame:
        """Return message, took_ns, delivered, lost of the pairs of the messages for which that holds.

        Without those that were not expected, or of which a drop may have cut off what was under way.
        """
        is_chosen = self.messages.select(chosen).to_series().gather(self.frame["message"])
        is_due = self.frame.select(pl.col("delivered") | IS_MISSING).to_series()
        return self.frame.select("message", "took_ns", "delivered", "lost").filter(is_chosen & is_due)

    def each(self, column: str, pairs: pl.DataFrame) -> pl.Series:
        """Return a column of `messages` for each of these pairs."""
        return self.messages[column].gather(pairs["message"])


def is_planned_in(window: Window) -> pl.Expr:
    """Whether a message was to be sent within the window."""
    return pl.col("planned_ns").is_between(window.start_ns, window.end_ns)


_KNOWN: WeakKeyDictionary[TrialRecords, Pairs] = WeakKeyDictionary()
"""The pairs of each trial that is still looked at: several checks need them."""


def pairs_of(trial: TrialRecords, window: Window) -> Pairs:
    """Return the pairs of a trial; worked out once. ValueError where the ledger does not hold the rooms' names."""
    if trial not in _KNOWN:
        _KNOWN[trial] = _audit(trial, window)
    return _KNOWN[trial]


def _audit(trial: TrialRecords, window: Window) -> Pairs:
    connections = _connections(trial)
    messages = _messages(trial, window, connections)
    pairs, places = _pairs(messages, connections)
    pairs = _with_arrivals(pairs, _arrivals(trial, messages, connections, places), messages)
    of_message = messages.select(pl.col("sent_ns", "reached_server").gather(pairs["message"]))
    everything_arrived = window.fell_quiet and not trial.is_truncated
    verdicts = _verdicts(_longest_ns(trial, window), window, everything_arrived=everything_arrived)
    judged = pairs.hstack(of_message).with_columns(**verdicts)
    meant = _meant(judged, messages, trial.reaches).drop("sent_ns", "reached_server", "joined_ns", "member")
    return Pairs(frame=meant, messages=messages.drop("sender"), everything_arrived=everything_arrived)


def _meant(pairs: pl.DataFrame, messages: pl.DataFrame, reaches: Reaches) -> pl.DataFrame:
    """Return the pairs of those to whom the app is to pass a message on."""
    match reaches:
        case "everyone":
            return pairs
        case "others":
            return pairs.filter(pl.col("member").ne_missing(messages["sender"].gather(pairs["message"])))
        case "nobody":
            return pairs.clear()


def _with_arrivals(pairs: pl.DataFrame, arrivals: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs with copies, took_ns and reordered."""
    copies = _count(arrivals["pair"], pairs.height)
    if (copies > 1).any():  # the search costs more than all the rest
        arrivals = arrivals.filter(pl.col("pair").is_first_distinct())
    took_ns = np.full(pairs.height, NEVER_NS)
    took_ns[arrivals["pair"].to_numpy()] = arrivals["time_ns"] - messages["planned_ns"].gather(arrivals["message"])
    is_late = np.zeros(pairs.height, np.bool_)
    is_late[_overtaken(arrivals).to_numpy()] = True
    return pairs.with_columns(
        copies=pl.Series(copies, dtype=pl.UInt32),
        took_ns=pl.Series(took_ns, dtype=pl.Int64),
        reordered=pl.Series(is_late, dtype=pl.Boolean),
    )


def _verdicts(longest_ns: int, window: Window, *, everything_arrived: bool) -> dict[str, pl.Expr]:
    offline = pl.col("ended_ns") <= pl.col("sent_ns")
    delivered = ~offline & (pl.col("copies") > 0)
    cut_short = pl.col("ended_ns") - pl.col("sent_ns") <= longest_ns
    joining = pl.col("sent_ns") < pl.col("joined_ns")
    edge = joining | (cut_short & (pl.col("ended_ns") < window.closing_ns)) | ~pl.col("reached_server")
    cannot_tell = edge | cut_short | pl.lit(not everything_arrived)
    return {
        "delivered": delivered,
        "offline": offline,
        "unknown": ~delivered & ~offline & cannot_tell,
        "lost": ~delivered & ~offline & ~cannot_tell,
        "edge": edge,
        "joining": joining,
    }


def _connections(trial: TrialRecords) -> pl.DataFrame:
    """Return each opened connection's member, room, and when it opened, had joined for sure, and ended, by opening."""
    opening = trial.client_events(Event.OPENING).select("connection", pl.col("value").alias("member"), room="text")
    if opening["room"].null_count():
        raise ValueError("the ledger does not hold the names of all rooms: the disk was full")
    opened = trial.client_events(Event.OPENED).select("connection", opened_ns="time_ns", asked="value")
    ended = (
        trial.client_events(Event.DROPPED, Event.PEER_CLOSED, Event.CLOSED)
        .group_by("connection")
        .agg(pl.col("time_ns").min().alias("ended_ns"))
    )
    return (
        opening.join(opened, on="connection")
        .join(ended, on="connection", how="left")
        .join(_first_heard(trial, opened), on="connection", how="left")
        .with_columns(
            pl.col("ended_ns").fill_null(NEVER_NS),
            joined_ns=pl.when(pl.col("asked") == _ASKED_ONLY).then(pl.col("heard_ns").fill_null(NEVER_NS)).otherwise(0),
        )
        .drop("asked", "heard_ns")
        .sort("opened_ns")
    )


def _first_heard(trial: TrialRecords, opened: pl.DataFrame) -> pl.DataFrame:
    """Return when the first message came (`heard_ns`) to each connection that has only asked to join."""
    asked = opened.filter(pl.col("asked") == _ASKED_ONLY)["connection"]
    heard = (
        trial.received.filter(pl.col("connection").is_in(asked.implode())) if asked.len() else trial.received.clear()
    )
    return heard.group_by("connection").agg(heard_ns=pl.col("time_ns").min())


def _messages(trial: TrialRecords, window: Window, connections: pl.DataFrame) -> pl.DataFrame:
    """Return the messages sent in the window, by room and time, numbered, with `sender` and `reached_server`.

    The sender is a member, or null: a push comes from none. The other is whether each has certainly reached the
    server's application. TCP keeps the order, so the k-th thing that the application took from a connection is the k-th
    one sent on it. A message whose sender stayed on has reached it, or is lost: nothing but the server could have held
    it back. A push has reached it when it was answered.
    """
    taken = trial.server_events(Event.RECEIVE_IN).group_by("connection").agg(taken=pl.len())
    gone = trial.client_events(Event.DROPPED, Event.PEER_CLOSED).select("connection", gone=pl.lit(True)).unique()
    pushed = trial.client_events(Event.PUSHED)["connection"]
    is_taken = pl.col("gone").is_null() | (pl.col("nth") <= pl.col("taken")).fill_null(False)
    is_push = pl.col("sender").is_null()
    return (
        _sent_nth(trial)
        .filter(pl.col("time_ns").is_between(window.start_ns, window.drain_ns))
        .join(taken, on="connection", how="left")
        .join(gone, on="connection", how="left")
        .join(_senders(trial, connections), on="connection")
        .with_columns(
            reached_server=pl.when(is_push).then(pl.col("connection").is_in(pushed.implode())).otherwise(is_taken)
        )
        .select(
            "value",
            "room",
            "sender",
            "reached_server",
            sent_ns="time_ns",
            planned_ns=PLANNED_NS,
        )
        .sort("room", "sent_ns", "value")
        .with_row_index("message")
    )


def _sent_nth(trial: TrialRecords) -> pl.DataFrame:
    """Return what was sent, and as the how many-th thing on its connection: joins and pings count too."""
    sent = trial.sent.with_columns(nth=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("connection"))
    asides = trial.client_events(Event.ASIDE)
    if asides.is_empty():
        return sent
    before = asides.select("time_ns", "connection", asides=pl.int_range(1, pl.len() + 1).over("connection"))
    counted = sent.join_asof(before, on="time_ns", by="connection", check_sortedness=False)
    return counted.with_columns(pl.col("nth") + pl.col("asides").fill_null(0)).drop("asides")


def _senders(trial: TrialRecords, connections: pl.DataFrame) -> pl.DataFrame:
    """Return the room that each sender's messages are for, and which member it is; null for what is pushed."""
    members = connections.select("connection", "room", sender="member")
    pushes = trial.client_events(Event.PUSHING).select("connection", room="text", sender=pl.lit(None, pl.UInt64))
    if pushes["room"].null_count():
        raise ValueError("the ledger does not hold the names of all rooms: the disk was full")
    return pl.concat([members, pushes])


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
        .select(
            "connection", "member", "ended_ns", "joined_ns", message=pl.int_ranges("first", "beyond", dtype=pl.UInt32)
        )
        .explode("message")
    )
    return pairs, places


def _arrivals(
    trial: TrialRecords, messages: pl.DataFrame, connections: pl.DataFrame, places: pl.DataFrame
) -> pl.DataFrame:
    """Return the arrivals of these messages at members of their room, in order.

    Columns: pair (its row), time_ns, message, sender, receiver (a number for each member).
    """
    places_of = connections.join(places, on=["room", "member"]).select("connection", "origin", "first", "beyond")
    return (
        trial.received.select("time_ns", "connection", "value")
        .join(messages.select("value", "message"), on="value", maintain_order="left")
        .join(places_of, on="connection", maintain_order="left")
        .filter(pl.col("message").is_between("first", "beyond", closed="left"))
        .select(
            "time_ns",
            "message",
            pair=pl.col("origin") + pl.col("message"),
            sender=(pl.col("value") // 2**32).cast(pl.UInt32),
            receiver="origin",
        )
    )


def _count(pairs: pl.Series, height: int) -> NDArray[np.int64]:
    """Return how often each pair's row is named."""
    return np.bincount(pairs.to_numpy(), minlength=height)


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
