"""The table residue.csv: its columns, as the handles by which they are asked for: LEFT["threads"]."""

from functools import partial

from loadtest.checks.residue.kinds import KINDS
from loadtest.figures.column import Column
from loadtest.figures.table import Table

_column = partial(Column, table="residue")
_of_kind = partial(_column, qualifiers=tuple(kind.name for kind in KINDS))
_count = partial(_of_kind, dtype=int, over_trials="median")

KIND = _column(name="kind", dtype=str, meaning="what was counted: group members, layer queues, asyncio tasks, ...")
BEFORE = _count(name="before", meaning="how many before the first connection")
AFTER = _count(name="after", meaning="how many after the last had ended and the server had settled")
LEFT = _count(name="left", meaning="how many of these the load left behind", better="lower")
EXAMPLE = _of_kind(name="example", dtype=str, meaning="one of those left behind, by its name")

TABLE = Table(
    name="residue",
    meaning="What was there before the load and what was there after it had gone.",
    row="one kind of residue in one trial",
    kind=KIND,
    kinds_formerly={old: kind.name for kind in KINDS for old in kind.formerly},
    figures=(KIND, BEFORE, AFTER, LEFT, EXAMPLE),
)
