"""Disconnects: for each dropped connection, whether, when and with which code disconnect() was entered.

Missed: disconnect() was never entered by the end of settling while the process that held the connection lived. Where
that cannot be told, the connection is unknown: dropped = disconnect_called + missed + unknown, in every row.
"""

import polars as pl

from loadtest.checks.kind import Check, Finding
from loadtest.checks.records import NS_A_MS, TrialRecords
from loadtest.ledger.record import Event

COLUMNS = (
    "drop",
    "dropped",
    "disconnect_called",
    "missed",
    "unknown",
    "detect_ms_p50",
    "detect_ms_p99",
    "detect_ms_max",
    "codes",
    "groups_left",
    "tasks_left",
    "presence_left",
)


def check(trial: TrialRecords) -> Finding:
    """Return one row for each kind of drop that was planned."""
    connections = audit_drops(trial)
    reasons = _reasons(trial, connections)
    rows = [_row(kind, connections.filter(pl.col("drop") == kind), trial) for kind in trial.drops]
    return Finding(rows=pl.DataFrame(rows, schema=_SCHEMA), unknown=reasons)


def audit_drops(trial: TrialRecords) -> pl.DataFrame:
    """Return one row for each dropped connection.

    Columns: connection, drop, dropped_ns, pid (null: the server never saw it), entered_ns, code, ended (bool),
    called / missed / unknown (bool, one of them true), group_left, presence_left (bool; null: not known).
    """
    dropped = trial.client_events(Event.DROPPED).select(
        "connection", pl.col("text").alias("drop"), dropped_ns="time_ns"
    )
    scopes = trial.server_events(Event.SCOPE).select("connection", "pid")
    entered = (
        trial.server_events(Event.DISCONNECT_ENTERED)
        .group_by("connection")
        .agg(entered_ns=pl.col("time_ns").first(), code=pl.col("code").first())
    )
    ended = trial.server_events(Event.TASK_ENDED).select("connection", ended=pl.lit(True)).unique("connection")
    alive = [residue.pid for residue in trial.after]
    can_tell = pl.col("pid").is_in(alive) & pl.lit(not trial.is_truncated)
    called = pl.col("entered_ns").is_not_null()
    return (
        dropped.join(scopes, on="connection", how="left")
        .join(entered, on="connection", how="left")
        .join(ended, on="connection", how="left")
        .with_columns(
            ended=pl.col("ended").fill_null(False),
            called=called,
            missed=~called & can_tell.fill_null(False),
            unknown=~called & ~can_tell.fill_null(False),
            group_left=_is_left(_connections_in_groups(trial)),
            presence_left=_is_left(_connections_present(trial)),
        )
    )


def _is_left(connections: list[int] | None) -> pl.Expr:
    if connections is None:
        return pl.lit(None, pl.Boolean)
    return pl.col("connection").is_in(pl.Series(connections, dtype=pl.UInt64).implode())


def _connections_in_groups(trial: TrialRecords) -> list[int] | None:
    """Return the connections whose channel is still a member of a group; None when that is not known."""
    known = [residue.groups for residue in trial.after if residue.groups is not None]
    if not known:
        return None
    members = {member for groups in known for channels in groups.values() for member in channels}
    channels = trial.server_events(Event.CHANNEL).filter(pl.col("text").is_in(sorted(members)))
    return channels["connection"].to_list()


def _connections_present(trial: TrialRecords) -> list[int] | None:
    known = [residue.presence for residue in trial.after if residue.presence is not None]
    return [connection for presence in known for connection in presence] if known else None


def _row(kind: str, connections: pl.DataFrame, trial: TrialRecords) -> dict[str, object]:
    took_ms = (pl.col("entered_ns") - pl.col("dropped_ns")) / NS_A_MS
    detected = connections.filter("called").select(ms=took_ms).filter(pl.col("ms") >= 0)["ms"]
    return {
        "drop": kind,
        "dropped": connections.height,
        "disconnect_called": connections["called"].sum(),
        "missed": connections["missed"].sum(),
        "unknown": connections["unknown"].sum(),
        "detect_ms_p50": detected.quantile(0.50, "nearest"),
        "detect_ms_p99": detected.quantile(0.99, "nearest"),
        "detect_ms_max": detected.max(),
        "codes": _codes(connections.filter("called")),
        "groups_left": _sum_if_known(connections["group_left"]),
        "tasks_left": (~connections["ended"]).sum() if trial.after and not trial.is_truncated else None,
        "presence_left": _sum_if_known(connections["presence_left"]),
    }


def _sum_if_known(left: pl.Series) -> int | None:
    return None if left.null_count() else int(left.sum())


def _codes(called: pl.DataFrame) -> str:
    counts = called.group_by("code").len().sort(["len", "code"], descending=[True, False])
    return " ".join(f"{code}:{count}" for code, count in counts.iter_rows())


def _reasons(trial: TrialRecords, connections: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    reasons: list[tuple[str, str]] = []
    if trial.is_truncated:
        reasons.append(("unknown", "a ledger could not grow, so what is not in it may have happened"))
    if not trial.after:
        why = trial.after_unknown or "the residue was not read"
        reasons += [(name, why) for name in ("groups_left", "tasks_left", "presence_left")]
    never_seen = connections.filter(pl.col("pid").is_null()).height
    if never_seen:
        reasons.append(("unknown", f"{never_seen} dropped connections are not in the server's ledger"))
    for residue in trial.after:
        known = residue.unknown.keys() & _COLUMN_OF.keys()
        reasons += [(_COLUMN_OF[field], f"process {residue.pid}: {residue.unknown[field]}") for field in sorted(known)]
    return tuple(reasons)


_COLUMN_OF = {"groups": "groups_left", "presence": "presence_left"}
"""The column that a part of the residue is told in."""

_SCHEMA = pl.Schema(
    {
        "drop": pl.String(),
        "dropped": pl.Int64(),
        "disconnect_called": pl.Int64(),
        "missed": pl.Int64(),
        "unknown": pl.Int64(),
        "detect_ms_p50": pl.Float64(),
        "detect_ms_p99": pl.Float64(),
        "detect_ms_max": pl.Float64(),
        "codes": pl.String(),
        "groups_left": pl.Int64(),
        "tasks_left": pl.Int64(),
        "presence_left": pl.Int64(),
    }
)


def _blank(trial: TrialRecords) -> pl.DataFrame:
    return pl.DataFrame({"drop": trial.drops}, schema={"drop": pl.String})


KIND = Check(name="disconnects", table="disconnects", columns=COLUMNS, run=check, blank=_blank)
