"""Findings on how fast a drop reached disconnect(), and with which code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from loadtest.report.cells import Cell, by_consumer
from loadtest.report.examples import Examples
from loadtest.report.findings.finding import Finding, trials_each
from loadtest.report.words import Namer, counted, listed, time_ms

SHOWN_KINDS = 4
"""Kinds of drop whose times a sentence tells; of more, the fastest and the slowest."""


def detection_findings(dropped: Sequence[Cell], namer: Namer, examples: Examples) -> Iterator[Finding]:
    """The detection times of each layer and consumer, and the codes after each kind of drop."""
    for cells in by_consumer([c for c in dropped if c.median("disconnects.detect_ms_p50").is_known]):
        yield _detected(cells, namer, examples)
    yield from _codes(dropped)


def _detected(cells: Sequence[Cell], namer: Namer, examples: Examples) -> Finding:
    key = cells[0].key
    slowest = [(cell.median("disconnects.detect_ms_max").high, cell.key.drop) for cell in cells]
    worst = max(((high, drop) for high, drop in slowest if high is not None), default=None)
    text = f"{namer.place(key)}, {key.consumer}: half of the drops reached disconnect() within {_times(cells)}"
    text += f"; the slowest of all took {time_ms(worst[0])}, after {worst[1]}" if worst else ""
    trials = [cell.median("disconnects.detect_ms_p50").known for cell in cells]
    return Finding(
        severity="note",
        topic="detection",
        text=f"{text} ({trials_each(trials, 'medians of ')}).",
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.detect_ms_p50", "disconnects.detect_ms_max"),
        example=examples.slowest(cells),
    )


def _times(cells: Sequence[Cell]) -> str:
    ordered = sorted(cells, key=_median_ms)
    if len(ordered) <= SHOWN_KINDS:
        return listed([f"{time_ms(_median_ms(cell))} after {cell.key.drop}" for cell in ordered])
    fastest, slowest = ordered[0], ordered[-1]
    return (
        f"{time_ms(_median_ms(fastest))} (after {fastest.key.drop}) to {time_ms(_median_ms(slowest))} "
        f"(after {slowest.key.drop}), over {len(ordered)} kinds of drop"
    )


def _median_ms(cell: Cell) -> float:
    return cell.median("disconnects.detect_ms_p50").median or 0.0


def _codes(dropped: Sequence[Cell]) -> Iterator[Finding]:
    """The codes disconnect() got, over all layers and consumers of a server; kinds with the same codes together."""
    by_kind: dict[tuple[str, str], list[Cell]] = {}
    for cell in dropped:
        by_kind.setdefault((cell.key.server, cell.key.drop), []).append(cell)
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
        topic="codes",
        text=f"After {listed(drops)}, disconnect() got the code {listed(each)} on {server}.",
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.codes",),
    )


def _codes_of_all(cells: Sequence[Cell]) -> Counter[str]:
    return sum((codes_of(cell) for cell in cells), Counter[str]())


def codes_of(cell: Cell) -> Counter[str]:
    """How often disconnect() got each code over all trials of the cell."""
    seen: Counter[str] = Counter()
    for value in cell.values("disconnects.codes"):
        for pair in str(value or "").split():
            code, _, count = pair.partition(":")
            seen[code] += int(count) if count.isdigit() else 1
    return seen
