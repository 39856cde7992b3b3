"""The tables a reader sees, as text cells with footnotes: the same in the terminal and in the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadtest.checks import CHECKS
from loadtest.checks.disconnects.account import account_of_all
from loadtest.checks.disconnects.left import LEFT, left_of
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.throughput.busy import busy_column, busy_text
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.checks.throughput.table import UTILISATION
from loadtest.dimensions import (
    DIMENSIONS,
    DROP,
    FIXED_LOAD,
    LOAD,
    MIXED_DROPS,
    NO_DROP,
    SCENARIO,
    AnyDimension,
    CellKey,
)
from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.figures.printed import Folds, Printed, PrintedColumn, Text, toned
from loadtest.figures.table import Table
from loadtest.figures.words import NEVER, TOO_FEW, UNKNOWN, Namer, counted
from loadtest.report.summary import Summary, UnknownFigure

SHOWN_REASONS = 6
"""Reasons listed under a table; the rest is counted. All are in the page and in unknown.csv."""

LEFT_OUT = "Trials that are not valid (the generator or the machine was the limit) are left out of every figure."
FEW_ROUNDS = (
    f"{TOO_FEW.capitalize()}: the rounds differ so much for their number that the interval would tell nothing. "
    "More trials narrow it."
)
SOME_NEVER = f"Some round: {NEVER}: so many messages never came in it that its latency is infinite."

_NOTHING_TO_SAY: Mapping[AnyDimension, set[str]] = {LOAD: {FIXED_LOAD}, DROP: {NO_DROP, MIXED_DROPS}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The head of a printed column."""

    text: str
    meaning: str
    is_number: bool
    folds: Folds = "never"
    keeps_limits: bool = False
    in_brief: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedTable:
    """A table ready to print; `notes` say why each `?` stands there."""

    name: str
    caption: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Text, ...], ...]
    notes: tuple[str, ...]
    in_terminal: bool = True
    brief: str = ""
    """The caption that it has in the brief report; "": it is not in that."""


def printed_tables(summary: Summary) -> tuple[PrintedTable, ...]:
    """The table of each check that has one to print and rows in it."""
    ways = [(check, printed) for check in CHECKS for printed in (check.printed, *check.also_printed) if printed]
    tables = [_printed(check.table, printed, summary) for check, printed in ways]
    return tuple(table for table in tables if table.rows)


def _printed(table: Table, printed: Printed, summary: Summary) -> PrintedTable:
    cells, busy = printed.rows(summary.evidence, table), busy_column(summary.evidence)
    columns = [
        *_key_columns(cells, printed.always),
        *(column for column in (busy, *printed.columns) if column.only_if is None or column.only_if(cells)),
    ]
    rows = tuple(tuple(column.write(cell) for column in columns) for cell in cells)
    has_unknown = any(UNKNOWN in text.text or text.tone == "unknown" for row in rows for text in row)
    return PrintedTable(
        name=printed.name or table.name,
        caption=printed.caption,
        headings=tuple(map(_heading, columns)),
        rows=rows,
        notes=(
            *(_reasons(table, summary) if has_unknown else ()),
            *_few_rounds_note(rows),
            *_invalid_note(summary.evidence.having(table)),
        ),
        in_terminal=printed.in_terminal,
        brief=printed.brief,
    )


def _heading(column: PrintedColumn) -> Heading:
    return Heading(
        text=column.heading,
        meaning=column.meaning,
        is_number=column.is_number,
        folds=column.folds,
        keeps_limits=column.keeps_limits,
        in_brief=column.in_brief,
    )


def _key_columns(cells: Sequence[Cell], always: Sequence[AnyDimension]) -> list[PrintedColumn]:
    """What tells the cells apart: a dimension that a table need not always have, only where it says something."""
    shown = [row for row in DIMENSIONS if row in always or _says_something(row, {cell.key[row] for cell in cells})]
    return [_key_column(row) for row in shown if row in always or not _is_told(row, shown, cells)]


def _says_something(dimension: AnyDimension, values: set[str | int]) -> bool:
    """Whether cells differ by it, or all have a load, or one kind of drop, that has to be known."""
    return len(values) > 1 or (dimension in _NOTHING_TO_SAY and not values <= _NOTHING_TO_SAY[dimension])


def _is_told(dimension: AnyDimension, shown: Sequence[AnyDimension], cells: Sequence[Cell]) -> bool:
    """Whether another column says it already: no value of that one has several of this."""
    telling = [row for row in shown if row.name == dimension.told_by]
    return bool(telling) and all(
        len({(cell.key[row], cell.key[dimension]) for cell in cells}) == len({cell.key[row] for cell in cells})
        for row in telling
    )


