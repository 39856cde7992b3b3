"""A column: the handle by which a figure is asked for, and all that is known of it before anything is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, Literal, Self, TypeVar

import polars as pl

Content = int | float | str | Counter[str] | None
"""What a figure can be; a Counter says how often each of several values came."""

V = TypeVar("V", int, float, str, Counter[str])

Better = Literal["higher", "lower"]
OverTrials = Literal["total", "median", "none"]

POLARS: Final[Mapping[type, pl.DataType]] = {
    int: pl.Int64(),
    float: pl.Float64(),
    str: pl.String(),
    Counter: pl.List(pl.Struct({"value": pl.String(), "count": pl.Int64()})),
}
"""How a data frame holds each type."""

_NAMES: Final[Mapping[type, str]] = {int: "int", float: "float", str: "str", Counter: "counts"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column(Generic[V]):
    """One column of a table; two are the same when table, name and qualifier are.

    An empty field is a figure that is not known, or one that does not apply: see `of` and `may_not_apply`.
    """

    table: str
    name: str
    unit: str = ""
    """Also the last part of the name of a time or a size."""
    dtype: type[V]
    meaning: str
    better: Better | None = None
    over_trials: OverTrials = "none"
    """How the trials of a cell are summed up. "total": counts of single things, which have a sum and a median;
    "median": rates and times, which have no sum; "none": texts and labels."""
    of: tuple[Column[Any], ...] = ()
    """It tells more of what these count: where one of them is 0 an empty field does not apply."""
    may_not_apply: bool = False
    """An empty field does not apply, whatever else the row holds."""
    of_trial: bool = False
    """A row for a part of a trial, a kind of drop say, has here what is of the whole trial: parts have their mean."""
    beyond: Column[float] | None = None
    """It may be infinite (inf); then it is more than this column says."""
    may_be_never: bool = False
    """It may be infinite (inf): what it tells the time of never came."""
    may_be_negative: bool = False
    values: tuple[str, ...] = ()
    """The only texts that it can be; none: any text."""
    never_empty: bool = False
    since: int = 1
    """The version of the results folder that it came with; in an older folder it is not known."""
    formerly: tuple[str, ...] = ()
    """The names that it had in older folders."""
    default: int | float | str | None = None
    """What a row of a folder older than the column has there; None: it is not known."""
    qualifiers: tuple[str, ...] = ()
    """Where a trial has a row for each of several kinds: these kinds."""
    qualifier: str = ""

    def __getitem__(self, kind: str) -> Self:
        """Return the handle of one kind's figure; KeyError for a kind there is none of."""
        if kind not in self.qualifiers:
            raise KeyError(f"{self} has no kind {kind!r}; there are {', '.join(self.qualifiers) or 'none'}")
        if kind not in self._kinds:
            self._kinds[kind] = replace(self, qualifier=kind)
        return self._kinds[kind]

    @property
    def expr(self) -> pl.Expr:
        """The column in a data frame."""
        return pl.col(self.name)

    @property
    def polars(self) -> pl.DataType:
        """How a data frame holds it."""
        return POLARS[self.dtype]

    @property
    def type_name(self) -> str:
        """The type as the description of the format has it."""
        return _NAMES[self.dtype]

    def __str__(self) -> str:
        """Return "throughput.sent", or "residue.left.threads"."""
        return ".".join(filter(None, (self.table, self.name, self.qualifier)))

    _identity: tuple[str, str, str] = field(init=False, repr=False)
    """Made once, as are those of its kinds: figures are kept by column, and a report looks for a million of them."""
    _kinds: dict[str, Self] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_identity", (self.table, self.name, self.qualifier))

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Column) and self._identity == other._identity)

    def __hash__(self) -> int:
        return hash(self._identity)


AnyColumn = Column[Any]
