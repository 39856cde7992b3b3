"""What is said of residue.csv: what whole trials left behind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from loadtest.checks.residue.kinds import KEPT_BY_LAYER, KINDS, MEMORY
from loadtest.checks.residue.table import EXAMPLE, LEFT, TABLE
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, how_sure
from loadtest.figures.statistics import Figure
from loadtest.figures.topics import LEFT_BEHIND
from loadtest.figures.words import Namer, counted, number, with_range

USUAL = {MEMORY: 20_000}
"""What may be left without a leak: only more is told. Trials of a few hundred connections left 2 to 12.5 MB without one
(docs/method.md)."""
_LONGEST_EXAMPLE = 32


def says(evidence: Evidence) -> Iterator[Finding]:
    """What was left behind, cell by cell; then the cells in which nothing was."""
    cells = [cell for cell in evidence.having(TABLE) if cell.valid_trials]
    clean = []
    for cell in cells:
        figures = {kind.name: cell.median(LEFT[kind.name]) for kind in KINDS if LEFT[kind.name] in cell.medians}
        left = {kind: figure for kind, figure in figures.items() if (figure.high or 0) > USUAL.get(kind, 0)}
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
    always = {kind: figure for kind, figure in left.items() if figure.median}
    in_some = {kind: figure for kind, figure in left.items() if not figure.median}
    parts = []
    if always:
        kinds = [_of_kind(cell, kind, with_range(figure)) for kind, figure in always.items()]
        parts.append(f"left behind: {'; '.join(kinds)} ({how_sure(_least_known(always))})")
    if in_some:
        kinds = [_of_kind(cell, kind, f"up to {number(figure.high or 0)}") for kind, figure in in_some.items()]
        known = counted(_least_known(in_some).known, "trial")
        parts.append(f"left behind in some trials: {'; '.join(kinds)} (median 0, {known})")
    return Finding(
        severity="warning"
        if any(figure.median for kind, figure in left.items() if kind not in KEPT_BY_LAYER)
        else "note",
        topic=LEFT_BEHIND,
        text=f"{namer.name(cell.key)}: {'; '.join(parts)}.",
        cells=(cell.key,),
        figures=tuple(LEFT[kind] for kind in left),
    )


def _least_known(figures: Mapping[str, Figure]) -> Figure:
    return min(figures.values(), key=lambda figure: figure.known)


def _of_kind(cell: Cell, kind: str, amount: str) -> str:
    """`3 asyncio tasks, for example Task-7`; `up to 9 empty layer queues kept by the layer`."""
    if kind == MEMORY:
        return f"{amount} kB of memory"
    example = _first_name(cell.example(EXAMPLE[kind]))
    example = "" if example in kind else example  # "layer socket" tells no more than "layer sockets"
    whose = " kept by the layer" if kind in KEPT_BY_LAYER else ""
    return f"{amount} {kind}{whose}{f', for example {example}' if example else ''}"


def _first_name(example: str) -> str:
    """The first of the names that a row gives, each with its count behind it: "Task-7 (1), Task-9 (1)"."""
    counted_name = re.match(r"(.*?) \(\d+\)(?:, |$)", example)
    name = counted_name[1] if counted_name else example
    return name if len(name) <= _LONGEST_EXAMPLE else f"{name[: _LONGEST_EXAMPLE - 1]}…"
