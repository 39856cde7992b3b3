"""Findings on how fast a drop reached disconnect(), and with which code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Final

from loadtest.checks.disconnects.table import CODES, DETECT_ERROR_MS, DETECT_MS_MAX, DETECT_MS_P50, TABLE
from loadtest.checks.drops import DETECT_MS, VERDICT
from loadtest.dimensions import DROP, SERVER
from loadtest.figures.cell import Cell, pooled
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding
from loadtest.figures.topics import CODES as ON_CODES
from loadtest.figures.topics import DETECTION
from loadtest.figures.words import NEVER, counted, listed, quantile_with_interval, time_ms
from loadtest.stats.survival import Quantile

QUANTILES: Final = (0.5, 0.9, 0.99)
_NAMES: Final = ("p90", "p99")


def says_of_detection(evidence: Evidence) -> Iterator[Finding]:
    """The detection times of each layer and consumer, and the codes after each kind of drop."""
    for cells in evidence.by_drop(TABLE):
        timed = [cell for cell in cells if cell.quantiles(DETECT_MS, (0.5,))[0].events]
        if timed:
            yield _detected(timed, evidence)
    yield from _codes(evidence.having(TABLE))


def _detected(cells: Sequence[Cell], evidence: Evidence) -> Finding:
    slowest = [(cell.median(DETECT_MS_MAX).high, cell.key[DROP]) for cell in cells]
    worst = max(((high, drop) for high, drop in slowest if high is not None), default=None)
    at_risk = evidence.at_risk(cells)
    apart = [cell for cell in cells if cell not in at_risk]
    parts = [_times(at_risk)] if at_risk else []
    parts += [f"{'others: ' if at_risk else ''}{', '.join(map(_of_kind, apart))}"] if apart else []
    text = f"{evidence.place_and_consumer(cells[0].key, TABLE)}: from the drop to disconnect(): {'; '.join(parts)}"
    text += _give_or_take(cells)
    text += f"; the slowest of all that came to it took {time_ms(worst[0])}, after {worst[1]}" if worst else ""
    return Finding(
        severity="note",
        topic=DETECTION,
        text=f"{text}.",
        cells=tuple(cell.key for cell in cells),
        figures=(DETECT_MS_P50, DETECT_MS_MAX),
        example=evidence.examples.largest(cells, DETECT_MS, VERDICT.expr == "called"),
    )


def _give_or_take(cells: Sequence[Cell]) -> str:
    """`, each to within 0.20 ms`: nothing where both sides have one clock."""
    errors = [high for cell in cells if (high := cell.median(DETECT_ERROR_MS).high)]
    return f", each to within {time_ms(max(errors))}, for it was told by the server's own clock" if errors else ""


def _of_kind(cell: Cell) -> str:
    """`median 37.0 s after zombie`: of a kind that is counted apart."""
    (median,) = cell.quantiles(DETECT_MS, (0.5,))
    return f"median {_time(median)} after {cell.key[DROP]}"


def _times(cells: Sequence[Cell]) -> str:
    """`median 22 ms (18 ms–27 ms) of 432 drops, p90 35 ms`; what is not known is left out, and missed ones count."""
    median, *others = pooled(cells, cells[0].key).quantiles(DETECT_MS, QUANTILES)
    parts = [f"{name} {_time(found)}" for name, found in zip(_NAMES, others, strict=True) if found.is_known]
    missed = median.of - median.events
    of = f"{counted(median.of, 'drop')}{f', {missed:,} of them missed' if missed else ''}"
    return f"median {_median(median)} of {of}{''.join(f', {part}' for part in parts)}"


def _median(found: Quantile) -> str:
    """`22.0 ms (18.1–27.3)`, `22.0 ms (2 rounds: too few)`."""
    if found.is_beyond or not found.is_known:
        return _time(found)
    estimate, _, interval = quantile_with_interval(found).partition(" ")
    return f"{estimate} ms {interval}"


def _time(found: Quantile) -> str:
    if found.is_beyond:
        return f"more than {time_ms(found.watched)}" if isfinite(found.watched) else NEVER
    return time_ms(found.interval.estimate)


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
