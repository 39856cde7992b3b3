"""Findings on what dropped connections and whole trials left behind, and what a guard buys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from loadtest.report.cells import Cell
from loadtest.report.findings.finding import Finding, how_sure
from loadtest.report.statistics import Figure
from loadtest.report.words import Namer, counted, listed, number, with_range

_LEFT = {
    "disconnects.groups_left": "in a group (messages to the room still go to them)",
    "disconnects.tasks_left": "with a running consumer task",
    "disconnects.presence_left": "online in the database",
}

GUARDED = "-guarded"
"""Consumers of this name's end are the same as those without it, but for cleanup that always runs."""


def left_behind_findings(cells: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """What dropped connections left, what the guard buys, and residue counted over whole trials."""
    dropped = [cell for cell in cells if cell.has("disconnects")]
    for cell in dropped:
        if names := [name for name in _LEFT if cell.total(name).total]:
            yield _left(cell, names, namer)
    yield from _guards(dropped, namer)
    yield from _residue([cell for cell in cells if cell.has("residue")], namer)


def _left(cell: Cell, names: Sequence[str], namer: Namer) -> Finding:
    whole = counted(cell.total("disconnects.dropped").total or 0, "dropped connection")
    parts = [f"{cell.total(name).total:,} {_LEFT[name]}" for name in names]
    most = max((cell.median(name) for name in names), key=lambda figure: figure.high or 0)
    return Finding(
        severity="warning",
        topic="left behind",
        text=(
            f"{namer.name(cell.key)}: after settling, the server still had {listed(parts)}, "
            f"of {whole} ({_at_most(most)})."
        ),
        cells=(cell.key,),
        figures=("disconnects.dropped", *names),
    )


def _at_most(each: Figure) -> str:
    return "one trial only" if each.known < 2 else f"at most {number(each.high or 0)} in one of {each.known} trials"


def _guards(dropped: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """Connections that stayed in a group, with the guard and without."""
    by_key = {cell.key: cell for cell in dropped}
    for cell in dropped:
        bare = by_key.get(replace(cell.key, consumer=cell.key.consumer.removesuffix(GUARDED)))
        if cell.key.consumer.endswith(GUARDED) and bare is not None:
            yield from _guard(bare, cell, namer)


def _guard(bare: Cell, guarded: Cell, namer: Namer) -> Iterator[Finding]:
    without, with_guard = _leavers(bare), _leavers(guarded)
    if without is None or with_guard is None or not (without[0] or with_guard[0]):
        return
    yield Finding(
        severity="note",
        topic="left behind",
        text=(
            f"{namer.name(bare.key)}: without the guard {without[0]:,} of {without[1]:,} dropped connections "
            f"stayed in a group, with it {with_guard[0]:,} of {with_guard[1]:,}."
        ),
        cells=(bare.key, guarded.key),
        figures=("disconnects.groups_left",),
    )


def _leavers(cell: Cell) -> tuple[int, int] | None:
    left, whole = cell.total("disconnects.groups_left"), cell.total("disconnects.dropped").total
    return None if left.total is None or left.known < left.trials or whole is None else (left.total, whole)


def _residue(cells: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    clean = []
    for cell in cells:
        figures = {name: cell.median(name) for name in cell.medians if name.startswith("residue.left.")}
        left = {name: figure for name, figure in figures.items() if (figure.high or 0) > 0}
        for name, figure in left.items():
            yield _residue_left(cell, name, figure, namer)
        if not left and figures and all(figure.known == figure.trials for figure in figures.values()):
            clean.append(cell)
    if clean:
        where = "any cell" if len(clean) == len(cells) else f"{len(clean)} of {len(cells)} cells"
        yield Finding(
            severity="good",
            topic="left behind",
            text=f"After the load had gone, nothing of what is counted was left behind in {where}.",
            cells=tuple(cell.key for cell in clean),
            figures=("residue.left",),
        )


def _residue_left(cell: Cell, name: str, figure: Figure, namer: Namer) -> Finding:
    kind = name.removeprefix("residue.left.")
    example = next((value for value in cell.values(f"residue.example.{kind}") if value), None)
    return Finding(
        severity="warning" if figure.median else "note",
        topic="left behind",
        text=(
            f"{namer.name(cell.key)}: {kind} left behind after the load had gone: {with_range(figure)} "
            f"({how_sure(figure)})" + (f"; for example {example}." if example else ".")
        ),
        cells=(cell.key,),
        figures=(name,),
    )
