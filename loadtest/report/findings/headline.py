"""The headline: one sentence on all drops of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtest.checks.disconnects.account import Account, account_of_all
from loadtest.checks.disconnects.causes import causes_of, words_of
from loadtest.checks.disconnects.table import DISCONNECT_CALLED, DROPPED, MISSED, TABLE, UNKNOWN
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, Severity
from loadtest.figures.topics import DISCONNECTS
from loadtest.figures.words import counted, share

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
