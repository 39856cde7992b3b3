"""Findings on dropped connections: who had disconnect() called, who had not and why, over all kinds of drop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import polars as pl

from loadtest.report.accounts import Account, account_of, account_of_all
from loadtest.report.causes import causes_of, words_of
from loadtest.report.cells import Cell, by_consumer
from loadtest.report.examples import Examples
from loadtest.report.findings.finding import Finding, Severity, trials_each
from loadtest.report.words import Namer, counted, listed, share

SHOWN_KINDS = 4
"""Kinds of drop named in a sentence, the worst first; the rest is counted, and the page's grid has them all."""

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
        text=_account_text(account) + _main_cause(dropped),
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


def _main_cause(dropped: Sequence[Cell]) -> str:
    causes = causes_of(dropped)
    if not causes:
        return ""
    ((cause, count),) = causes.most_common(1)
    word = "The cause" if count == causes.total() else f"The main cause, for {count:,} of {causes.total():,}"
    return f" {word}: {words_of(cause).full}."


def drop_findings(dropped: Sequence[Cell], namer: Namer, examples: Examples) -> Iterator[Finding]:
    """Missed disconnects, the most frequent first; none missed; where disconnect() raised; what is not known."""
    groups = [[cell for cell in cells if account_of(cell).dropped] for cells in by_consumer(dropped)]
    bad = [cells for cells in groups if account_of_all(cells).missed]
    for cells in sorted(bad, key=_missed_share, reverse=True):
        yield _missed_some(cells, namer, examples)
    for cells in groups:
        if clean := [cell for cell in cells if account_of(cell).is_whole and not account_of(cell).missed]:
            yield _missed_none(clean, namer)
        if any(cell.total("disconnects.raised").total for cell in cells):
            yield _raised(cells, namer, examples)
        if account_of_all(cells).unknown:
            yield _not_known(cells, namer, examples)


def where(cells: Sequence[Cell], namer: Namer) -> str:
    """`redis, sync, churn` of cells that differ by their drop, or the one cell's whole name."""
    if len(cells) == 1:
        return namer.name(cells[0].key)
    key = cells[0].key
    return ", ".join((namer.place(key), key.consumer, key.scenario))


def _missed_share(cells: Sequence[Cell]) -> float:
    account = account_of_all(cells)
    return account.missed / account.dropped


def _missed_some(cells: Sequence[Cell], namer: Namer, examples: Examples) -> Finding:
    account, causes = account_of_all(cells), causes_of(cells)
    main = causes.most_common(1)[0][0]
    by_kind = _by_kind(cells)
    return Finding(
        severity="warning",
        topic="disconnects",
        text=(
            f"{where(cells, namer)}: {account.missed:,} of {counted(account.dropped, 'dropped connection')} "
            f"({share(account.missed, account.dropped)}) never had disconnect() called, so what stands "
            f"in it did not run ({f'{by_kind}; ' if by_kind else ''}{_in_each_trial(cells)}). {_causes_text(causes)}."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.dropped", "disconnects.missed", "disconnects.causes"),
        example=_missed_example(cells, main, examples),
    )


def _by_kind(cells: Sequence[Cell]) -> str:
    """`7 of 40 after rst, 5 of 38 after midframe`; nothing where there is one kind, which the sentence names."""
    if len(cells) == 1:
        return ""
    if all(account_of(cell).missed == account_of(cell).dropped for cell in cells):
        return "all, whatever the kind of drop"
    hit = sorted((cell for cell in cells if account_of(cell).missed), key=lambda c: account_of(c).missed, reverse=True)
    parts = [f"{account_of(c).missed:,} of {account_of(c).dropped:,} after {c.key.drop}" for c in hit[:SHOWN_KINDS]]
    return ", ".join(parts) + (f" and some after {len(hit) - SHOWN_KINDS} more kinds" if len(hit) > SHOWN_KINDS else "")


def _in_each_trial(cells: Sequence[Cell]) -> str:
    """The fewest and the most missed in one trial, over all kinds of drop."""
    missed: Counter[int] = Counter()
    for cell in cells:
        for trial in cell.trials:
            if isinstance(count := trial.figures.get("disconnects.missed"), int):
                missed[trial.number] += count
    if len(missed) < 2:
        return "one trial only"
    low, high = min(missed.values()), max(missed.values())
    return f"{low:,}{f' to {high:,}' if high > low else ''} in each of {len(missed)} trials"


def _causes_text(causes: Counter[str]) -> str:
    """`Cause: ...`, or the main one and how many had each of the others."""
    (main, count), *others = causes.most_common()
    if not others:
        return f"Cause: {words_of(main).short}"
    rest = [f"of {number:,} {words_of(cause).short}" for cause, number in others]
    return f"Main cause, of {count:,}: {words_of(main).short}; {listed(rest)}"


def _missed_example(cells: Sequence[Cell], cause: str, examples: Examples) -> str:
    """One missed for the main cause; else any that disconnects.csv names."""
    named = (example for cell in cells if (example := cell.example("disconnects.example")))
    return examples.first(cells, (pl.col("verdict") == "missed") & (pl.col("cause") == cause)) or next(named, "")


def _missed_none(cells: Sequence[Cell], namer: Namer) -> Finding:
    first = cells[0].key
    drops = listed([cell.key.drop for cell in cells])
    trials = [cell.median("disconnects.missed").known for cell in cells]
    scenario = "" if first.scenario == "churn" else f", {first.scenario}"
    return Finding(
        severity="good",
        topic="disconnects",
        text=(
            f"{namer.place(first)}, {first.consumer}{scenario}: all {account_of_all(cells).dropped:,} dropped "
            f"connections had disconnect() called after {drops} ({trials_each(trials)})."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.dropped", "disconnects.missed"),
    )


def _raised(cells: Sequence[Cell], namer: Namer, examples: Examples) -> Finding:
    count = sum(cell.total("disconnects.raised").total or 0 for cell in cells)
    account = account_of_all(cells)
    return Finding(
        severity="warning",
        topic="disconnects",
        text=(
            f"{where(cells, namer)}: for {count:,} of {counted(account.dropped, 'dropped connection')} disconnect() "
            f"was called and raised, so what stands in it after that did not run."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.dropped", "disconnects.raised"),
        example=examples.first(cells, pl.col("raised").fill_null("") != ""),
    )


def _not_known(cells: Sequence[Cell], namer: Namer, examples: Examples) -> Finding:
    unclear = [cell for cell in cells if account_of(cell).unknown]
    account = account_of_all(unclear)
    trials = account.trials - account.audited
    kinds = "" if len(cells) == 1 else f" after {listed([cell.key.drop for cell in unclear])}"
    because = f"; {trials} of {counted(account.trials, 'row')} could not be audited" if trials else ""
    return Finding(
        severity="unknown",
        topic="disconnects",
        text=(
            f"{where(cells, namer)}: of {account.unknown:,} of {counted(account.dropped, 'dropped connection')}{kinds} "
            f"it is not known whether disconnect() was called{because}."
        ),
        cells=tuple(cell.key for cell in unclear),
        figures=("disconnects.unknown", "disconnects.missed"),
        example=examples.first(unclear, pl.col("verdict") == "unknown"),
    )
