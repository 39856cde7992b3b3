"""Findings on what dropped connections and whole trials left behind, and what a guard buys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from loadtest.checks.residue import KEPT_BY_LAYER, MEMORY
from loadtest.report.cells import Cell, by_consumer
from loadtest.report.examples import Examples
from loadtest.report.findings.drops import where
from loadtest.report.findings.finding import Finding, how_sure
from loadtest.report.residue import LEFT, Left, left_of
from loadtest.report.statistics import Figure
from loadtest.report.words import Namer, listed, with_range

_LAYERS = frozenset(f"residue.left.{kind}" for kind in KEPT_BY_LAYER)

_USUAL = {f"residue.left.{MEMORY}": 20_000}
"""What is left of memory in a trial of a few hundred connections without a leak: 4 to 12 MB were seen."""

GUARDED = "-guarded"
"""Consumers of this name's end are the same as those without it, but for cleanup that always runs."""


def left_behind_findings(cells: Sequence[Cell], namer: Namer, examples: Examples) -> Iterator[Finding]:
    """What dropped connections left, what the guard buys, and residue counted over whole trials."""
    dropped = list(by_consumer(cell for cell in cells if cell.has("disconnects")))
    for group in sorted(dropped, key=_most_left, reverse=True):
        if _most_left(group):
            yield _left(group, namer, examples)
    yield from _guards(dropped, namer)
    yield from _residue([cell for cell in cells if cell.has("residue")], namer)


def _most_left(cells: Sequence[Cell]) -> float:
    """The share of drops that left what was left most often."""
    found = [left_of(cells, name) for name in LEFT]
    return max((left.count / left.dropped for left in found if left), default=0.0)


def _left(cells: Sequence[Cell], namer: Namer, examples: Examples) -> Finding:
    found = {name: left for name in LEFT if (left := left_of(cells, name)) and left.count}
    most = max(found, key=lambda name: found[name].count)
    parts = [f"{LEFT[name].told.format(f'{left.count:,}')} ({left.of_1000})" for name, left in found.items()]
    dropped = max(left.dropped for left in found.values())
    return Finding(
        severity="warning",
        topic="left behind",
        text=(
            f"{where(cells, namer)}: of {dropped:,} dropped connections, after settling, {listed(parts)}; "
            f"in brackets: of 1,000 drops."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.dropped", *found),
        example=examples.first(cells, pl.col(LEFT[most].flag) == 1),
    )


def _guards(dropped: Sequence[Sequence[Cell]], namer: Namer) -> Iterator[Finding]:
    """Connections that stayed in a group, with the guard and without, over all kinds of drop."""
    by_name = {_name(cells): cells for cells in dropped}
    for cells in dropped:
        *place, consumer, scenario = _name(cells)
        bare = by_name.get((*place, consumer.removesuffix(GUARDED), scenario))
        if consumer.endswith(GUARDED) and bare is not None:
            yield from _guard(bare, cells, namer)


def _name(cells: Sequence[Cell]) -> tuple[str, ...]:
    key = cells[0].key
    return key.server, str(key.workers), key.layer, key.consumer, key.scenario


def _guard(bare: Sequence[Cell], guarded: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    without, with_guard = (left_of(cells, "disconnects.groups_left") for cells in (bare, guarded))
    if without is None or with_guard is None or not (without.count or with_guard.count):
        return
    key = bare[0].key
    yield Finding(
        severity="note",
        topic="guards",
        text=(
            f"{namer.place(key)}, {key.scenario}: {guarded[0].key.consumer} left {_of(with_guard)} dropped "
            f"connections in a group, {key.consumer} {_of(without)}."
        ),
        cells=tuple(cell.key for cell in (*bare, *guarded)),
        figures=("disconnects.groups_left",),
    )


def _of(left: Left) -> str:
    return f"{left.count:,} of {left.dropped:,}"


def _residue(cells: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    clean = []
    for cell in cells:
        figures = {name: cell.median(name) for name in cell.medians if name.startswith("residue.left.")}
        left = {name: figure for name, figure in figures.items() if (figure.high or 0) > _USUAL.get(name, 0)}
        if left:
            yield _residue_left(cell, left, namer)
        elif figures and all(figure.known == figure.trials for figure in figures.values()):
            clean.append(cell)
    if clean:
        in_these = "any cell" if len(clean) == len(cells) else f"{len(clean)} of {len(cells)} cells"
        yield Finding(
            severity="good",
            topic="left behind",
            text=f"After the load had gone, nothing of what is counted was left behind in {in_these}.",
            cells=tuple(cell.key for cell in clean),
            figures=("residue.left",),
        )


def _residue_left(cell: Cell, left: dict[str, Figure], namer: Namer) -> Finding:
    parts = [
        _of_kind(cell, name.removeprefix("residue.left."), figure) + (" (the layer's doing)" if name in _LAYERS else "")
        for name, figure in left.items()
    ]
    return Finding(
        severity="warning" if any(figure.median for name, figure in left.items() if name not in _LAYERS) else "note",
        topic="left behind",
        text=(
            f"{namer.name(cell.key)}: left behind after the load had gone: {'; '.join(parts)} "
            f"({how_sure(min(left.values(), key=lambda figure: figure.known))})."
        ),
        cells=(cell.key,),
        figures=tuple(left),
    )


def _of_kind(cell: Cell, kind: str, figure: Figure) -> str:
    example = next((value for value in cell.values(f"residue.example.{kind}") if value), None)
    return f"{with_range(figure)} {kind}" + (f", for example {example}" if example else "")
