"""Dimensions: what tells one cell from another, a row each.

Columns, folders, tables, pages and options follow from these rows. A new dimension is a new row, with the value that
runs had before there was one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast
from urllib.parse import quote

T = TypeVar("T", str, int)

FIRST_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension(Generic[T]):
    """One dimension: a column of every table, a key of a plan, a part of a trial's folder."""

    name: str
    """The column, and the word for one value of it."""
    plural: str
    """The key of a plan, the option, and the command that lists its values."""
    meaning: str
    """What a value says, for the description of the format."""
    dtype: type[T]
    unit: str = ""
    default: T
    """What a cell has that names no value: also every cell of a run that is older than the dimension."""
    since: int = FIRST_VERSION
    """The version of the results folder that it came with."""
    unspoken: tuple[T, ...] = ()
    """Values that a cell's name in a sentence leaves out: they say that there is nothing to say."""


SERVER: Final = Dimension(
    name="server", plural="servers", meaning="the server that ran the app", dtype=str, default="uvicorn"
)
WORKERS: Final = Dimension(
    name="workers", plural="workers", meaning="how many processes it ran", dtype=int, unit="processes", default=1
)
LAYER: Final = Dimension(name="layer", plural="layers", meaning="the channel layer", dtype=str, default="inmemory")
CONSUMER: Final = Dimension(
    name="consumer", plural="consumers", meaning="the kind of consumer", dtype=str, default="async"
)
SCENARIO: Final = Dimension(
    name="scenario", plural="scenarios", meaning="what the clients did", dtype=str, default="echo"
)

NO_DROP: Final = "none"
"""The drop of a cell in which nobody is dropped."""
MIXED_DROPS: Final = "mixed"
"""The drop of a cell whose trials use several kinds."""

DROP: Final = Dimension(
    name="drop",
    plural="drops",
    meaning='"none", one kind of drop, or "mixed" where one trial used several',
    dtype=str,
    default=NO_DROP,
    unspoken=(NO_DROP,),
)

DIMENSIONS: Final[tuple[Dimension[str] | Dimension[int], ...]] = (SERVER, WORKERS, LAYER, CONSUMER, SCENARIO, DROP)
"""In the order of the columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a dimension, as a run's manifest describes it to whoever reads the run later."""

    name: str
    summary: str = ""
    kind: str = ""
    """What it is of, where that is known: a consumer is "sync" or "async"."""
    variant_of: str = ""
    """The value that it is the same as but for one thing, and is compared with: "sync" for "sync-guarded"."""
    is_unpaced: bool = False
    """Of a scenario: its senders send as fast as answers come, so it shows how much a server can carry."""
    ends_connections: str = ""
    """Why connections are known to end by themselves with it; empty: they are not."""


class CellKey:
    """One cell: a value of each dimension. `key[LAYER]` is its layer; keys are compared and hashed by their values."""

    __slots__ = ("_values",)

    def __init__(self, **values: str | int) -> None:
        """Take values by the dimensions' names; TypeError for a name there is none of or a value of a wrong type."""
        if strangers := sorted(values.keys() - _PLACES.keys()):
            raise TypeError(f"there is no dimension {', '.join(strangers)}; there are {', '.join(_PLACES)}")
        self._values = tuple(values.get(dimension.name, dimension.default) for dimension in DIMENSIONS)
        for dimension, value in zip(DIMENSIONS, self._values, strict=True):
            if type(value) is not dimension.dtype:
                raise TypeError(f"{dimension.name} is {value!r}, must be {dimension.dtype.__name__}")

    @classmethod
    def of_row(cls, row: Mapping[str, object]) -> CellKey:
        """Return the cell that a row of a table belongs to; other columns of the row are left alone."""
        return cls(**{name: cast("str | int", row[name]) for name in _PLACES if name in row})

    def __getitem__(self, dimension: Dimension[T]) -> T:
        """Return its value of a dimension; KeyError for one that is not in DIMENSIONS."""
        return cast(T, self._values[_PLACES[dimension.name]])

    def having(self, dimension: Dimension[T], value: T) -> CellKey:
        """Return the cell that differs by this value alone."""
        return CellKey(**{**self.as_row(), dimension.name: value})

    def without(self, *dimensions: Dimension[str] | Dimension[int]) -> tuple[str | int, ...]:
        """Return the values of all other dimensions: the same for cells that differ by these alone."""
        left_out = {_PLACES[dimension.name] for dimension in dimensions}
        return tuple(value for place, value in enumerate(self._values) if place not in left_out)

    def as_row(self) -> dict[str, str | int]:
        """Return the values by the dimensions' names, in the order of the columns."""
        return dict(zip(_PLACES, self._values, strict=True))

    @property
    def folder(self) -> str:
        """The name of the cell's folder below `trials/`; a drop's parameter may hold any character.

        A dimension that came later stands in it only where its value is not the default, so that folders of older
        runs keep their names.
        """
        return "-".join(quote(str(value), safe=" ") for value in self._in_folder())

    def _in_folder(self) -> Iterator[str | int]:
        for dimension, value in zip(DIMENSIONS, self._values, strict=True):
            if dimension.since == FIRST_VERSION or value != dimension.default:
                yield value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CellKey) and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)

    def __repr__(self) -> str:
        return f"CellKey({', '.join(f'{name}={value!r}' for name, value in self.as_row().items())})"


_PLACES: Final = {dimension.name: place for place, dimension in enumerate(DIMENSIONS)}
