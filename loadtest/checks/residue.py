"""Residue: what the server process, the channel layer and the database hold after all connections are gone.

Everything is compared with what was there before the first user came, when one connection had already been opened and
closed: what a process makes once and keeps (pools, threads, a subscriber task) is then in both.

What a channel layer keeps by itself, whatever the consumers do, has kinds of its own (KEPT_BY_LAYER) and is charged to
the layer: queues without messages; queues and subscriptions of a channel that has left its groups and whose consumer's
task has ended; connections to its broker.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from loadtest.checks.kind import Check, Finding
from loadtest.checks.records import TrialRecords
from loadtest.contract import ProcessResidue
from loadtest.ledger.record import Event

COLUMNS = ("kind", "before", "after", "left", "example")
KEPT_BY_LAYER = frozenset(
    {"layer queues, of nobody", "layer queues, empty", "layer subscriptions, of nobody", "layer sockets"}
)
"""Kinds that a channel layer keeps by itself, whatever the consumers do: charged to the layer, not to the app."""

MEMORY = "memory, kB"
"""The kind that is never exactly as it was: an allocator keeps some of what was free, and some code runs only once."""

_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    name: str
    field: str
    count: Callable[[list[Any]], Counter[str]]
    """Counts the things there are by name, from what each process told."""
    owned_by: Literal["anybody", "somebody", "nobody"] = "anybody"
    """Nobody: only what is named like a channel that is gone; somebody: all but that."""


def _members(told: list[dict[str, list[str]]]) -> Counter[str]:
    """Count group members by group; where the layer is shared, every process tells of the same ones."""
    members = {(group, member) for groups in told for group, held in groups.items() for member in held}
    return Counter(group for group, _ in members)


def _once(told: list[Iterable[object]]) -> Counter[str]:
    """Count things with names of their own, in a layer or a database that all processes may share."""
    return Counter({str(thing) for things in told for thing in things})


def _added(told: Sequence[Iterable[str] | dict[str, int]]) -> Counter[str]:
    """Count things that each process has for itself; a mapping to numbers is counted already."""
    return sum((Counter(things) for things in told), Counter())


def _waiting(told: list[dict[str, int]]) -> Counter[str]:
    """Count queues in which messages wait."""
    return Counter({queue for queues in told for queue, length in queues.items() if length})


def _empty(told: list[dict[str, int]]) -> Counter[str]:
    """Count queues in which no process has messages waiting, and which are kept all the same."""
    return Counter({queue for queues in told for queue in queues}) - _waiting(told)


def _but_of_layer(told: list[dict[str, int]]) -> Counter[str]:
    return Counter({name: count for name, count in _added(told).items() if name != _LAYER_SOCKET})


def _of_layer(told: list[dict[str, int]]) -> Counter[str]:
    return _added(told) - _but_of_layer(told)


def _kilobytes(told: list[int]) -> Counter[str]:
    return Counter({"kB": sum(told)})


_LAYER_SOCKET = "layer socket"

_KINDS = (
    _Kind(name="group members", field="groups", count=_members),
    _Kind(name="layer queues", field="queues", count=_waiting, owned_by="somebody"),
    _Kind(name="layer queues, of nobody", field="queues", count=_waiting, owned_by="nobody"),
    _Kind(name="layer queues, empty", field="queues", count=_empty),
    _Kind(name="layer subscriptions", field="subscriptions", count=_added, owned_by="somebody"),
    _Kind(name="layer subscriptions, of nobody", field="subscriptions", count=_added, owned_by="nobody"),
    _Kind(name="asyncio tasks", field="tasks", count=_added),
    _Kind(name="threads", field="threads", count=_added),
    _Kind(name="file descriptors", field="fds", count=_but_of_layer),
    _Kind(name="layer sockets", field="fds", count=_of_layer),
    _Kind(name="presence rows", field="presence", count=_once),
    _Kind(name=MEMORY, field="memory_kb", count=_kilobytes),
)


def check(trial: TrialRecords) -> Finding:
    """Return one row for each kind of thing that can be left."""
    gone = _gone_channels(trial)
    rows = [_row(kind, trial, gone) for kind in _KINDS]
    schema = {"kind": pl.String, "before": pl.Int64, "after": pl.Int64, "left": pl.Int64, "example": pl.String}
    unknown = tuple(("left", f"{row['kind']}: {_why(str(row['kind']), trial)}") for row in rows if row["left"] is None)
    return Finding(rows=pl.DataFrame(rows, schema=schema), unknown=unknown)


def left_by_kind(
    before: tuple[ProcessResidue, ...], after: tuple[ProcessResidue, ...], gone: frozenset[str]
) -> dict[str, int | None]:
    """Return how many of each kind were left, of a process without connections; `gone` are channels that have ended."""
    totals = {kind.name: (_total(kind, before, gone), _total(kind, after, gone)) for kind in _KINDS}
    return {name: None if was is None or now is None else (now - was).total() for name, (was, now) in totals.items()}


def _gone_channels(trial: TrialRecords) -> frozenset[str]:
    """Return the channels that are in no group any more and whose consumer's task has ended."""
    ended = trial.server_events(Event.TASK_ENDED)["connection"]
    channels = trial.server_events(Event.CHANNEL).filter(pl.col("connection").is_in(ended.implode()))["text"]
    in_groups = {member for residue in trial.after for members in (residue.groups or {}).values() for member in members}
    return frozenset(channels) - in_groups


def _row(kind: _Kind, trial: TrialRecords, gone: frozenset[str]) -> dict[str, object]:
    before = _total(kind, trial.before, gone)
    after = None if trial.after_unknown else _total(kind, trial.after, gone)
    row: dict[str, object] = {"kind": kind.name, "before": None, "after": None, "left": None, "example": ""}
    if before is not None:
        row["before"] = before.total()
    if after is not None:
        row["after"] = after.total()
    if before is not None and after is not None and _pids(trial.before) == _pids(trial.after):
        left = after - before  # by name: one that went does not make up for another that stayed
        row["left"] = left.total()
        row["example"] = ", ".join(f"{name} ({count})" for name, count in left.most_common(_EXAMPLES))
    return row


def _total(kind: _Kind, residues: tuple[ProcessResidue, ...], gone: frozenset[str]) -> Counter[str] | None:
    """Count over all processes; None if one of them could not tell, or if there is none."""
    told = [getattr(residue, kind.field) for residue in residues]
    if not told or None in told:
        return None
    counted = kind.count(told)
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
    field = next(kind.field for kind in _KINDS if kind.name == name)
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


def _blank(trial: TrialRecords) -> pl.DataFrame:
    return pl.DataFrame({"kind": [kind.name for kind in _KINDS]})


KIND = Check(name="residue", table="residue", columns=COLUMNS, run=check, blank=_blank)
