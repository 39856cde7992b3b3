"""Findings on messages: lost, duplicated, reordered, or all delivered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtest.report.cells import Cell
from loadtest.report.findings.finding import Finding, how_sure, trials_each
from loadtest.report.words import Namer, counted, listed, share, with_range

_WRONG = {"lost": "never came", "duplicated": "came more than once", "reordered": "came out of order"}
_COUNTS = ("delivery.expected", "delivery.lost", "delivery.duplicated", "delivery.reordered")


def delivery_findings(cells: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """What went wrong by cell, what could not be checked, and one sentence on all cells where nothing did."""
    wrong = [cell for cell in cells if any(cell.total(f"delivery.{name}").total for name in _WRONG)]
    unclear = [cell for cell in cells if not _is_checked(cell)]
    for cell in wrong:
        yield _went_wrong(cell, namer)
    for cell in unclear:
        yield _not_known(cell, namer)
    yield from _all_came([cell for cell in cells if cell not in wrong and cell not in unclear], len(cells))


def _is_checked(cell: Cell) -> bool:
    totals = [cell.total(name) for name in (*_COUNTS, "delivery.unknown")]
    return all(t.total is not None and t.known == t.trials for t in totals) and not cell.total("delivery.unknown").total


def _went_wrong(cell: Cell, namer: Namer) -> Finding:
    whole, lost = cell.total("delivery.expected").total, cell.total("delivery.lost").total or 0
    of = f"of {whole:,} messages" if whole is not None else "of the messages"
    counts = {words: cell.total(f"delivery.{name}").total for name, words in _WRONG.items()}
    parts = [f"{count:,} {words}" for words, count in counts.items() if count]
    each = cell.median("delivery.lost")
    sure = f" Lost: {share(lost, whole)}; {with_range(each)} in one trial ({how_sure(each)})." if lost and whole else ""
    return Finding(
        severity="warning" if lost or cell.total("delivery.duplicated").total else "note",
        topic="delivery",
        text=f"{namer.name(cell.key)}: {of} meant for members who stayed connected {listed(parts)}.{sure}",
        cells=(cell.key,),
        figures=_COUNTS,
        example=cell.example("delivery.lost_example"),
    )


def _not_known(cell: Cell, namer: Namer) -> Finding:
    lost, unknown = cell.total("delivery.lost"), cell.total("delivery.unknown").total
    edge = cell.total("delivery.edge").total
    under_way = f" ({edge:,} were under way when their sender or receiver was dropped)" if edge else ""
    parts = [f"of {counted(unknown, 'message')} it is not known whether they came{under_way}"] if unknown else []
    if lost.known < lost.trials:
        parts.append(f"{lost.trials - lost.known} of {counted(lost.trials, 'trial')} could not be checked for losses")
    return Finding(
        severity="unknown",
        topic="delivery",
        text=f"{namer.name(cell.key)}: {listed(parts or ['not every count of its deliveries is known'])}.",
        cells=(cell.key,),
        figures=("delivery.unknown", "delivery.lost"),
    )


def _all_came(cells: Sequence[Cell], all_cells: int) -> Iterator[Finding]:
    whole = sum(cell.total("delivery.expected").total or 0 for cell in cells)
    if not whole:
        return
    where = "all cells" if len(cells) == all_cells else f"{len(cells)} of {all_cells} cells"
    trials = [cell.median("delivery.lost").known for cell in cells]
    yield Finding(
        severity="good",
        topic="delivery",
        text=(
            f"In {where} all {whole:,} messages meant for members who stayed connected "
            f"came once and in order ({trials_each(trials)})."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=_COUNTS,
    )
