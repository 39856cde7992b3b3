"""Findings on dropped connections: who had disconnect() called, who had not and why, over all kinds of drop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from loadtest.checks.disconnects.account import account_of, account_of_all
from loadtest.checks.disconnects.causes import causes_of, words_of
from loadtest.checks.disconnects.detection import says_of_detection
from loadtest.checks.disconnects.left_said import says_of_left
from loadtest.checks.disconnects.table import (
    CAUSES,
    DISCONNECT_CALLED,
    DROPPED,
    EXAMPLE,
    MISSED,
    RAISED,
    TABLE,
    UNKNOWN,
)
from loadtest.checks.drops import CAUSE, VERDICT
from loadtest.checks.drops import RAISED as EXCEPTION
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import DROP, MIXED_DROPS, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, trials_each
from loadtest.figures.topics import DISCONNECTS
from loadtest.figures.words import counted, listed, share

SHOWN_KINDS = 4
"""Kinds of drop named in a sentence, the worst first; the rest is counted, and the page's grid has them all."""


def says(evidence: Evidence) -> Iterator[Finding]:
    """Who had disconnect() called, what the drops left behind, how fast they were detected."""
    yield from _says_of_drops(evidence)
    yield from says_of_left(evidence)
    yield from says_of_detection(evidence)


def _says_of_drops(evidence: Evidence) -> Iterator[Finding]:
    """Missed disconnects, the most frequent first; none missed; where disconnect() raised; what is not known."""
    groups = [[cell for cell in cells if account_of(cell).dropped] for cells in evidence.by_drop(TABLE)]
    bad = [cells for cells in groups if account_of_all(cells).missed]
    for cells in sorted(bad, key=_missed_share, reverse=True):
        yield _missed_some(cells, evidence)
    for cells in groups:
        if clean := [cell for cell in cells if account_of(cell).is_whole and not account_of(cell).missed]:
            yield _missed_none(clean, evidence)
        if any(cell.total(RAISED).total for cell in cells):
            yield _raised(cells, evidence)
        if account_of_all(cells).unknown:
            yield _not_known(cells, evidence)


def _missed_share(cells: Sequence[Cell]) -> float:
    account = account_of_all(cells)
    return account.missed / account.dropped


