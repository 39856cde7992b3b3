"""Findings on how fast a drop reached disconnect(), and with which code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from loadtest.checks.disconnects.table import CODES, DETECT_MS_MAX, DETECT_MS_P50, TABLE
from loadtest.checks.drops import DETECT_MS, VERDICT
from loadtest.dimensions import DROP, SERVER
from loadtest.figures.cell import Cell, by_drop
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, trials_each
from loadtest.figures.topics import CODES as ON_CODES
from loadtest.figures.topics import DETECTION
from loadtest.figures.words import counted, listed, time_ms

SHOWN_KINDS = 4
"""Kinds of drop whose times a sentence tells; of more, the fastest and the slowest."""


def says_of_detection(evidence: Evidence) -> Iterator[Finding]:
    """The detection times of each layer and consumer, and the codes after each kind of drop."""
    dropped = evidence.having(TABLE)
    for cells in by_drop([cell for cell in dropped if cell.median(DETECT_MS_P50).is_known], evidence.values):
        yield _detected(cells, evidence)
    yield from _codes(dropped)


def _detected(cells: Sequence[Cell], evidence: Evidence) -> Finding:
    slowest = [(cell.median(DETECT_MS_MAX).high, cell.key[DROP]) for cell in cells]
    worst = max(((high, drop) for high, drop in slowest if high is not None), default=None)
    name = evidence.place_and_consumer(cells[0].key, TABLE)
    text = f"{name}: median time from the drop to disconnect(): {_times(cells)}"
    text += f"; the slowest of all took {time_ms(worst[0])}, after {worst[1]}" if worst else ""
    trials = [cell.median(DETECT_MS_P50).known for cell in cells]
    return Finding(
        severity="note",
        topic=DETECTION,
        text=f"{text} ({trials_each(trials, 'medians of ')}).",
        cells=tuple(cell.key for cell in cells),
        figures=(DETECT_MS_P50, DETECT_MS_MAX),
        example=evidence.examples.largest(cells, DETECT_MS, VERDICT.expr == "called"),
    )


def _times(cells: Sequence[Cell]) -> str:
    ordered = sorted(cells, key=_median_ms)
    if len(ordered) <= SHOWN_KINDS:
        return listed([f"{time_ms(_median_ms(cell))} after {cell.key[DROP]}" for cell in ordered])
    fastest, slowest = ordered[0], ordered[-1]
    return (
        f"{time_ms(_median_ms(fastest))} (after {fastest.key[DROP]}) to {time_ms(_median_ms(slowest))} "
        f"(after {slowest.key[DROP]}), over {len(ordered)} kinds of drop"
    )


def _median_ms(cell: Cell) -> float:
    return cell.median(DETECT_MS_P50).median or 0.0


def _codes(dropped: Sequence[Cell]) -> Iterator[Finding]:
    """The codes disconnect() got, over all layers and consumers of a server; kinds with the same codes together."""
    by_kind: dict[tuple[str, str], list[Cell]] = {}
    for cell in dropped:
        by_kind.setdefault((cell.key[SERVER], cell.key[DROP]), []).append(cell)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (server, drop), cells in sorted(by_kind.items()):
        if codes := _codes_of_all(cells):
            alike.setdefault((server, tuple(code for code, _ in codes.most_common())), []).append(drop)
    for (server, _), drops in alike.items():
        yield _same_codes(server, drops, [cell for drop in drops for cell in by_kind[server, drop]])


def _same_codes(server: str, drops: Sequence[str], cells: Sequence[Cell]) -> Finding:
    each = [f"{code} ({counted(count, 'time')})" for code, count in _codes_of_all(cells).most_common()]
    return Finding(
        severity="note",
        topic=ON_CODES,
        text=f"After {listed(drops)}, disconnect() got the code {listed(each)} on {server}.",
        cells=tuple(cell.key for cell in cells),
        figures=(CODES,),
    )


def _codes_of_all(cells: Sequence[Cell]) -> Counter[str]:
    return sum((cell.counts(CODES) for cell in cells), Counter[str]())
