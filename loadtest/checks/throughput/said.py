"""What is said of throughput.csv: stalls of the event loop, and connections that ended or never opened by themselves.

Comparisons of speed are made from several cells: see `loadtest.report.findings.compared`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import inf

from loadtest.checks.throughput import table
from loadtest.checks.throughput.overload import overloaded, overloaded_trials
from loadtest.checks.throughput.table import STALLED_MS, STALLS
from loadtest.dimensions import CONSUMER, LAYER
from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, how_sure
from loadtest.figures.topics import LATENCY, STOOD_STILL, THROUGHPUT, UNEXPECTED
from loadtest.figures.words import Namer, counted, listed, number, share, time_ms

NOTABLE_SHARE = 0.05
"""Of the window that counts: a single stall of 100 ms in the 3 s of a quick trial may be the machine's doing."""

_REASONS = 3
"""So many of the most frequent are told; the table has them all."""

_LATENCIES = {
    table.LATENCY_MS_P50: "median latency {}",
    table.LATENCY_MS_P99: "p99 {}",
    table.LATENCY_MS_MAX: "slowest message {}",
}


def says(evidence: Evidence) -> Iterator[Finding]:
    """Connections that ended or did not open, then each cell that stalled notably, the longest stalls first."""
    measured, namer = evidence.having(table.TABLE), evidence.namer
    for cell in measured:
        if stood_still := [ms for ms in cell.values(table.STOOD_STILL_MS) if ms]:
            yield _stood_still(cell, max(stood_still), len(stood_still), namer)
        if cell.total(table.ENDED_UNEXPECTEDLY).total:
            yield _ended(cell, evidence)
        if cell.total(table.OPEN_FAILED).total:
            yield _failed(cell, table.OPEN_FAILED, table.OPEN_FAILURES, _not_opened, namer)
        if cell.total(table.PUSH_FAILED).total:
            yield _failed(cell, table.PUSH_FAILED, table.PUSH_FAILURES, _not_pushed, namer)
        if overloaded_trials(cell):
            yield _overloaded(cell, namer)
    for cell in sorted(filter(_is_notable, measured), key=_stalled_ms, reverse=True):
        calm = [other for other in measured if _differ_by_consumer(cell, other) and _never_stalled(other)]
        yield _stalled(cell, calm, namer)


def open_at_a_time(cell: Cell) -> str:
    """`50 open at a time, 3 trials`."""
    users = cell.median(table.USERS).median
    trials = counted(len(cell.valid_trials), "trial")
    return trials if users is None else f"{users:,.0f} open at a time, {trials}"


def _stood_still(cell: Cell, longest_ms: float, trials: int, namer: Namer) -> Finding:
    of_trials = "" if len(cell.valid_trials) == 1 else f" in {trials} of {len(cell.valid_trials)} trials"
    return Finding(
        severity="warning",
        topic=STOOD_STILL,
        text=(
            f"{namer.name(cell.key)}: the server stood still{of_trials}: at the end it had served nobody "
            f"for {time_ms(longest_ms)}, and it did not go on. All other figures of this tell of that."
        ),
        cells=(cell.key,),
        figures=(table.STOOD_STILL_MS,),
    )


def _ended(cell: Cell, evidence: Evidence) -> Finding:
    known = evidence.values.of(cell.key, LAYER).ends_connections
    ended = cell.total(table.ENDED_UNEXPECTEDLY).total or 0
    return Finding(
        severity="warning",
        topic=UNEXPECTED,
        text=(
            f"{evidence.namer.name(cell.key)}: {counted(ended, 'connection')} ended though no "
            f"client dropped them ({open_at_a_time(cell)}){f': {known}' if known else ''}."
        ),
        cells=(cell.key,),
        figures=(table.ENDED_UNEXPECTEDLY,),
        example=cell.example(table.UNEXPECTED_EXAMPLE),
    )


