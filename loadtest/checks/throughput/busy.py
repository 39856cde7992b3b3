"""How busy the server was, to be told beside what depends on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from loadtest.checks.throughput.table import DURATION_S, SERVER_CPU_S, TABLE, UTILISATION
from loadtest.dimensions import DROP, MIXED_DROPS, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.words import number


def busy_in(keys: Collection[CellKey], evidence: Evidence) -> str:
    """`utilisation 0.83`, `utilisation 0.40 to 0.93`, of the trials of these cells; "" where it is not known.

    In runs older than format 5: `server CPU 0.83 of a core`.
    """
    trials_of = {*keys, *(key.having(DROP, MIXED_DROPS) for key in keys)}
    cells = [cell for cell in evidence.having(TABLE) if cell.key in trials_of]
    busy = [cell.interval(UTILISATION).estimate for cell in cells if cell.median(UTILISATION).is_known]
    if busy:
        return f"utilisation {_range(busy)}"
    used = [_cores(cell) for cell in cells if cell.median(SERVER_CPU_S).is_known]
    return f"server CPU {_range(used)} of a core" if used else ""


def _cores(cell: Cell) -> float:
    return cell.interval(SERVER_CPU_S).estimate / cell.interval(DURATION_S).estimate


def _range(found: Sequence[float]) -> str:
    ends = dict.fromkeys(number(round(end, 2)) for end in (min(found), max(found)))
    return " to ".join(ends)
