"""Findings on connections that nobody dropped: ended all the same, or open and deaf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loadtest.report.cells import ENDED_UNASKED, Cell
from loadtest.report.findings.finding import Finding
from loadtest.report.words import Namer, counted

DEAF = "delivery.deaf"

_KNOWN: Mapping[str, str] = {
    "redis-stock": "redis-py 8 gives up a read after 5 s, just as long as this layer's own blocking pop waits, and the "
    'consumer that waited ends; hosts: [{"address": url, "socket_timeout": None}] cures it',
}
"""Layers whose own setting is known to end connections, and how."""


def unasked_findings(cells: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """Connections that the server ended unasked, and those that stayed open and got nothing."""
    for cell in cells:
        if cell.total(ENDED_UNASKED).total:
            yield _ended(cell, namer)
        if cell.total(DEAF).total:
            yield _deaf(cell, namer)


def _ended(cell: Cell, namer: Namer) -> Finding:
    because = f": {_KNOWN[cell.key.layer]}" if cell.key.layer in _KNOWN else ""
    return Finding(
        severity="warning",
        topic="unasked",
        text=(
            f"{namer.name(cell.key)}: {counted(cell.total(ENDED_UNASKED).total or 0, 'connection')} ended though no "
            f"client dropped them ({_users(cell)}){because}."
        ),
        cells=(cell.key,),
        figures=(ENDED_UNASKED,),
        example=cell.example("throughput.unasked_example"),
    )


def _deaf(cell: Cell, namer: Namer) -> Finding:
    return Finding(
        severity="warning",
        topic="unasked",
        text=(
            f"{namer.name(cell.key)}: {counted(cell.total(DEAF).total or 0, 'connection')} stayed open and received "
            f"nothing more of all that was meant for them ({_users(cell)})."
        ),
        cells=(cell.key,),
        figures=(DEAF,),
        example=cell.example("delivery.deaf_example"),
    )


def _users(cell: Cell) -> str:
    """`50 open at a time, 3 trials`."""
    users = cell.median("throughput.users").median
    trials = counted(len(cell.trials), "trial")
    return trials if users is None else f"{users:,.0f} open at a time, {trials}"