def _failed(
    cell: Cell, failed: Column[int], reasons: Column[Counter[str]], said: Callable[[int], str], namer: Namer
) -> Finding:
    """Tell how many of something failed, and why; `said` makes the words of the number."""
    return Finding(
        severity="warning",
        topic=UNEXPECTED,
        text=(
            f"{namer.name(cell.key)}: {said(cell.total(failed).total or 0)}{_with_reasons(cell, reasons)} "
            f"({open_at_a_time(cell)})."
        ),
        cells=(cell.key,),
        figures=(failed, reasons),
    )


def _not_opened(count: int) -> str:
    return f"{counted(count, 'connection')} could not be opened"


def _not_pushed(count: int) -> str:
    return f"{counted(count, 'push', 'pushes')} failed"


def _with_reasons(cell: Cell, column: Column[Counter[str]]) -> str:
    reasons = [f"{reason} {count:,}" for reason, count in cell.counts(column).most_common(_REASONS)]
    return f": {listed(reasons)}" if reasons else ""


def _overloaded(cell: Cell, namer: Namer) -> Finding:
    offered, answered = (round(cell.median(column).median or 0) for column in (table.OFFERED, table.ANSWERED))
    p99 = latency_in_words(cell, table.LATENCY_MS_P99)
    return Finding(
        severity="warning",
        topic=THROUGHPUT,
        text=(
            f"{namer.name(cell.key)}: overloaded{_in_trials(cell)}: the server was asked for more than it could do. Of "
            f"{offered:,} messages a trial {share(answered, offered)} came to everyone they were meant for"
            f"{f', and latency p99 was {p99}' if p99 else ''}: that tells of the queue, and of how it was cut short."
        ),
        cells=(cell.key,),
        figures=(table.OVERLOADED, table.OFFERED, table.ANSWERED, table.BACKLOG, table.LATENCY_MS_P99),
    )


def _in_trials(cell: Cell) -> str:
    return f" {overloaded(cell)}" if overloaded_trials(cell) < len(cell.valid_trials) else ""


def _is_notable(cell: Cell) -> bool:
    window_s = cell.median(table.DURATION_S).median
    return window_s is not None and _stalled_ms(cell) >= NOTABLE_SHARE * window_s * 1000


def _stalled_ms(cell: Cell) -> float:
    return cell.median(STALLED_MS).median or 0.0


def _differ_by_consumer(one: Cell, other: Cell) -> bool:
    return one.key != other.key and one.key.without(CONSUMER) == other.key.without(CONSUMER)


def _never_stalled(cell: Cell) -> bool:
    return cell.median(STALLS).high == 0


def _stalled(cell: Cell, calm: Sequence[Cell], namer: Namer) -> Finding:
    stalls = cell.median(STALLS)
    others = "".join(f"; {other.key[CONSUMER]} never stalled: {_came(other)}" for other in calm if _came(other))
    return Finding(
        severity="warning",
        topic=LATENCY,
        text=(
            f"{namer.name(cell.key)}: the server's event loop stalled {_times(stalls.median or 0)} a trial "
            f"for at least 100 ms, {time_ms(_stalled_ms(cell))} in all"
            f"{f'; {_came(cell)}' if _came(cell) else ''} ({how_sure(stalls)}){others}."
        ),
        cells=(cell.key, *(other.key for other in calm)),
        figures=(STALLS, STALLED_MS, *_LATENCIES),
    )


def _times(count: float) -> str:
    return "once" if count == 1 else f"{number(count)} times"


def _came(cell: Cell) -> str:
    """How late its messages came: what waited for the event loop, or for anything else, came late."""
    known = {words: latency_in_words(cell, column) for column, words in _LATENCIES.items()}
    return listed([words.format(latency) for words, latency in known.items() if latency] or [""])


def latency_in_words(cell: Cell, column: Column[float]) -> str:
    """`66.0 ms`; `more than 5,300 ms` where too much never came; "" where it is not known."""
    median = cell.median(column).median
    if median is None:
        return ""
    watched = cell.median(table.WATCHED_MS).low
    return f"more than {time_ms(watched)}" if median == inf and watched is not None else time_ms(median)