def _missed_some(cells: Sequence[Cell], evidence: Evidence) -> Finding:
    account, causes = account_of_all(cells), causes_of(cells)
    main = causes.most_common(1)[0][0]
    by_kind = _by_kind(cells)
    return Finding(
        severity="warning",
        topic=DISCONNECTS,
        text=(
            f"{evidence.name_of(cells)}: {account.missed:,} of {counted(account.dropped, 'dropped connection')} "
            f"({share(account.missed, account.dropped)}) never had disconnect() called, so the code "
            f"in it did not run ({f'{by_kind}; ' if by_kind else ''}{_in_each_trial(cells)}). {_causes_text(causes)}."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=(DROPPED, MISSED, CAUSES),
        example=_missed_example(cells, main, evidence),
    )


def _by_kind(cells: Sequence[Cell]) -> str:
    """`7 of 40 after rst, 5 of 38 after midframe`; nothing where there is one kind, which the sentence names."""
    if len(cells) == 1:
        return ""
    if all(account_of(cell).missed == account_of(cell).dropped for cell in cells):
        return "all, whatever the kind of drop"
    hit = sorted((cell for cell in cells if account_of(cell).missed), key=lambda c: account_of(c).missed, reverse=True)
    parts = [f"{account_of(c).missed:,} of {account_of(c).dropped:,} after {c.key[DROP]}" for c in hit[:SHOWN_KINDS]]
    return ", ".join(parts) + (f" and some after {len(hit) - SHOWN_KINDS} more kinds" if len(hit) > SHOWN_KINDS else "")


def _in_each_trial(cells: Sequence[Cell]) -> str:
    """The fewest and the most missed in one trial."""
    missed: Counter[tuple[CellKey, int]] = Counter()
    for cell in cells:
        for trial in cell.valid_trials:
            if (count := trial.get(MISSED)) is not None:
                missed[_planned(cell), trial.number] += count
    if len(missed) < 2:
        return "one trial only"
    if len({number for _, number in missed}) < 2:
        return "one trial of each kind of drop"
    low, high = min(missed.values()), max(missed.values())
    return f"between {low:,} and {high:,} a trial" if high > low else f"{low:,} in each of {len(missed)} trials"


def _planned(cell: Cell) -> CellKey:
    """The cell that its trials were planned as: one in whose trials several kinds of drop were mixed has no speed."""
    return cell.key if cell.has(THROUGHPUT) else cell.key.having(DROP, MIXED_DROPS)


def _counted_trials(cells: Sequence[Cell]) -> tuple[int, int]:
    """How many trials could not be audited, and how many there are; one with several kinds of drop counts once."""
    there_are = {(_planned(cell), trial.number) for cell in cells for trial in cell.valid_trials if DROPPED in trial}
    failed = {
        (_planned(cell), trial.number)
        for cell in cells
        for trial in cell.valid_trials
        if DROPPED in trial and (trial.get(MISSED) is None or trial.get(DISCONNECT_CALLED) is None)
    }
    return len(failed), len(there_are)


def _causes_text(causes: Counter[str]) -> str:
    """`Cause: ...`, or `Cause of 40: ... Cause of the other 3: ...`, the most frequent first."""
    by_count = causes.most_common()
    if len(by_count) == 1:
        return f"Cause: {words_of(by_count[0][0]).short}"
    whose = [f"{count:,}" for _, count in by_count]
    if len(whose) == 2:
        whose[1] = f"the other {whose[1]}"
    return ". ".join(f"Cause of {of}: {words_of(cause).short}" for of, (cause, _) in zip(whose, by_count, strict=True))


def _missed_example(cells: Sequence[Cell], cause: str, evidence: Evidence) -> str:
    """One missed for the main cause; else any that the table names."""
    named = (example for cell in cells if (example := cell.example(EXAMPLE)))
    found = evidence.examples.first(cells, (VERDICT.expr == "missed") & (CAUSE.expr == cause))
    return found or next(named, "")


def _missed_none(cells: Sequence[Cell], evidence: Evidence) -> Finding:
    drops = listed([cell.key[DROP] for cell in cells])
    trials = [cell.median(MISSED).known for cell in cells]
    return Finding(
        severity="good",
        topic=DISCONNECTS,
        text=(
            f"{evidence.place_and_consumer(cells[0].key, TABLE)}: all {account_of_all(cells).dropped:,} dropped "
            f"connections had disconnect() called after {drops} ({trials_each(trials)})."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=(DROPPED, MISSED),
    )


def _raised(cells: Sequence[Cell], evidence: Evidence) -> Finding:
    count = sum(cell.total(RAISED).total or 0 for cell in cells)
    account = account_of_all(cells)
    return Finding(
        severity="warning",
        topic=DISCONNECTS,
        text=(
            f"{evidence.name_of(cells)}: for {count:,} of {counted(account.dropped, 'dropped connection')} "
            f"disconnect() was called and raised, so the rest of its code did not run."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=(DROPPED, RAISED),
        example=evidence.examples.first(cells, EXCEPTION.expr.fill_null("") != ""),
    )


def _not_known(cells: Sequence[Cell], evidence: Evidence) -> Finding:
    unclear = [cell for cell in cells if account_of(cell).unknown]
    account = account_of_all(unclear)
    failed, trials = _counted_trials(unclear)
    kinds = "" if len(cells) == 1 else f" after {listed([cell.key[DROP] for cell in unclear])}"
    because = f"; {failed} of {counted(trials, 'trial')} could not be audited" if failed else ""
    return Finding(
        severity="unknown",
        topic=DISCONNECTS,
        text=(
            f"{evidence.name_of(cells)}: of {account.unknown:,} of {counted(account.dropped, 'dropped connection')}"
            f"{kinds} it is not known whether disconnect() was called{because}."
        ),
        cells=tuple(cell.key for cell in unclear),
        figures=(UNKNOWN, MISSED),
        example=evidence.examples.first(unclear, VERDICT.expr == "unknown"),
    )
