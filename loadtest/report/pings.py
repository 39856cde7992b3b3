"""Pings: runs that differ by the server's ping settings: when silent drops are noticed, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.table import DETECT_MS_MAX
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.drops import DETECT_MS
from loadtest.checks.throughput.table import MESSAGES_PER_S, SERVER_CPU_S
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import DROP, NO_DROP, SCENARIO
from loadtest.figures.cell import Cell
from loadtest.figures.share import share_in
from loadtest.figures.words import NOT_APPLICABLE, number, quantile_with_interval, share_with_interval, with_interval
from loadtest.report.summary import Summary

MEDIAN = 0.5


def pings_table(runs: Sequence[Summary]) -> str:
    """A table in Markdown: a row each run; times are from the drop to disconnect() entered.

    Each kind of drop and each scenario without drops has a column; of one in which nobody says anything that is the CPU
    time of the server in its steady window. One cell a kind and scenario: one layer, one consumer.
    """
    kinds = list(dict.fromkeys(cell.key[DROP] for run in runs for cell in _dropped(run)))
    scenarios = list(dict.fromkeys(cell.key[SCENARIO] for run in runs for cell in _undropped(run)))
    head = [
        "ping every / answer within, s",
        *(f"`{kind}`: called after, ms (95 %)" for kind in kinds),
        "the latest, ms",
        "missed (95 %)",
        *(_heading(scenario, runs) for scenario in scenarios),
    ]
    rows = [_row(run, kinds, scenarios) for run in runs]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def _row(run: Summary, kinds: Sequence[str], scenarios: Sequence[str]) -> list[str]:
    dropped, undropped = _dropped(run), _undropped(run)
    latest = [high for cell in dropped if (high := cell.median(DETECT_MS_MAX).high) is not None]
    return [
        str(run.manifest.plan["server_ping"]),
        *(_called([cell for cell in dropped if cell.key[DROP] == kind]) for kind in kinds),
        number(max(latest)) if latest else NOT_APPLICABLE,
        share_with_interval(share_in(dropped, MISSED_OF)),
        *(_cost([cell for cell in undropped if cell.key[SCENARIO] == scenario]) for scenario in scenarios),
    ]


def _dropped(run: Summary) -> list[Cell]:
    return sorted(run.evidence.having(DISCONNECTS), key=lambda cell: run.evidence.values.order(cell.key))


def _undropped(run: Summary) -> list[Cell]:
    cells = [cell for cell in run.evidence.having(THROUGHPUT) if cell.key[DROP] == NO_DROP]
    return sorted(cells, key=lambda cell: run.evidence.values.order(cell.key))


def _called(cells: Sequence[Cell]) -> str:
    if not cells:
        return NOT_APPLICABLE
    (median,) = cells[0].quantiles(DETECT_MS, [MEDIAN])
    return quantile_with_interval(median)


def _heading(scenario: str, runs: Sequence[Summary]) -> str:
    cells = [cell for run in runs for cell in _undropped(run) if cell.key[SCENARIO] == scenario]
    return f"{scenario}: {'messages a second' if _talks(cells) else 'server CPU, s'} (95 %)"


def _cost(cells: Sequence[Cell]) -> str:
    if not cells:
        return NOT_APPLICABLE
    return with_interval(cells[0].interval(MESSAGES_PER_S if _talks(cells) else SERVER_CPU_S))


def _talks(cells: Sequence[Cell]) -> bool:
    return any(cell.median(MESSAGES_PER_S).high for cell in cells)
