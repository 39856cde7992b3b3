"""Dropped connections: what became of each, from both ledgers and the residue, one row a connection.

Those that were dropped before the window that counts are left out.

The verdict is one of four:
- called: disconnect() was entered;
- missed: it never was, and its task had ended, so that it never will be; or it was not by the end of settling, while
  the process that held the connection lived;
- never reached: no application ever ran for it (it died inside the HTTP upgrade), so there was nothing to call;
- unknown: it cannot be told, because the process died or was not asked after settling, a ledger could not grow, or the
  server let the connection in and yet did not record it (its application came without the probe, or a proxy took our
  header away).
A missed one has a cause, the first of CAUSES that its records show.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import polars as pl

from loadtest.checks.records import NS_A_MS, NS_A_S, TrialRecords
from loadtest.contract import ProcessResidue
from loadtest.ledger.record import Event

SEND_RAISED = "send to the gone client raised"
HANDLER_RAISED = "handler raised"
CONNECT_RUNNING = "connect() still running"
HANDLER_BUSY = "handler busy"
ENDED_SILENTLY = "task ended without disconnect()"
NOT_NOTICED = "not noticed"

CANCELLED = "asyncio.exceptions.CancelledError"
"""What ends the tasks of a server that is being stopped: nobody knows how such a one would have ended."""

CAUSES = (SEND_RAISED, HANDLER_RAISED, ENDED_SILENTLY, CONNECT_RUNNING, HANDLER_BUSY, NOT_NOTICED)
"""Why disconnect() was not entered, in the order in which they are looked for.

