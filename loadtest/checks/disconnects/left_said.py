"""What is said of what dropped connections left behind, and of what a guard buys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtest.checks.disconnects.left import LEFT, Left, left_of
from loadtest.checks.disconnects.table import DROPPED, GROUPS_LEFT, TABLE
from loadtest.dimensions import CONSUMER, DROP
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding
from loadtest.figures.topics import GUARDS, LEFT_BEHIND
from loadtest.figures.words import listed


def says_of_left(evidence: Evidence) -> Iterator[Finding]:
    """What dropped connections left, most first; and each consumer beside the one that it is a variant of."""
    dropped = evidence.by_drop(TABLE)
    for group in sorted(dropped, key=_most_left, reverse=True):
        if _most_left(group):
            yield _left(group, evidence)
    yield from _variants(dropped, evidence)


def _most_left(cells: Sequence[Cell]) -> float:
    """The share of drops that left what was left most often."""
    found = [left_of(cells, column) for column in LEFT]
    return max((left.count / left.dropped for left in found if left), default=0.0)


def _left(cells: Sequence[Cell], evidence: Evidence) -> Finding:
    found = {column: left for column in LEFT if (left := left_of(cells, column)) and left.count}
    most = max(found, key=lambda column: found[column].count)
    parts = [f"{LEFT[column].told.format(f'{left.count:,}')} ({left.of_1000})" for column, left in found.items()]
    dropped = max(left.dropped for left in found.values())
    return Finding(
        severity="warning",
        topic=LEFT_BEHIND,
        text=(
            f"{evidence.name_of(cells)}: of {dropped:,} dropped connections, after settling, {listed(parts)}; "
            f"in brackets: per 1,000 drops."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=(DROPPED, *found),
        example=evidence.examples.first(cells, LEFT[most].flag.expr == 1),
    )


def _variants(dropped: Sequence[Sequence[Cell]], evidence: Evidence) -> Iterator[Finding]:
    """Connections that stayed in a group, with a guard and without, over all kinds of drop."""
    by_place = {cells[0].key.having(DROP, DROP.default): cells for cells in dropped}
    for key, cells in by_place.items():
        plain = by_place.get(key.having(CONSUMER, evidence.values.of(key, CONSUMER).variant_of))
        if plain is not None:
            yield from _guard(plain, cells, evidence)


def _guard(bare: Sequence[Cell], guarded: Sequence[Cell], evidence: Evidence) -> Iterator[Finding]:
    without, with_guard = (left_of(cells, GROUPS_LEFT) for cells in (bare, guarded))
    if without is None or with_guard is None or not (without.count or with_guard.count):
        return
    key = bare[0].key
    yield Finding(
        severity="note",
        topic=GUARDS,
        text=(
            f"{evidence.namer.name(key, but=(CONSUMER, DROP))}: {guarded[0].key[CONSUMER]} left {_of(with_guard)} "
            f"dropped connections in a group, {key[CONSUMER]} {_of(without)}."
        ),
        cells=tuple(cell.key for cell in (*bare, *guarded)),
        figures=(GROUPS_LEFT,),
    )


def _of(left: Left) -> str:
    return f"{left.count:,} of {left.dropped:,}"
