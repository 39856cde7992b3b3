"""The tables of a results folder, each owned by its check; and their description, from which docs/format.md is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from loadtest.checks import CHECKS
from loadtest.figures.column import AnyColumn, Column
from loadtest.figures.table import CELL_NAMES, FORMAT_VERSION, KEY, KEY_NAMES, Table

__all__ = ["CELL_NAMES", "FORMAT_VERSION", "KEY", "KEY_NAMES", "TABLES", "UNKNOWN", "describe"]

COLUMN = Column(
    table="unknown",
    name="column",
    dtype=str,
    meaning="table and column whose cell is empty; in older formats the column alone",
)
WHY = Column(table="unknown", name="why", dtype=str, meaning="the reason in plain words")
UNKNOWN = Table(
    name="unknown",
    meaning="Why a number is not known.",
    row="one number that is not known in one trial",
    has_row_a_trial=False,
    figures=(COLUMN, WHY),
)

TABLES: Mapping[str, Table] = MappingProxyType(
    {table.name: table for table in (*(check.table for check in CHECKS), UNKNOWN)}
)
"""By the name of the file, without its ending."""


def describe() -> str:
    """The tables of docs/format.md: the key columns, then a section for each CSV file."""
    sections = [_section("Key columns", "The first columns of every CSV file.", KEY)]
    return "\n".join([*sections, *map(describe_table, TABLES.values())])


def describe_table(table: Table) -> str:
    """The section of one CSV file, without its key columns."""
    return _section(f"`{table.file}`", f"{table.meaning} One row: {table.row}.", table.figures)


def _section(heading: str, text: str, columns: Iterable[AnyColumn]) -> str:
    rows = [f"| `{c.name}` | {c.unit} | {c.type_name} | {c.meaning} | {c.better or ''} |" for c in columns]
    head = ["| column | unit | type | meaning | better |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([f"### {heading}", "", text, "", *head, *rows, ""])
