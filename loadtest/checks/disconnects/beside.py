"""What is told beside the share that is missed: how busy the server was, and how exposed its connections were."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from loadtest.checks.disconnects.table import EXPOSURE
from loadtest.checks.throughput.busy import busy_in
from loadtest.checks.throughput.table import DURATION_S, SERVER_CPU_S, TABLE
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.words import listed, number, percent


def beside(cells: Sequence[Cell], evidence: Evidence) -> str:
    """`utilisation 0.83 and exposure 9.1 %`; "" where neither is known.

    In runs older than format 5: `server CPU 0.83 of a core`.
    """
    return listed([said for said in (_busy(cells, evidence), _exposed(cells)) if said] or [""])


def _busy(cells: Sequence[Cell], evidence: Evidence) -> str:
    if busy := busy_in(cells, evidence):
        return f"utilisation {_range(busy)}"
    used = [_cores(cell) for cell in evidence.trials_of(cells, TABLE) if cell.median(SERVER_CPU_S).is_known]
    return f"server CPU {_range(used)} of a core" if used else ""


def _exposed(cells: Sequence[Cell]) -> str:
    """The mean of the cells: where these are kinds of drop in the same trials they all have it."""
    known = [cell.interval(EXPOSURE).estimate for cell in cells if cell.median(EXPOSURE).is_known]
    return f"exposure {percent(fmean(known))} %" if known else ""


def _cores(cell: Cell) -> float:
    return cell.interval(SERVER_CPU_S).estimate / cell.interval(DURATION_S).estimate


def _range(found: Sequence[float]) -> str:
    ends = dict.fromkeys(number(round(end, 2)) for end in (min(found), max(found)))
    return " to ".join(ends)
