"""Dimensions: what tells one cell from another, a row each.

Columns, folders, tables, pages and options follow from these rows. A new dimension is a new row, with the value that
runs had before there was one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import quote

T = TypeVar("T", str, int)

FIRST_VERSION: Final = 1

MOST_OF_A_FOLDER: Final = 200
"""Characters of a cell's folder. File systems take names of 255 bytes, and a quoted reason of a close has up to 369."""
_DIGEST: Final = 16
"""Characters of the digest that ends a name which was cut."""


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
    order: int = 5
    """Rows of a table are sorted by the lowest order first, so that what is compared stands together."""
    is_place: bool = False
    """It says where a cell ran: it is in what stands first in the cell's name."""
    always_named: bool = False
    """It is part of a cell's name, and a column of printed tables, also where all cells have the same value."""
    is_compared: bool = False
    """Cells that differ by it alone are compared with each other."""
    told_by: str = ""
    """The dimension whose value mostly tells this one's: beside it a printed table leaves this one out."""
    one: str = ""
    """The word for one, where values are counts: a cell's name then has "2 workers"."""
    after: str = ""
    """The word that a cell's name has after a value: "30% load"."""
    words: Mapping[T, str] = field(default_factory=dict, hash=False)
    """What a cell's name has for values that do not speak for themselves."""
    unspoken: tuple[T, ...] = ()
    """Values that a cell's name leaves out: they say that there is nothing to say."""

    def say(self, value: T) -> str:
        """Return a value as a cell's name has it."""
        if self.one:
            return f"{value:,} {self.one}{'' if value == 1 else 's'}"
        return self.words.get(value, f"{value} {self.after}".rstrip())


SERVER: Final = Dimension(
    name="server",
    plural="servers",
    meaning="the server that ran the app",
    dtype=str,
    default="uvicorn",
    order=0,
    is_place=True,
)
WORKERS: Final = Dimension(
    name="workers",
    plural="workers",
    meaning="how many processes it ran",
    dtype=int,
    unit="processes",
    default=1,
    order=1,
    is_place=True,
    one="worker",
)
LAYER: Final = Dimension(
    name="layer",
    plural="layers",
    meaning="the channel layer",
    dtype=str,
    default="inmemory",
    order=3,
    is_place=True,
    always_named=True,
)
CONSUMER: Final = Dimension(
    name="consumer",
    plural="consumers",
    meaning="the kind of consumer",
    dtype=str,
    default="async",
    order=9,
    always_named=True,
    is_compared=True,
)
SCENARIO: Final = Dimension(
    name="scenario",
    plural="scenarios",
    meaning="what the clients did",
    dtype=str,
    default="echo",
    order=2,
    always_named=True,
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
    order=4,
    always_named=True,
    told_by="scenario",
    words={MIXED_DROPS: "mixed drops"},
    unspoken=(NO_DROP,),
)

FIXED_LOAD: Final = "fixed"
"""The load of a cell whose rate is absolute: the scenario's own, the plan's `rate`, or as fast as answers come."""

LOAD: Final = Dimension(
    name="load",
    plural="load",
    meaning='how busy the server was to be: "30%" of the rate at which what gives way first is busy all the time '
    '(of the slowest cell of the scenario, or of the cell itself: `load_of` in the plan), or "fixed": an absolute rate',
    dtype=str,
    default=FIXED_LOAD,
    since=5,
    after="load",
    unspoken=(FIXED_LOAD,),
)

AnyDimension = Dimension[Any]

DIMENSIONS: Final[tuple[AnyDimension, ...]] = (SERVER, WORKERS, LAYER, CONSUMER, SCENARIO, DROP, LOAD)
"""In the order of the columns."""


CLOSED_LOOP: Final = "closed loop"
"""The kind of a scenario whose users send when their answer has come: it measures how many that are a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a dimension, as a run's manifest describes it to whoever reads the run later."""

    name: str
    summary: str = ""
    kind: str = ""
    """What it is of, where that is known: a consumer is "sync" or "async", a scenario "closed loop" (CLOSED_LOOP)."""
    variant_of: str = ""
    """The value that it is the same as but for one thing, and is compared with: "sync" for "sync-guarded"."""
    ends_connections: str = ""
    """Why connections are known to end by themselves with it; empty: they are not."""
    outcome: str = ""
    """What becomes of a kind of drop: see `loadtest.drops.kind.Outcome`; empty where that is not known."""
    ignores_gone: bool = False
    """A server on which a send to a client that is gone does nothing, so that no disconnect is missed by one."""


class CellKey:
    """One cell: a value of each dimension. `key[LAYER]` is its layer; keys are compared and hashed by their values."""

    __slots__ = ("_values",)

    def __init__(self, **values: str | int) -> None:
        """Take values by the dimensions' names; TypeError for a name there is none of or a value of a wrong type."""
        if strangers := sorted(values.keys() - _PLACES.keys()):
            raise TypeError(f"there is no dimension {', '.join(strangers)}; there are {', '.join(_PLACES)}")
        defaults: dict[str, str | int] = {dimension.name: dimension.default for dimension in DIMENSIONS}
        self._values = tuple({**defaults, **values}.values())
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

    def without(self, *dimensions: AnyDimension) -> tuple[str | int, ...]:
        """Return the values of all other dimensions: the same for cells that differ by these alone."""
        left_out = {_PLACES[dimension.name] for dimension in dimensions}
        return tuple(value for place, value in enumerate(self._values) if place not in left_out)

    def say(self, dimension: AnyDimension) -> str:
        """Return its value of a dimension as a cell's name has it; "" for one that is left out."""
        value = self._values[_PLACES[dimension.name]]
        return "" if value in dimension.unspoken else dimension.say(value)

    @property
    def has_one_kind_of_drop(self) -> bool:
        """Whether connections are dropped in it, and all in the same way."""
        return self[DROP] not in (NO_DROP, MIXED_DROPS)

    def as_row(self) -> dict[str, str | int]:
        """Return the values by the dimensions' names, in the order of the columns."""
        return dict(zip(_PLACES, self._values, strict=True))

    def spoken(self) -> list[str]:
        """Return the values that say something: all but defaults that are seldom another one, and "no drop"."""
        return [
            str(value)
            for dimension, value in zip(DIMENSIONS, self._values, strict=True)
            if value not in dimension.unspoken and (dimension.always_named or value != dimension.default)
        ]

    @property
    def folder(self) -> str:
        """The name of the cell's folder below `trials/`; a drop's parameter may hold any character.

        A dimension that came later stands in it only where its value is not the default, so that folders of older
        runs keep their names. A name too long for a file system is cut, and ends with a digest of the whole.
        """
        name = "-".join(quote(str(value), safe=" ") for value in self._in_folder())
        if len(name) <= MOST_OF_A_FOLDER:
            return name
        return f"{name[: MOST_OF_A_FOLDER - _DIGEST - 1]}-{sha256(name.encode()).hexdigest()[:_DIGEST]}"

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
