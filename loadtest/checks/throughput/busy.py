"""How busy the server was, to be told beside what depends on it."""

from __future__ import annotations

from collections.abc import Iterable

from loadtest.checks.throughput.table import DURATION_S, SERVER_CPU_S, TABLE
from loadtest.dimensions import DROP, MIXED_DROPS, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.words import number


def busy_in(keys: Iterable[CellKey], evidence: Evidence) -> str:
    """`server CPU 0.83 of a core`, `server CPU 0.40 to 0.93 of a core`: of the trials of these cells; "": not known."""
    keys = set(keys)
    trials_of = keys | {key.having(DROP, MIXED_DROPS) for key in keys}
    found = [share for cell in evidence.having(TABLE) if cell.key in trials_of and (share := _cores(cell)) is not None]
    if not found:
        return ""
    ends = dict.fromkeys(number(round(end, 2)) for end in (min(found), max(found)))
    return f"server CPU {' to '.join(ends)} of a core"


def _cores(cell: Cell) -> float | None:
    used, lasted = cell.interval(SERVER_CPU_S).estimate, cell.interval(DURATION_S).estimate
    return used / lasted if used == used and lasted == lasted and lasted else None
