"""What is said of delivery.csv: messages lost, duplicated, reordered, or all delivered; connections that went deaf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from loadtest.checks.delivery.table import (
    DEAF,
    DEAF_EXAMPLE,
    DUPLICATED,
    EDGE,
    EXPECTED,
    FIRST_MS_P50,
    JOINING,
    LAST_MS_P50,
    LOST,
    LOST_EXAMPLE,
    LOST_OF,
    REORDERED,
    SKEW_MS_P50,
    TABLE,
    UNKNOWN,
)
from loadtest.checks.throughput.overload import overloaded_trials
from loadtest.checks.throughput.said import open_at_a_time
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, trials_each
from loadtest.figures.share import share_in
from loadtest.figures.statistics import Figure
from loadtest.figures.topics import DELIVERY, UNEXPECTED
from loadtest.figures.words import Namer, counted, listed, number, plain, share_with_interval, time_ms

_WRONG = {LOST: "never came", DUPLICATED: "came more than once", REORDERED: "came out of order"}
NOTABLE_SKEW_MS = 100.0
"""What a person notices: members of one room see the same message at different times."""
_COUNTS = (EXPECTED, LOST, DUPLICATED, REORDERED)


def says(evidence: Evidence) -> Iterator[Finding]:
    """Deaf connections; then what went wrong by cell, what could not be checked, and where nothing did."""
    cells, namer = [cell for cell in evidence.having(TABLE) if cell.valid_trials], evidence.namer
    yield from (_deaf(cell, namer) for cell in cells if cell.total(DEAF).total)
    wrong = [cell for cell in cells if any(cell.total(column).total for column in _WRONG)]
    unclear = [cell for cell in cells if not _is_checked(cell)]
    for cell in wrong:
        yield _went_wrong(cell, namer)
    for cell in unclear:
        yield _not_known(cell, namer)
    yield from _apart([cell for cell in cells if not overloaded_trials(cell)], namer)
    yield from _all_came([cell for cell in cells if cell not in wrong and cell not in unclear], len(cells))


def _is_checked(cell: Cell) -> bool:
    totals = [cell.total(column) for column in (*_COUNTS, UNKNOWN)]
    return all(t.total is not None and t.known == t.trials for t in totals) and not cell.total(UNKNOWN).total


def _went_wrong(cell: Cell, namer: Namer) -> Finding:
    whole, lost = cell.total(EXPECTED).total, cell.total(LOST).total or 0
    of = f"of {whole:,} messages" if whole is not None else "of the messages"
    counts = {words: cell.total(column).total for column, words in _WRONG.items()}
    parts = [f"{count:,} {words}" for words, count in counts.items() if count]
    share = share_with_interval(share_in([cell], LOST_OF))
    sure = f" Lost: {share}; {_in_each_trial(cell.median(LOST))}." if lost and whole else ""
    return Finding(
        severity="warning" if lost or cell.total(DUPLICATED).total else "note",
        topic=DELIVERY,
        text=f"{namer.name(cell.key)}: {of} meant for members who stayed connected {listed(parts)}.{sure}",
        cells=(cell.key,),
        figures=_COUNTS,
        example=cell.example(LOST_EXAMPLE),
    )


def _in_each_trial(lost: Figure) -> str:
    if lost.known == 1:
        return "one trial only"
    if lost.low == lost.high:
        return f"{plain(lost)} in each of {lost.known} trials"
    spread = f"from {number(lost.low or 0)} to {number(lost.high or 0)}"
    return f"per trial: median {plain(lost)}, {spread} ({lost.known} trials)"


def _not_known(cell: Cell, namer: Namer) -> Finding:
    lost, unknown = cell.total(LOST), cell.total(UNKNOWN).total
    edge, joining = cell.total(EDGE).total, cell.total(JOINING).total
    why = [f"{edge:,} were under way when their sender or receiver was dropped"] if edge else []
    why += [f"{joining:,} were sent before anything told that the receiver had joined; see --expect"] if joining else []
    under_way = f" ({'; '.join(why)})" if why else ""
    parts = [f"of {counted(unknown, 'message')} it is not known whether they came{under_way}"] if unknown else []
    if lost.known < lost.trials:
        parts.append(f"{lost.trials - lost.known} of {counted(lost.trials, 'trial')} could not be checked for losses")
    return Finding(
        severity="unknown",
        topic=DELIVERY,
        text=f"{namer.name(cell.key)}: {listed(parts or ['not every count of its deliveries is known'])}.",
        cells=(cell.key,),
        figures=(UNKNOWN, LOST),
    )


def _all_came(cells: Sequence[Cell], all_cells: int) -> Iterator[Finding]:
    whole = sum(cell.total(EXPECTED).total or 0 for cell in cells)
    if not whole:
        return
    where = "all cells" if len(cells) == all_cells else f"{len(cells)} of {all_cells} cells"
    trials = [cell.median(LOST).known for cell in cells]
    yield Finding(
        severity="good",
        topic=DELIVERY,
        text=(
            f"In {where} all {whole:,} messages meant for members who stayed connected "
            f"came once and in order ({trials_each(trials)})."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=_COUNTS,
    )


def _apart(cells: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """The cell whose last receivers waited longest for what others had, where that is long."""
    found = [
        (skew, cell) for cell in cells if (skew := cell.median(SKEW_MS_P50).median) and NOTABLE_SKEW_MS <= skew < inf
    ]
    if not found:
        return
    skew_ms, cell = max(found, key=lambda pair: pair[0])
    others = f"; so long or shorter in {counted(len(found) - 1, 'other cell')}" if len(found) > 1 else ""
    yield Finding(
        severity="note",
        topic=DELIVERY,
        text=(
            f"{namer.name(cell.key)}: the last receiver of a message got it {time_ms(skew_ms)} after the first "
            f"(median of the messages; {open_at_a_time(cell)}){others}."
        ),
        cells=(cell.key,),
        figures=(SKEW_MS_P50, FIRST_MS_P50, LAST_MS_P50),
    )


def _deaf(cell: Cell, namer: Namer) -> Finding:
    return Finding(
        severity="warning",
        topic=UNEXPECTED,
        text=(
            f"{namer.name(cell.key)}: {counted(cell.total(DEAF).total or 0, 'connection')} stayed open and received "
            f"nothing more of all that was meant for them ({open_at_a_time(cell)})."
        ),
        cells=(cell.key,),
        figures=(DEAF,),
        example=cell.example(DEAF_EXAMPLE),
    )
