"""The resilience grid: cells by kind of drop, each field the share of drops that had disconnect() called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from loadtest.checks.disconnects import table
from loadtest.checks.disconnects.account import Account, account_of_all
from loadtest.checks.disconnects.causes import causes_of
from loadtest.checks.disconnects.left import LEFT, left_of
from loadtest.checks.throughput.busy import busy_in, busy_text
from loadtest.dimensions import CONSUMER, DROP, LOAD, SCENARIO
from loadtest.figures.cell import Cell, by_drop
from loadtest.figures.evidence import Evidence
from loadtest.figures.printed import Text
from loadtest.figures.words import NOT_APPLICABLE, UNKNOWN, counted, share
from loadtest.report.summary import Summary

Shade = Literal["all", "most", "many", "some", "half", "few", "fewest", "unknown", "none"]

ALL_KINDS = "all kinds"

_SHADES: tuple[tuple[float, Shade], ...] = (
    (1.0, "all"),
    (0.99, "most"),
    (0.95, "many"),
    (0.8, "some"),
    (0.5, "half"),
    (0.2, "few"),
    (0.0, "fewest"),
)
"""The least share of each shade: fine steps where a server is nearly good, coarse ones where it is not."""

LEGEND: tuple[tuple[Shade, str], ...] = (
    ("all", "100 %"),
    ("most", "from 99 %"),
    ("many", "from 95 %"),
    ("some", "from 80 %"),
    ("half", "from 50 %"),
    ("few", "from 20 %"),
    ("fewest", "less"),
    ("unknown", "depends on what is not known"),
    ("none", "nothing dropped"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the grid: the share, a word on what is missing, and all its figures for the pointer."""

    share: str
    below: str
    shade: Shade
    is_hatched: bool  # of some of its drops it is not known
    tip: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The kinds of drop of one scenario and load, and over them its layers, each with its consumers."""

    title: str  # the scenario, and the load where it is not fixed
    places: tuple[tuple[str, int], ...]  # a layer, and how many consumers stand below it
    consumers: tuple[str, ...]
    busy: tuple[Text, ...]  # how busy the server was, below each consumer; none where it is not known of any
    rows: tuple[tuple[str, tuple[Field, ...]], ...]  # a kind of drop, and a field for each consumer


def grids(summary: Summary) -> list[Grid]:
    """A grid for each scenario and load in which connections were dropped, or were to be: no wider than a page."""
    found: dict[str, list[Cell]] = {}
    for cell in summary.evidence.having(table.TABLE):
        title = ", ".join(filter(None, (cell.key.say(SCENARIO), cell.key.say(LOAD))))
        found.setdefault(title, []).append(cell)
    return [_grid(title, cells, summary.evidence) for title, cells in found.items()]


def _grid(title: str, cells: Sequence[Cell], evidence: Evidence) -> Grid:
    columns = list(by_drop(cells, evidence.values))
    kinds = dict.fromkeys(cell.key[DROP] for cell in cells)
    places = groupby(evidence.namer.name(column[0].key, but=(CONSUMER, SCENARIO, DROP, LOAD)) for column in columns)
    rows = [(kind, tuple(_field(_of_kind(column, kind)) for column in columns)) for kind in kinds]
    return Grid(
        title=title,
        places=tuple((place, len(list(same))) for place, same in places),
        consumers=tuple(column[0].key[CONSUMER] for column in columns),
        busy=tuple(busy_text(column, evidence) for column in columns) if busy_in(cells, evidence) else (),
        rows=(*rows, (ALL_KINDS, tuple(map(_field, columns)))) if len(kinds) > 1 else tuple(rows),
    )


def _of_kind(cells: Iterable[Cell], kind: str) -> list[Cell]:
    return [cell for cell in cells if cell.key[DROP] == kind]


def _field(cells: Sequence[Cell]) -> Field:
    account = account_of_all(cells)
    never_reached = _never_reached(cells)
    if account.left_out and not account.trials:
        return Field(share=UNKNOWN, below=_NOT_VALID, shade="unknown", is_hatched=True, tip=(_NOT_VALID,))
    if not account.dropped:
        below = f"{never_reached:,} never reached" if never_reached else ""
        tip = tuple(_tip(cells, account)) if never_reached else ("nothing was dropped here",)
        return Field(share=NOT_APPLICABLE, below=below, shade="none", is_hatched=False, tip=tip)
    called = account.called / account.dropped
    at_best = (account.called + account.unknown) / account.dropped
    return Field(
        share=UNKNOWN if account.unknown == account.dropped else _short_share(account),
        below=_below(account),
        shade=_shade(called) if _shade(called) == _shade(at_best) else "unknown",
        is_hatched=account.unknown > 0,
        tip=tuple(_tip(cells, account)),
    )


def _short_share(account: Account) -> str:
    """`>99.9 %` where a sentence says "more than": a field is narrow."""
    return share(account.called, account.dropped).replace("more than ", ">").replace("less than ", "<")


def _shade(called: float) -> Shade:
    return next(shade for least, shade in _SHADES if called >= least)


def _below(account: Account) -> str:
    parts = {"missed": account.missed, "unknown": account.unknown}
    return ", ".join(f"{count:,} {word}" for word, count in parts.items() if count) or f"of {account.dropped:,}"


def _never_reached(cells: Iterable[Cell]) -> int:
    return sum(cell.total(table.NEVER_REACHED).total or 0 for cell in cells)


def _tip(cells: Sequence[Cell], account: Account) -> Iterator[str]:
    yield f"{counted(account.dropped, 'connection')} dropped"
    yield f"{account.called:,} had disconnect() called, {account.missed:,} missed, {account.unknown:,} unknown"
    yield from (f"cause: {cause} ({count:,})" for cause, count in causes_of(cells).most_common())
    if never_reached := _never_reached(cells):
        yield f"{never_reached:,} more died inside the HTTP upgrade: no application ever ran for them"
    for column, words in _COUNTED.items():
        totals = [cell.total(column) for cell in cells]
        if any(total.total is not None for total in totals):
            yield words.format(f"{sum(total.total or 0 for total in totals):,}")
    for column, kind in LEFT.items():
        if (left := left_of(cells, column)) and left.count:
            yield kind.told.format(f"{left.count:,}")


_COUNTED = {
    table.NOTICED: "{} noticed by the server",
    table.RETURNED: "disconnect() returned for {}",
    table.RAISED: "it raised for {}",
}

_NOT_VALID = "no valid trial"
