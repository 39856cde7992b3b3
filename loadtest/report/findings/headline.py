"""The headline: one sentence on all drops of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtest.checks.disconnects.account import MISSED_OF, Account, account_of_all
from loadtest.checks.disconnects.beside import beside
from loadtest.checks.disconnects.causes import causes_of, words_of
from loadtest.checks.disconnects.table import DISCONNECT_CALLED, DROPPED, MISSED, TABLE, UNKNOWN
from loadtest.dimensions import DIMENSIONS, DROP, LOAD, SCENARIO
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, Severity
from loadtest.figures.share import share_in
from loadtest.figures.topics import DISCONNECTS
from loadtest.figures.words import counted, share_with_interval

_COUNTS = (DROPPED, DISCONNECT_CALLED, MISSED, UNKNOWN)


def headline(evidence: Evidence) -> Iterator[Finding]:
    """One sentence on all drops of the run, if there were any."""
    dropped = evidence.having(TABLE)
    account = account_of_all(dropped)
    if not account.dropped:
        return
    severity: Severity = "warning" if account.missed else "unknown" if account.unknown else "good"
    yield Finding(
        severity=severity,
        topic=DISCONNECTS,
        text=_account_text(account) + _main_cause(dropped) + _by_consumer(evidence),
        cells=tuple(cell.key for cell in dropped),
        figures=_COUNTS,
    )


def _account_text(account: Account) -> str:
    if not account.audited:
        return f"The clients dropped {counted(account.dropped, 'connection')} on purpose; none could be looked up."
    text = f"The clients dropped {counted(account.dropped, 'connection')} on purpose: "
    if account.is_whole and not account.missed:
        return text + "every one of them had disconnect() called."
    text += f"{account.called:,} had disconnect() called, {account.missed:,} never had"
    return text + (f", and of {account.unknown:,} it is not known." if account.unknown else ".")


def _by_consumer(evidence: Evidence) -> str:
    """The share that each consumer missed, of drops of which chance alone decides, beside how busy its server was."""
    dropped = evidence.having(TABLE)
    at_risk = [cell for cell in evidence.at_risk(dropped) if cell.total(DROPPED).total]
    groups: dict[str, dict[object, list[Cell]]] = {}
    for cell in at_risk:
        name = evidence.namer.rest(cell.key, but=(DROP, SCENARIO, LOAD))
        groups.setdefault(name, {}).setdefault(cell.key.without(DROP, *_PLACES), []).append(cell)
    if not groups or not account_of_all(dropped).missed:
        return ""
    parts = [f"{name} {', '.join(_share(cells, evidence) for cells in of.values())}" for name, of in groups.items()]
    kinds = "" if len(at_risk) == len(dropped) else ", of the drops of which chance alone decides"
    return f" Missed{kinds}: {'; '.join(parts)}."


def _share(cells: Sequence[Cell], evidence: Evidence) -> str:
    said = beside(cells, evidence)
    return f"{share_with_interval(share_in(cells, MISSED_OF))}{f' at {said}' if said else ''}"


_PLACES = tuple(row for row in DIMENSIONS if row.is_place)


def _main_cause(dropped: Sequence[Cell]) -> str:
    causes = causes_of(dropped)
    if not causes:
        return ""
    ((cause, count),) = causes.most_common(1)
    word = "The cause" if count == causes.total() else f"The main cause, for {count:,} of {causes.total():,}"
    return f" {word}: {words_of(cause).full}."
