"""A threshold: the condition on a figure under which a run fails, as a person writes it.

    missed_share > 0.05
    consumer=sync layer=redis: latency_ms_p99 > 100

[selector:] figure operator number. A selector is `dimension=value`, several with blanks between them; all of them hold
for the cells that are meant. A figure is a column of a table, `lost`, or table and column, `delivery.lost`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from loadtest.dimensions import DIMENSIONS, CellKey

OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}

_FORM: Final = re.compile(
    r"\s*(?:(?P<selector>.*):)?\s*(?P<figure>[a-z][\w. ]*?)\s*(?P<operator>[<>]=?|[=!]=)\s*(?P<number>[-+\w.]+)\s*"
)
"""The last colon ends the selector: a drop's name may have one in it, `drop=close:4001: missed > 0`."""

_DIMENSIONS: Final = {dimension.name: dimension for dimension in DIMENSIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A condition under which a run fails."""

    text: str
    """As it was written."""
    selector: Mapping[str, str]
    """Values by the names of dimensions; empty: all cells."""
    figure: str
    operator: str
    limit: float

    def selects(self, key: CellKey) -> bool:
        """Return whether a cell is meant."""
        row = key.as_row()
        return all(str(row[name]) == value for name, value in self.selector.items())

    def holds_for(self, value: float) -> bool:
        """Return whether the condition holds."""
        return OPERATORS[self.operator](value, self.limit)


def parse_threshold(text: str, figures: Collection[str]) -> Threshold:
    """Read a threshold on one of these figures; ValueError names all that is wrong with it, and what there is."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no threshold; write 'missed_share > 0.05' or 'consumer=sync: latency_ms_p99 > 100'"
        )
    selector, limit = _pairs(found["selector"] or ""), _number(found["number"])
    if problems := [*_problems_of(selector), *_problems_with(found["figure"], figures), *_problem_of(limit, found)]:
        raise ValueError(f"{text!r}: {'; '.join(problems)}")
    assert limit is not None
    return Threshold(
        text=text, selector=dict(selector), figure=found["figure"], operator=found["operator"], limit=limit
    )


def _pairs(selector: str) -> list[tuple[str, str]]:
    parts = [part.partition("=") for part in selector.split()]
    return [(name, value) for name, _, value in parts]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _problems_of(selector: list[tuple[str, str]]) -> Iterator[str]:
    for name, value in selector:
        if name not in _DIMENSIONS:
            yield f"there is no dimension {name!r} to select by; there are {', '.join(_DIMENSIONS)}"
        elif not value:
            yield f"{name} has no value; write {name}=VALUE, and no blank in it"
    if len(selector) > len(dict(selector)):
        yield "a dimension is selected twice"


def _problems_with(figure: str, figures: Collection[str]) -> Iterator[str]:
    if figure not in figures:
        there_are = sorted(name for name in figures if "." not in name or name.rpartition(".")[2] not in figures)
        yield f"there is no figure {figure!r}; there are {', '.join(there_are)}"


def _problem_of(limit: float | None, found: re.Match[str]) -> Iterator[str]:
    if limit is None or limit != limit:
        yield f"{found['number']!r} is no number"
