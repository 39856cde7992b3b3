"""What is said of residue.csv: what whole trials left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loadtest.checks.residue.kinds import KEPT_BY_LAYER, KINDS, MEMORY
from loadtest.checks.residue.table import EXAMPLE, LEFT, TABLE
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, how_sure
from loadtest.figures.statistics import Figure
from loadtest.figures.topics import LEFT_BEHIND
from loadtest.figures.words import Namer, with_range

_USUAL = {MEMORY: 20_000}
"""What is left of memory in a trial of a few hundred connections without a leak: 4 to 12 MB were seen."""


def says(evidence: Evidence) -> Iterator[Finding]:
    """What was left behind, cell by cell; then the cells in which nothing was."""
    cells = [cell for cell in evidence.having(TABLE) if cell.valid_trials]
    clean = []
    for cell in cells:
        figures = {kind.name: cell.median(LEFT[kind.name]) for kind in KINDS if LEFT[kind.name] in cell.medians}
        left = {kind: figure for kind, figure in figures.items() if (figure.high or 0) > _USUAL.get(kind, 0)}
        if left:
            yield _left(cell, left, evidence.namer)
        elif figures and all(figure.known == figure.trials for figure in figures.values()):
            clean.append(cell)
    if clean:
        yield _nothing_left(clean, len(cells))


def _nothing_left(clean: list[Cell], all_cells: int) -> Finding:
    in_these = "any cell" if len(clean) == all_cells else f"{len(clean)} of {all_cells} cells"
    return Finding(
        severity="good",
        topic=LEFT_BEHIND,
        text=f"After the load had gone, nothing of what is counted was left behind in {in_these}.",
        cells=tuple(cell.key for cell in clean),
        figures=(LEFT,),
    )


def _left(cell: Cell, left: Mapping[str, Figure], namer: Namer) -> Finding:
    parts = [
        _of_kind(cell, kind, figure) + (" (the layer's doing)" if kind in KEPT_BY_LAYER else "")
        for kind, figure in left.items()
    ]
    return Finding(
        severity="warning"
        if any(figure.median for kind, figure in left.items() if kind not in KEPT_BY_LAYER)
        else "note",
        topic=LEFT_BEHIND,
        text=(
            f"{namer.name(cell.key)}: left behind after the load had gone: {'; '.join(parts)} "
            f"({how_sure(min(left.values(), key=lambda figure: figure.known))})."
        ),
        cells=(cell.key,),
        figures=tuple(LEFT[kind] for kind in left),
    )


def _of_kind(cell: Cell, kind: str, figure: Figure) -> str:
    example = cell.example(EXAMPLE[kind])
    return f"{with_range(figure)} {kind}" + (f", for example {example}" if example else "")