def _key_column(dimension: AnyDimension) -> PrintedColumn:
    return PrintedColumn(
        heading=dimension.name,
        meaning=f"the {dimension.name}",
        write=lambda cell: Text(text=str(cell.key[dimension])),
        is_number=False,
    )


def left_of_1000(summary: Summary) -> PrintedTable:
    """What dropped connections left behind, of 1,000 drops over all kinds of drop: a row a layer and consumer."""
    dropped = [cells for cells in summary.evidence.by_drop(DISCONNECTS) if account_of_all(cells).dropped]
    firsts = [cells[0] for cells in dropped]
    always = [row for row in DIMENSIONS if row.always_named and row not in (DROP, SCENARIO)]
    keys = [column for column in _key_columns(firsts, always) if column.heading != DROP.name]
    busy = [column for column in (busy_column(summary.evidence),) if column.only_if and column.only_if(firsts)]
    return PrintedTable(
        name="left of 1,000 drops",
        caption="Of 1,000 dropped connections, all kinds and trials summed; in brackets how many it were",
        headings=(
            *map(_heading, (*keys, *busy)),
            Heading(text="dropped", meaning="connections the clients dropped, all kinds and trials", is_number=True),
            *(
                Heading(text=kind.heading, meaning=f"dropped connections {kind.meaning}", is_number=True)
                for kind in LEFT.values()
            ),
        ),
        rows=tuple(
            (
                *(column.write(cells[0]) for column in keys),
                *(busy_text(cells, summary.evidence) for _ in busy),
                *_left_row(cells),
            )
            for cells in dropped
        ),
        notes=tuple(_invalid_note(cell for cells in dropped for cell in cells)),
    )


def _left_row(cells: Sequence[Cell]) -> list[Text]:
    return [Text(text=f"{account_of_all(cells).dropped:,}"), *(_of_1000(cells, column) for column in LEFT)]


def _of_1000(cells: Sequence[Cell], column: Column[int]) -> Text:
    left = left_of(cells, column)
    if left is None:
        return toned(UNKNOWN)
    if not left.count:
        return Text(text="0")
    return Text(text=f"{left.of_1000} ({left.count:,})", tone="warning")


def _reasons(table: Table, summary: Summary) -> tuple[str, ...]:
    """Why numbers of a table are not known, the most frequent reason first."""
    cells = summary.evidence.having(table)
    keys = {cell.key for cell in (*cells, *summary.evidence.trials_of(cells, THROUGHPUT))}
    namer = summary.evidence.namer
    reasons = Counter(
        (figure.why, _where(figure, namer)) for figure in summary.unknown if _concerns(figure, table, keys)
    )
    grouped: dict[str, list[str]] = {}
    for why, where in reasons:
        grouped.setdefault(why, []).append(where)
    notes = [f"{UNKNOWN} not known: {why.rstrip('.')}: {_some(places)}." for why, places in grouped.items()]
    if len(notes) > SHOWN_REASONS:
        notes = [*notes[:SHOWN_REASONS], f"and {counted(len(notes) - SHOWN_REASONS, 'more reason')} in unknown.csv."]
    if without := [namer.name(cell.key) for cell in cells if not cell.valid_trials]:
        notes.append(f"{UNKNOWN} not known: none of its trials is valid: {_some(without)}.")
    return tuple(notes) or (f"{UNKNOWN} not known; no reason was recorded in unknown.csv.",)


def _invalid_note(cells: Iterable[Cell]) -> list[str]:
    return [LEFT_OUT] if any(not trial.valid for cell in cells for trial in cell.trials) else []


def _few_rounds_note(rows: Iterable[Sequence[Text]]) -> list[str]:
    """Why some figures have no interval."""
    texts = " ".join(text.text for row in rows for text in row)
    return [note for words, note in ((TOO_FEW, FEW_ROUNDS), (f": {NEVER}", SOME_NEVER)) if words in texts]


def _concerns(figure: UnknownFigure, table: Table, keys: set[CellKey]) -> bool:
    own = {column.name for column in table.figures}
    # Where a trial has several kinds of drop, the rows of a table may have one each
    is_of_it = figure.cell in keys or any(key.having(DROP, MIXED_DROPS) == figure.cell for key in keys)
    is_own = figure.column.removeprefix(f"{table.name}.").split(".")[0] in own
    return is_of_it and (is_own or figure.column == str(UTILISATION))


def _where(figure: UnknownFigure, namer: Namer) -> str:
    return f"{namer.name(figure.cell)}, trial {figure.trial}"


def _some(places: Sequence[str]) -> str:
    return places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"
