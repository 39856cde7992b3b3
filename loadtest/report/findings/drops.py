"""Findings on dropped connections: who noticed them, how fast, with which code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from loadtest.report.accounts import Account, account_of, account_of_all
from loadtest.report.cells import Cell
from loadtest.report.findings.finding import Finding, Severity, trials_each
from loadtest.report.statistics import Figure
from loadtest.report.words import Namer, counted, listed, number, share, time_ms

_COUNTS = ("disconnects.dropped", "disconnects.disconnect_called", "disconnects.missed", "disconnects.unknown")


def headline(dropped: Sequence[Cell]) -> Iterator[Finding]:
    """One sentence on all drops of the run, if there were any."""
    account = account_of_all(dropped)
    if not account.dropped:
        return
    severity: Severity = "warning" if account.missed else "unknown" if account.unknown else "good"
    yield Finding(
        severity=severity,
        topic="disconnects",
        text=_account_text(account),
        cells=tuple(cell.key for cell in dropped),
        figures=_COUNTS,
    )


def _account_text(account: Account) -> str:
    if not account.audited:
        return f"The clients dropped {counted(account.dropped, 'connection')} on purpose; none could be looked up."
    text = f"The clients dropped {counted(account.dropped, 'connection')} on purpose: "
    if account.is_whole and not account.missed:
        return text + "every one of them had disconnect() called."
    text += f"{account.called:,} had disconnect() called, "
    text += f"{account.missed:,} never had ({share(account.missed, account.dropped)})"
    return text + (f", and of {account.unknown:,} it is not known." if account.unknown else ".")


def drop_findings(dropped: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """Missed disconnects by cell, then those that missed none, detection times, codes, and what is not known."""
    bad = [cell for cell in dropped if account_of(cell).missed]
    for cell in sorted(bad, key=_missed_share, reverse=True):
        yield _missed_some(cell, namer)
    clean = [cell for cell in dropped if account_of(cell).is_whole and cell not in bad]
    for cells in _by_consumer(clean):
        yield _missed_none(cells, namer)
    for cells in _by_consumer([c for c in dropped if c.median("disconnects.detect_ms_p50").is_known]):
        yield _detected(cells, namer)
    yield from _codes(dropped)
    for cell in dropped:
        if account_of(cell).unknown:
            yield _not_known(cell, namer)


def _missed_share(cell: Cell) -> float:
    account = account_of(cell)
    return account.missed / account.dropped


def _missed_some(cell: Cell, namer: Namer) -> Finding:
    account = account_of(cell)
    return Finding(
        severity="warning",
        topic="disconnects",
        text=(
            f"{namer.name(cell.key)}: {account.missed:,} of {counted(account.dropped, 'dropped connection')} "
            f"({share(account.missed, account.dropped)}) never had disconnect() called, so the cleanup in it "
            f"did not run ({_in_each(cell.median('disconnects.missed'))})."
        ),
        cells=(cell.key,),
        figures=("disconnects.dropped", "disconnects.missed"),
    )


def _in_each(each: Figure) -> str:
    if each.known < 2 or each.low is None or each.high is None:
        return "one trial only"
    if each.low == each.high:
        return f"{number(each.low)} in each of {each.known} trials"
    return f"{number(each.low)} to {number(each.high)} in each of {each.known} trials"


def _by_consumer(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    def place(cell: Cell) -> tuple[object, ...]:
        key = cell.key
        return key.server, key.workers, key.layer, "async" in key.consumer, key.consumer, key.scenario

    for _, group in groupby(sorted(cells, key=place), key=place):
        yield list(group)


def _missed_none(cells: Sequence[Cell], namer: Namer) -> Finding:
    first = cells[0].key
    trials = [cell.median("disconnects.missed").known for cell in cells]
    return Finding(
        severity="good",
        topic="disconnects",
        text=(
            f"{namer.place(first)}, {first.consumer}: all {account_of_all(cells).dropped:,} dropped connections had "
            f"disconnect() called after {listed([cell.key.drop for cell in cells])} ({trials_each(trials)})."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.dropped", "disconnects.missed"),
    )


def _detected(cells: Sequence[Cell], namer: Namer) -> Finding:
    key = cells[0].key
    ordered = sorted(cells, key=lambda cell: cell.median("disconnects.detect_ms_p50").median or 0.0)
    each = [f"{time_ms(c.median('disconnects.detect_ms_p50').median or 0.0)} after {c.key.drop}" for c in ordered]
    slowest = [(cell.median("disconnects.detect_ms_max").high, cell.key.drop) for cell in cells]
    worst = max(((high, drop) for high, drop in slowest if high is not None), default=None)
    text = f"{namer.place(key)}, {key.consumer}: half of the drops reached disconnect() within {listed(each)}"
    text += f"; the slowest of all took {time_ms(worst[0])}, after {worst[1]}" if worst else ""
    trials = [cell.median("disconnects.detect_ms_p50").known for cell in cells]
    return Finding(
        severity="note",
        topic="detection",
        text=f"{text} ({trials_each(trials, 'medians of ')}).",
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.detect_ms_p50", "disconnects.detect_ms_max"),
    )


def _codes(dropped: Sequence[Cell]) -> Iterator[Finding]:
    """The codes disconnect() got after each kind of drop, over all layers and consumers of a server."""

    def place(cell: Cell) -> tuple[str, str]:
        return cell.key.server, cell.key.drop

    for (server, drop), group in groupby(sorted(dropped, key=place), key=place):
        cells = list(group)
        codes = sum((codes_of(cell) for cell in cells), Counter[str]())
        if codes:
            each = [f"{code} ({counted(count, 'time')})" for code, count in codes.most_common()]
            yield Finding(
                severity="note",
                topic="codes",
                text=f"After {drop}, disconnect() got the code {listed(each)} on {server}.",
                cells=tuple(cell.key for cell in cells),
                figures=("disconnects.codes",),
            )


def codes_of(cell: Cell) -> Counter[str]:
    """How often disconnect() got each code over all trials of the cell."""
    seen: Counter[str] = Counter()
    for value in cell.values("disconnects.codes"):
        for pair in str(value or "").split():
            code, _, count = pair.partition(":")
            seen[code] += int(count) if count.isdigit() else 1
    return seen


def _not_known(cell: Cell, namer: Namer) -> Finding:
    account = account_of(cell)
    trials = account.trials - account.audited
    because = f"; {trials} of {counted(account.trials, 'trial')} could not be audited" if trials else ""
    return Finding(
        severity="unknown",
        topic="disconnects",
        text=(
            f"{namer.name(cell.key)}: of {account.unknown:,} of {counted(account.dropped, 'dropped connection')} "
            f"it is not known whether disconnect() was called{because}."
        ),
        cells=(cell.key,),
        figures=("disconnects.unknown", "disconnects.missed"),
    )