- send raised: sending to the client that was gone raised and ended the consumer's task (django/channels#1466);
- handler raised: another exception ended it;
- ended silently: the task ended without an exception and without disconnect();
- handler busy: the task still ran when settling ended, in a handler that had not returned;
- connect() still running: the connection was never accepted, and its task has not ended;
- not noticed: the server still held the connection as open when settling ended.
"""


_KNOWN: WeakKeyDictionary[TrialRecords, pl.DataFrame] = WeakKeyDictionary()
"""The dropped connections of each trial that is still looked at: one check sums them up, another lists them."""


def dropped_connections(trial: TrialRecords) -> pl.DataFrame:
    """Return one row for each dropped connection; worked out once a trial, and again where that failed.

    connection, drop, dropped_ns, age_s (since it was open; null: it never was), pid (null: the server never saw it);
    noticed_ns (ASGI disconnect), noticed_code, entered_ns, code, returned_ns, raised (exception class of disconnect()),
    accepted_ns, send_raised (exception class), ended_ns, ended_by (exception class; null: none), handling (type of the
    message a task that still runs is handling, "" if none; null: it has ended), noticed_ms, detect_ms and ended_ms
    (from the drop until it was noticed, entered and ended), verdict (called, missed, never reached, unknown), cause
    (null unless missed), task_left, group_left, presence_left, queue_left, subscription_left (bool; null: not known).
    """
    if trial not in _KNOWN:
        _KNOWN[trial] = _audit(trial)
    return _KNOWN[trial]


def _audit(trial: TrialRecords) -> pl.DataFrame:
    frame = _dropped(trial)
    for events, columns in _SERVER_SIDE:
        first = trial.server_events(events).group_by("connection", maintain_order=True).first()
        frame = frame.join(first.select("connection", **columns), on="connection", how="left", maintain_order="left")
    frame = frame.join(_handling(trial), on="connection", how="left", maintain_order="left").with_columns(
        noticed_ms=_since_drop(trial, "noticed_ns"),
        detect_ms=_since_drop(trial, "entered_ns"),
        ended_ms=_since_drop(trial, "ended_ns"),
        verdict=_verdict(trial, was_opened=pl.col("age_s").is_not_null()),
    )
    has_channel = pl.col("pid").is_not_null() | (pl.col("verdict") == "never reached")
    return frame.with_columns(
        cause=pl.when(pl.col("verdict") == "missed").then(_cause()),
        task_left=_task_left(trial),
        group_left=pl.when(has_channel).then(_is_left(_in_groups(trial))),
        queue_left=pl.when(has_channel).then(_is_left(_with_queues(trial))),
        subscription_left=pl.when(has_channel).then(_is_left(_subscribed(trial))),
        presence_left=_is_left(_present(trial)),
    )


def _since_drop(trial: TrialRecords, column: str) -> pl.Expr:
    """From the drop until a time of the server's, in ms; 0 where the clocks are not known well enough to tell.

    What is further below 0 was before the drop: the server had ended the connection itself.
    """
    since_ns = pl.col(column) - pl.col("dropped_ns")
    return pl.when(since_ns.is_between(-trial.clock_bound_ns, 0)).then(0).otherwise(since_ns) / NS_A_MS


def _dropped(trial: TrialRecords) -> pl.DataFrame:
    start_ns = trial.window.start_ns if trial.window else 0
    opened = trial.client_events(Event.OPENED).select("connection", opened_ns="time_ns")
    return (
        trial.client_events(Event.DROPPED)
        .select("connection", drop="text", dropped_ns="time_ns")
        .unique("connection", keep="first", maintain_order=True)
        .filter(pl.col("dropped_ns") >= start_ns)
        .join(opened, on="connection", how="left", maintain_order="left")
        .with_columns(age_s=(pl.col("dropped_ns") - pl.col("opened_ns")) / NS_A_S)
    )


_SERVER_SIDE = (
    (Event.SCOPE, {"pid": "pid", "scope_ns": "time_ns"}),
    (Event.ACCEPTED, {"accepted_ns": "time_ns"}),
    (Event.DISCONNECT_IN, {"noticed_ns": "time_ns", "noticed_code": "code"}),
    (Event.DISCONNECT_ENTERED, {"entered_ns": "time_ns", "code": "code"}),
    (Event.DISCONNECT_RETURNED, {"returned_ns": "time_ns"}),
    (Event.DISCONNECT_RAISED, {"raised": "text"}),
    (Event.SEND_RAISED, {"send_raised": "text"}),
    (Event.TASK_ENDED, {"ended_ns": "time_ns", "ended_by": "text"}),
)


def _verdict(trial: TrialRecords, *, was_opened: pl.Expr) -> pl.Expr:
    return (
        pl.when(pl.col("entered_ns").is_not_null())
        .then(pl.lit("called"))
        .when(pl.lit(trial.is_truncated))
        .then(pl.lit("unknown"))
        .when(_has_ended_by_itself())
        .then(pl.lit("missed"))
        .when(pl.lit(not trial.after))
        .then(pl.lit("unknown"))
        .when(pl.col("pid").is_null() & ~was_opened)
        .then(pl.lit("never reached"))
        .when(_is_alive(trial))
        .then(pl.lit("missed"))
        .otherwise(pl.lit("unknown"))
    )


def _has_ended_by_itself() -> pl.Expr:
    return pl.col("ended_ns").is_not_null() & (pl.col("ended_by").fill_null("") != CANCELLED)


def _is_alive(trial: TrialRecords) -> pl.Expr:
    """Tell whether the process that held the connection answered after settling."""
    alive = pl.Series([residue.pid for residue in trial.after], dtype=pl.Int32)
    return pl.col("pid").is_in(alive.implode()).fill_null(False)


def _task_left(trial: TrialRecords) -> pl.Expr:
    has_ended = pl.col("ended_ns").is_not_null() | (pl.col("verdict") == "never reached")
    return pl.when(has_ended).then(False).when(_is_alive(trial) & pl.lit(not trial.is_truncated)).then(True)


def _cause() -> pl.Expr:
    has_ended = pl.col("ended_ns").is_not_null()
    by_send = pl.col("send_raised").is_not_null() & (pl.col("ended_by") == pl.col("send_raised"))
    return (
        pl.when(has_ended & by_send)
        .then(pl.lit(SEND_RAISED))
        .when(has_ended & pl.col("ended_by").is_not_null())
        .then(pl.lit(HANDLER_RAISED))
        .when(has_ended)
        .then(pl.lit(ENDED_SILENTLY))
        .when((pl.col("handling") == "websocket.connect") | pl.col("accepted_ns").is_null())
        .then(pl.lit(CONNECT_RUNNING))
        .when((pl.col("handling") != "") | pl.col("noticed_ns").is_not_null())
        .then(pl.lit(HANDLER_BUSY))
        .otherwise(pl.lit(NOT_NOTICED))
    )


def _handling(trial: TrialRecords) -> pl.DataFrame:
    busy = {connection: message for residue in trial.after for connection, message in (residue.busy or {}).items()}
    return pl.DataFrame(
        {"connection": list(busy), "handling": list(busy.values())},
        schema={"connection": pl.UInt64, "handling": pl.String},
    )


def _is_left(connections: pl.Series | None) -> pl.Expr:
    if connections is None:
        return pl.lit(None, pl.Boolean)
    return pl.col("connection").is_in(connections.implode())


def _in_groups(trial: TrialRecords) -> pl.Series | None:
    """Return the connections whose channel is still a member of a group; None where that is not known."""
    known = _told_by_all(trial, "groups")
    members = {member for groups in known or () for channels in groups.values() for member in channels}
    return None if known is None else _owners(trial, members)


def _with_queues(trial: TrialRecords) -> pl.Series | None:
    """Return the connections for whose channel the layer still keeps messages; None where that is not known."""
    known = _told_by_all(trial, "queues")
    waiting = {channel for queues in known or () for channel, length in queues.items() if length}
    return None if known is None else _owners(trial, waiting)


def _subscribed(trial: TrialRecords) -> pl.Series | None:
    """Return the connections to whose channel the layer is still subscribed; None where that is not known."""
    known = _told_by_all(trial, "subscriptions")
    channels = {channel for subscriptions in known or () for channel in subscriptions}
    return None if known is None else _owners(trial, channels)


def _told_by_all(trial: TrialRecords, part: str) -> list[Any] | None:
    """Return what each process told of its layer; None when one did not, or when some channels are not in the ledger.

    The one that did not tell may be the one that still holds the channel.
    """
    told = [getattr(residue, part) for residue in trial.after]
    return None if not told or None in told or trial.after_unknown or trial.is_truncated else told


def _owners(trial: TrialRecords, channels: set[str]) -> pl.Series:
    return trial.server_events(Event.CHANNEL).filter(pl.col("text").is_in(sorted(channels)))["connection"]


def _present(trial: TrialRecords) -> pl.Series | None:
    """Return the connections that the app still calls online; None where that is not known.

    Every process reads that from the same database, and tells ids of connections or names of channels. Of a number, and
    of what is neither, it is known only where nobody is left.
    """
    online = _online(trial.after)
    if online is None or isinstance(online, int):
        before = _online(trial.before)
        none_left = isinstance(online, int) and isinstance(before, int) and online <= before
        return pl.Series([], dtype=pl.UInt64) if none_left else None
    known = set(trial.client["connection"].unique())
    ids = pl.Series([one for one in online if one in known], dtype=pl.UInt64)
    ours = pl.concat([ids, _owners(trial, {one for one in online if isinstance(one, str)})])
    before = _online(trial.before)
    is_told = not ours.is_empty() or not (online - before if isinstance(before, set) else online)
    return ours if is_told else None


def _online(residues: Sequence[ProcessResidue]) -> set[int | str] | int | None:
    """Return who is online by what all processes told, or how many; None where none told."""
    told = [residue.presence for residue in residues if residue.presence is not None]
    numbers = [one for one in told if isinstance(one, int)]
    if numbers or not told:
        return max(numbers, default=None)
    return {one for presence in told if not isinstance(presence, int) for one in presence}
