"""Findings on stalls: where the server's event loop served nobody for a while, and how late messages came there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from loadtest.report.cells import Cell
from loadtest.report.findings.finding import Finding, how_sure
from loadtest.report.words import Namer, listed, number, time_ms

NOTABLE_SHARE = 0.05
"""Of the window that counts: a single stall of 100 ms in the 3 s of a quick trial may be the machine's doing."""

_STALLS, _STALLED = "throughput.stalls", "throughput.stalled_ms"
_LATENCIES = {
    "throughput.latency_ms_p50": "half of the messages came within {}",
    "throughput.latency_ms_p99": "99 of 100 within {}",
    "throughput.latency_ms_max": "the latest after {}",
}


def stall_findings(measured: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """A sentence for each cell that stalled notably, the one with the longest stalls first."""
    for cell in sorted(filter(_is_notable, measured), key=_stalled_ms, reverse=True):
        calm = [other for other in measured if _differ_by_consumer(cell, other) and _never_stalled(other)]
        yield _stalled(cell, calm, namer)


def _is_notable(cell: Cell) -> bool:
    window_s = cell.median("throughput.duration_s").median
    return window_s is not None and _stalled_ms(cell) >= NOTABLE_SHARE * window_s * 1000


def _stalled_ms(cell: Cell) -> float:
    return cell.median(_STALLED).median or 0.0


def _differ_by_consumer(one: Cell, other: Cell) -> bool:
    return one.key != other.key and replace(one.key, consumer=other.key.consumer) == other.key


def _never_stalled(cell: Cell) -> bool:
    return cell.median(_STALLS).high == 0


def _stalled(cell: Cell, calm: Sequence[Cell], namer: Namer) -> Finding:
    stalls = cell.median(_STALLS)
    came = "".join(f"; with {other.key.consumer} it never did, and {_came(other)}" for other in calm if _came(other))
    return Finding(
        severity="warning",
        topic="latency",
        text=(
            f"{namer.name(cell.key)}: the server's event loop served nobody for 100 ms or longer "
            f"{_times(stalls.median or 0)} in a trial, {time_ms(_stalled_ms(cell))} together"
            f"{f'; {_came(cell)}' if _came(cell) else ''} ({how_sure(stalls)}){came}."
        ),
        cells=(cell.key, *(other.key for other in calm)),
        figures=(_STALLS, _STALLED, *_LATENCIES),
    )


def _times(count: float) -> str:
    return "once" if count == 1 else f"{number(count)} times"


def _came(cell: Cell) -> str:
    """How late its messages came: what waited for the event loop, or for anything else, came late."""
    known = {words: cell.median(name).median for name, words in _LATENCIES.items()}
    return listed([words.format(time_ms(value)) for words, value in known.items() if value is not None] or [""])
