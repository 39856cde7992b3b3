"""Findings on dropped connections: who had disconnect() called, who had not and why, over all kinds of drop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from loadtest.checks.disconnects.account import account_of, account_of_all
from loadtest.checks.disconnects.causes import causes_of, words_of
from loadtest.checks.disconnects.detection import says_of_detection
from loadtest.checks.disconnects.left_said import says_of_left
from loadtest.checks.disconnects.table import CAUSES, DROPPED, EXAMPLE, MISSED, RAISED, TABLE, UNKNOWN
from loadtest.checks.drops import CAUSE, VERDICT
from loadtest.checks.drops import RAISED as EXCEPTION
from loadtest.dimensions import DROP
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
    """The fewest and the most missed in one trial, over all kinds of drop."""
    missed: Counter[int] = Counter()
    for cell in cells:
        for trial in cell.valid_trials:
            if (count := trial.get(MISSED)) is not None:
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
    trials = account.trials - account.audited
    kinds = "" if len(cells) == 1 else f" after {listed([cell.key[DROP] for cell in unclear])}"
    because = f"; {trials} of {counted(account.trials, 'row')} could not be audited" if trials else ""
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
