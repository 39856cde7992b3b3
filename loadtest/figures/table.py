"""A table of results: the columns that name a trial, then its own; and the rows that a check makes for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from loadtest.dimensions import DIMENSIONS, FIRST_VERSION, AnyDimension
from loadtest.figures.column import AnyColumn, Column, Content

FORMAT_VERSION: Final = 6
"""Version of the results folder. Changes: 1 = the first; 2 = unasked_example, lost_example, deaf_example;
3 = subscriptions_left, and of each drop noticed_ms, returned, ended_ms, subscription_left;
4 = broker_cpu_s, open_failed, open_failures; ended_unasked and unasked_example are now ended_unexpectedly and
unexpected_example; codes are written as causes are; the manifest describes the values of the dimensions;
four kinds of residue have new names (loadtest/checks/residue/kinds.py has the old ones);
5 = the dimension load, figures of load, exposure and validity; single drops at random moments, with their age;
6 = detect_error_ms, stood_still_ms."""

KEY: Final[tuple[AnyColumn, ...]] = (
    *(
        Column(
            table="",
            name=dimension.name,
            unit=dimension.unit,
            dtype=dimension.dtype,
            meaning=dimension.meaning,
            since=dimension.since,
            default=dimension.default if dimension.since > FIRST_VERSION else None,
        )
        for dimension in DIMENSIONS
    ),
    Column(table="", name="trial", dtype=int, meaning="which measured run of this cell, from 1"),
)
"""The first columns of every table: they name a trial."""

KEY_NAMES: Final = tuple(column.name for column in KEY)
CELL_NAMES: Final = KEY_NAMES[:-1]

Row = Mapping[AnyColumn | AnyDimension, object]
"""What a check fills a row of its table with."""

Figures = Mapping[AnyColumn, Content]
"""Figures of one trial, by their handles."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """One CSV file."""

    name: str
    meaning: str
    row: str
    """What one row stands for."""
    figures: tuple[AnyColumn, ...]
    since: int = 1
    """The version of the results folder that it came with: an older folder has no such file."""
    has_row_a_trial: bool = True
    """A trial has one row, or one for each kind; else it has any number, which only the file holds."""
    kind: AnyColumn | None = None
    """The column that says of which kind a row is, where a trial has one for each kind."""
    kinds_formerly: Mapping[str, str] = field(default_factory=dict)
    """The names of today of those kinds that have another one in older folders."""
    whole: AnyColumn | None = None
    """The column of counts that is the sum of `parts` in each row."""
    parts: tuple[AnyColumn, ...] = ()
    refines: tuple[AnyDimension, ...] = ()
    """Dimensions of which each row says its own value: that of a part of the trial."""
    derived: Mapping[AnyColumn, Callable[[Figures], Content]] = field(default_factory=dict)
    """Figures that are made from a row's others, and are in no file."""

    @property
    def columns(self) -> tuple[AnyColumn, ...]:
        """All columns, those that name the trial first."""
        return KEY + self.figures

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}.csv"

    @property
    def unique(self) -> tuple[str, ...]:
        """The columns that no two rows share; none where rows may repeat."""
        return (*KEY_NAMES, *([self.kind.name] if self.kind else ())) if self.has_row_a_trial else ()

    @property
    def schema(self) -> pl.Schema:
        """The columns that a check fills, as a data frame has them."""
        refined = {dimension.name: column.polars for dimension in self.refines for column in KEY
                   if column.name == dimension.name}  # fmt: skip
        return pl.Schema({**refined, **{column.name: column.polars for column in self.figures}})

    def frame(self, rows: Iterable[Row]) -> pl.DataFrame:
        """Return rows of figures as a data frame; KeyError for a handle of another table, or one that is left out."""
        names = list(self.schema)
        found = [{handle.name: value for handle, value in row.items() if self._has(handle)} for row in rows]
        return pl.DataFrame([[row[name] for name in names] for row in found], schema=self.schema, orient="row")

    def _has(self, handle: Any) -> bool:
        if handle in self.figures or any(handle is dimension for dimension in self.refines):
            return True
        raise KeyError(f"{handle} is no column of {self.name}")
