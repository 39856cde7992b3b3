"""Residue: what the server process, the channel layer and the database hold after all connections are gone.

Everything is compared with what was there before the first user came, when one connection had already been opened and
closed: what a process makes once and keeps (pools, threads, a subscriber task) is then in both.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from loadtest.checks.kind import Check, Finding
from loadtest.checks.records import ProcessResidue, TrialRecords

COLUMNS = ("kind", "before", "after", "left", "example")
_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    name: str
    field: str
    things: Callable[[ProcessResidue], Counter[str] | None]
    """The things there are, counted by name; None: not known."""


def _counted(field: str) -> Callable[[ProcessResidue], Counter[str] | None]:
    """Count a field's names; a mapping to numbers is counted already."""

    def things(residue: ProcessResidue) -> Counter[str] | None:
        value: Iterable[object] | None = getattr(residue, field)
        if value is None:
            return None
        return Counter(value) if isinstance(value, dict) else Counter(map(str, value))

    return things


def _group_members(residue: ProcessResidue) -> Counter[str] | None:
    if residue.groups is None:
        return None
    return Counter({group: len(members) for group, members in residue.groups.items()})


def _queues(residue: ProcessResidue) -> Counter[str] | None:
    return None if residue.queues is None else Counter(residue.queues.keys())


_KINDS = (
    _Kind(name="group members", field="groups", things=_group_members),
    _Kind(name="layer queues", field="queues", things=_queues),
    _Kind(name="layer subscriptions", field="subscriptions", things=_counted("subscriptions")),
    _Kind(name="asyncio tasks", field="tasks", things=_counted("tasks")),
    _Kind(name="threads", field="threads", things=_counted("threads")),
    _Kind(name="file descriptors", field="fds", things=_counted("fds")),
    _Kind(name="presence rows", field="presence", things=_counted("presence")),
)


def check(trial: TrialRecords) -> Finding:
    """Return one row for each kind of thing that can be left."""
    rows = [_row(kind, trial) for kind in _KINDS]
    why = trial.after_unknown or "the residue was not read"
    unknown = (("left", why),) if not trial.after else ()
    schema = {"kind": pl.String, "before": pl.Int64, "after": pl.Int64, "left": pl.Int64, "example": pl.String}
    return Finding(rows=pl.DataFrame(rows, schema=schema), unknown=unknown)


def _row(kind: _Kind, trial: TrialRecords) -> dict[str, object]:
    before, after = _total(kind, trial.before), _total(kind, trial.after)
    row: dict[str, object] = {"kind": kind.name, "before": None, "after": None, "left": None, "example": ""}
    if before is not None:
        row["before"] = before.total()
    if after is not None:
        row["after"] = after.total()
    if before is not None and after is not None:
        row["left"] = max(0, after.total() - before.total())
        row["example"] = ", ".join(f"{name} ({count})" for name, count in (after - before).most_common(_EXAMPLES))
    return row


def _total(kind: _Kind, residues: tuple[ProcessResidue, ...]) -> Counter[str] | None:
    """Add up all processes; unknown if one of them is, or if there is none."""
    counts = [kind.things(residue) for residue in residues]
    if not counts or any(count is None for count in counts):
        return None
    return sum((count for count in counts if count is not None), Counter())


def _blank(trial: TrialRecords) -> pl.DataFrame:
    return pl.DataFrame({"kind": [kind.name for kind in _KINDS]})


KIND = Check(name="residue", table="residue", columns=COLUMNS, run=check, blank=_blank)
