"""Findings on dropped connections: who had disconnect() called, who had not and why, over all kinds of drop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from loadtest.checks.disconnects.account import MISSED_OF, account_of, account_of_all
from loadtest.checks.disconnects.beside import beside
from loadtest.checks.disconnects.causes import causes_of, words_of
from loadtest.checks.disconnects.detection import says_of_detection
from loadtest.checks.disconnects.kinds import standing_out
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
from loadtest.figures.evidence import APART, Evidence
from loadtest.figures.finding import Finding, trials_each
from loadtest.figures.share import counts_of, share_in
from loadtest.figures.topics import DISCONNECTS
from loadtest.figures.words import counted, listed, percent, share_with_interval
from loadtest.stats.paired import Verdict

SHOWN_PLACES = 4
"""Layers and consumers named in a sentence; of more, how many there are."""


def says(evidence: Evidence) -> Iterator[Finding]:
    """Who had disconnect() called, what the drops left behind, how fast they were detected."""
    yield from _says_of_drops(evidence)
    yield from says_of_left(evidence)
    yield from says_of_detection(evidence)


def _says_of_drops(evidence: Evidence) -> Iterator[Finding]:
    """Missed disconnects, the most frequent first; none missed; where disconnect() raised; what is not known."""
    groups = [[cell for cell in cells if account_of(cell).dropped] for cells in evidence.by_drop(TABLE)]
    at_risk = [evidence.at_risk(cells) for cells in groups]
    out = standing_out(at_risk)
    bad = [cells for cells in at_risk if account_of_all(cells).missed]
    for cells in sorted(bad, key=_missed_share, reverse=True):
        yield _missed_some(cells, out, evidence)
    yield from _apart([cell for cells in groups for cell in cells if cell not in evidence.at_risk(cells)], evidence)
    for cells in groups:
        clean = [cell for cell in cells if account_of(cell).is_whole and not account_of(cell).missed]
        if clean and not any(account_of(cell).missed for cell in evidence.at_risk(cells)):
            yield _missed_none(clean, evidence)
        if any(cell.total(RAISED).total for cell in cells):
            yield _raised(cells, evidence)
        if account_of_all(cells).unknown:
            yield _not_known(cells, evidence)


def _missed_share(cells: Sequence[Cell]) -> float:
    account = account_of_all(cells)
    return account.missed / account.dropped


def _missed_some(cells: Sequence[Cell], out: Mapping[CellKey, Verdict], evidence: Evidence) -> Finding:
    account, causes = account_of_all(cells), causes_of(cells)
    main = causes.most_common(1)[0][0]
    by_kind = _by_kind(cells, out)
    return Finding(
        severity="warning",
        topic=DISCONNECTS,
        text=(
            f"{evidence.name_of(cells)}: {account.missed:,} of {counted(account.dropped, 'dropped connection')} "
            f"never had disconnect() called, so the code in it did not run: "
            f"{share_with_interval(share_in(cells, MISSED_OF))}{_beside(cells, evidence)} "
            f"({f'{by_kind}; ' if by_kind else ''}{_in_each_round(cells)}). {_causes_text(causes)}."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=(DROPPED, MISSED, CAUSES),
        example=_missed_example(cells, main, evidence),
    )


def _beside(cells: Sequence[Cell], evidence: Evidence) -> str:
    said = beside(cells, evidence)
    return f", {said}" if said else ""


def _by_kind(cells: Sequence[Cell], out: Mapping[CellKey, Verdict]) -> str:
    """The kinds that stand out; of the others no order is known. Nothing where there is one kind."""
    if len(cells) == 1:
        return ""
    if all(account_of(cell).missed == account_of(cell).dropped for cell in cells):
        return "all, whatever the kind of drop"
    parts = [
        f"{'more' if out[cell.key] == 'higher' else 'less'} often after {cell.key[DROP]}: "
        f"{share_with_interval(share_in([cell], MISSED_OF))}"
        for cell in cells
        if cell.key in out
    ]
    return "; ".join(parts) or f"no kind of drop stands out among {len(cells)}"


def _apart(cells: Sequence[Cell], evidence: Evidence) -> Iterator[Finding]:
    """Kinds that are counted apart and were missed, over all layers and consumers, with why they are."""
    by_kind: dict[str, list[Cell]] = {}
    for cell in cells:
        if account_of(cell).missed:
            by_kind.setdefault(cell.key[DROP], []).append(cell)
    for drop, those in by_kind.items():
        account, why = account_of_all(those), APART[evidence.values.of(those[0].key, DROP).outcome]
        yield Finding(
            severity="warning",
            topic=DISCONNECTS,
            text=(
                f"After {drop}, counted apart because {why}: {account.missed:,} of "
                f"{counted(account.dropped, 'dropped connection')} never had disconnect() called, "
                f"{share_with_interval(share_in(those, MISSED_OF))} ({_where(those, evidence)}). "
                f"{_causes_text(causes_of(those))}."
            ),
            cells=tuple(cell.key for cell in those),
            figures=(DROPPED, MISSED, CAUSES),
            example=_missed_example(those, causes_of(those).most_common(1)[0][0], evidence),
        )


def _where(cells: Sequence[Cell], evidence: Evidence) -> str:
    if len(cells) <= SHOWN_PLACES:
        return "; ".join(evidence.place_and_consumer(cell.key, TABLE) for cell in cells)
    return f"{len(cells)} layers and consumers"


def _in_each_round(cells: Sequence[Cell]) -> str:
    """The lowest and the highest share in one round."""
    counts = counts_of(cells, MISSED_OF)
    if len(counts.of) < 2:
        return "one round only, which knows of no others"
    shares = [events / of for events, of in zip(counts.events, counts.of, strict=True) if of]
    low, high = percent(min(shares)), percent(max(shares))
    return f"{low} to {high} % in {len(shares)} rounds" if low != high else f"{low} % in each of {len(shares)} rounds"


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
            f"connections had disconnect() called after {drops}: {share_with_interval(share_in(cells, MISSED_OF))} "
            f"missed{_beside(cells, evidence)} ({trials_each(trials)})."
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
