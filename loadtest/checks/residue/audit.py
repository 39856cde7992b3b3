"""Residue: what the server process, the channel layer and the database hold after all connections are gone.

Everything is compared with what was there before the first user came, when one connection had already been opened and
closed: what a process makes once and keeps (pools, threads, a subscriber task) is then in both.

What a channel layer keeps by itself, whatever the consumers do, has kinds of its own (KEPT_BY_LAYER) and is charged to
the layer: queues without messages; the queue of a channel that has left its groups and whose consumer's task has ended;
the subscription to a channel whose consumer's task has ended, in a group or not; connections to its broker.
"""

from collections import Counter
from dataclasses import dataclass

import polars as pl

from loadtest.checks.kind import CheckResult
from loadtest.checks.records import TrialRecords
from loadtest.checks.residue import table
from loadtest.checks.residue.kinds import KINDS, Kind
from loadtest.contract import ProcessResidue
from loadtest.figures.table import Row
from loadtest.ledger.record import Event

_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The names of the channels whose consumer's task has ended."""

    all: frozenset[str]
    groupless: frozenset[str]
    """Those of them that are in no group: nothing is sent to these any more."""

    def named_like(self, kind: Kind) -> frozenset[str]:
        """Return those of whom the layer itself keeps what there is of a kind.

        A message to a group waits in the queue of each member, so that queue is kept by who did not leave the group. To
        a channel the layer subscribes for the consumer that reads from it, and groups have subscriptions of their own.
        """
        return self.all if kind.field == "subscriptions" else self.groupless


def check(trial: TrialRecords) -> CheckResult:
    """Return one row for each kind of thing that can be left."""
    ended = _ended_channels(trial)
    rows = [_row(kind, trial, ended) for kind in KINDS]
    unknown = [kind.name for kind, row in zip(KINDS, rows, strict=True) if row[table.LEFT] is None]
    reasons = tuple((table.LEFT, f"{name}: {_why(name, trial)}") for name in unknown)
    return CheckResult(rows=table.TABLE.frame(rows), unknown=reasons)


def blank(trial: TrialRecords) -> pl.DataFrame:
    """Return a row for each kind, with no figures."""
    return table.TABLE.frame([{**dict.fromkeys(table.TABLE.figures), table.KIND: kind.name} for kind in KINDS])


def left_by_kind(
    before: tuple[ProcessResidue, ...], after: tuple[ProcessResidue, ...], channels: frozenset[str]
) -> dict[str, int | None]:
    """Return how many of each kind were left, of a process without connections; all its `channels` have ended."""
    ended = Ended(all=channels, groupless=channels)
    totals = {kind.name: (_total(kind, before, ended), _total(kind, after, ended)) for kind in KINDS}
    return {name: None if was is None or now is None else (now - was).total() for name, (was, now) in totals.items()}


def _ended_channels(trial: TrialRecords) -> Ended:
    ended = trial.server_events(Event.TASK_ENDED)["connection"]
    channels = frozenset(trial.server_events(Event.CHANNEL).filter(pl.col("connection").is_in(ended.implode()))["text"])
    in_groups = {member for residue in trial.after for members in (residue.groups or {}).values() for member in members}
    return Ended(all=channels, groupless=channels - in_groups)


def _row(kind: Kind, trial: TrialRecords, ended: Ended) -> Row:
    before = _total(kind, trial.before, ended)
    after = None if trial.after_unknown else _total(kind, trial.after, ended)
    left = None
    if before is not None and after is not None and _pids(trial.before) == _pids(trial.after):
        left = after - before  # by name: one that went does not make up for another that stayed
    return {
        table.KIND: kind.name,
        table.BEFORE: None if before is None else before.total(),
        table.AFTER: None if after is None else after.total(),
        table.LEFT: None if left is None else left.total(),
        table.EXAMPLE: ", ".join(f"{name} ({count})" for name, count in (left or Counter()).most_common(_EXAMPLES)),
    }


def _total(kind: Kind, residues: tuple[ProcessResidue, ...], ended: Ended) -> Counter[str] | None:
    """Count over all processes; None if one of them could not tell, or if there is none."""
    told = [getattr(residue, kind.field) for residue in residues]
    if not told or None in told:
        return None
    counted = kind.count(told)
    gone = ended.named_like(kind)
    match kind.owned_by:
        case "anybody":
            return counted
        case "somebody":
            return Counter({name: count for name, count in counted.items() if name not in gone})
        case "nobody":
            return Counter({name: count for name, count in counted.items() if name in gone})


def _pids(residues: tuple[ProcessResidue, ...]) -> set[int]:
    return {residue.pid for residue in residues}


def _why(name: str, trial: TrialRecords) -> str:
    """Say why it is not known how many of a kind were left."""
    field = next(kind.field for kind in KINDS if kind.name == name)
    told = {
        f"process {residue.pid}: {residue.unknown[field]}": None
        for residue in (*trial.before, *trial.after)
        if field in residue.unknown
    }
    if trial.after_unknown or not trial.after:
        return trial.after_unknown or "the residue was not read"
    if not trial.before:
        return "it was not read before the load came"
    if _pids(trial.before) != _pids(trial.after):
        return "the server's processes are not those that were there before the load came"
    return "; ".join(told) or "neither the layer nor the app tells"
