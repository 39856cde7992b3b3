"""Delivery: for each message and each member of its room, whether it arrived, once and in order.

See `loadtest.checks.pairs` for when a message is expected at a member, and when it is delivered, lost or unknown.
"""

import polars as pl

from loadtest.checks.delivery import table
from loadtest.checks.delivery.fan_out import fan_out
from loadtest.checks.kind import CheckResult
from loadtest.checks.pairs import Pairs, pairs_of
from loadtest.checks.records import NS_A_S, TrialRecords, Window
from loadtest.figures.column import AnyColumn
from loadtest.figures.table import Row

DEAF_MESSAGES = 5
DEAF_S = 0.5
"""Deaf is a connection that stayed open and lost this many messages at the end, all that came in at least this time: a
layer at capacity loses single ones, or many at once, and goes on."""


def check(trial: TrialRecords) -> CheckResult:
    """Return one row: the pairs of messages sent in the window that counts."""
    window = trial.window
    if window is None:
        raise ValueError("the trial did not get through its phases")
    audited = pairs_of(trial, window)
    pairs = audited.frame
    deaf = _deaf(audited, window) if audited.everything_arrived else None
    edge = (pairs["unknown"] & pairs["edge"] & ~pairs["joining"]).sum()
    joining = (pairs["unknown"] & pairs["joining"]).sum()
    row: Row = {
        table.EXPECTED: pairs.filter(~pl.col("offline")).height,
        table.DELIVERED: pairs["delivered"].sum(),
        table.LOST: pairs["lost"].sum(),
        table.DUPLICATED: (pairs["copies"].clip(1) - 1).sum(),
        table.REORDERED: pairs["reordered"].sum(),
        table.OFFLINE: pairs["offline"].sum(),
        table.UNKNOWN: pairs["unknown"].sum(),
        table.EDGE: edge,
        table.JOINING: joining,
        table.DEAF: None if deaf is None else deaf.len(),
        table.LOST_EXAMPLE: _first(pairs.filter("lost")["connection"]),
        table.DEAF_EXAMPLE: None if deaf is None else _first(deaf),
        **fan_out(audited, window),
    }
    at_an_edge = [(table.UNKNOWN, _AT_AN_EDGE)] if edge else []
    if joining:
        at_an_edge.append((table.UNKNOWN, _WHILE_JOINING))
    if window.fell_quiet and pairs.filter(pl.col("unknown") & ~pl.col("edge")).height:
        at_an_edge.append((table.UNKNOWN, _AT_THE_END))
    return CheckResult(rows=table.TABLE.frame([row]), unknown=(*at_an_edge, *_reasons(trial, window)))


def _deaf(audited: Pairs, window: Window) -> pl.Series:
    """Return the connections that stayed open to the end and lost everything from some moment on."""
    pairs = audited.frame
    lost = _with_sending(audited, pairs.filter(pl.col("lost") & (pl.col("ended_ns") > window.drain_ns)))
    suspects = lost.group_by("connection").len().filter(pl.col("len") >= DEAF_MESSAGES)["connection"]
    heard = _with_sending(audited, pairs.filter(pl.col("connection").is_in(suspects.implode()) & pl.col("delivered")))
    last_heard = heard.group_by("connection").agg(last_heard_ns=pl.col("sent_ns").max())
    missed = (
        lost.join(last_heard, on="connection", how="left")
        .filter(pl.col("sent_ns") > pl.col("last_heard_ns").fill_null(0))
        .group_by("connection")
        .agg(pl.len(), lasted_ns=pl.col("sent_ns").max() - pl.col("sent_ns").min())
    )
    is_deaf = (pl.col("len") >= DEAF_MESSAGES) & (pl.col("lasted_ns") >= DEAF_S * NS_A_S)
    return missed.filter(is_deaf)["connection"].sort()


def _with_sending(audited: Pairs, pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.select("connection", sent_ns=audited.each("sent_ns", pairs))


def _first(connections: pl.Series) -> str:
    return str(connections[0]) if connections.len() else ""


_NEED_EVERY_ARRIVAL = (table.UNKNOWN, table.DEAF, table.DEAF_EXAMPLE)
_AT_THE_END = "they had not come when the trial ended, and others had taken as long as they had been given"
_WHILE_JOINING = "nothing told yet that their receivers had joined the room; --expect 'TEXT' waits for the app's answer"
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
