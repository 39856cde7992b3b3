"""Reading: the two folders that somebody names, and what is said where one of them is something else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from loadtest.audit.matching import AuditError, Ledgers, of_one_test
from loadtest.ledger import Side
from loadtest.ledger.reader import read_ledger

_HINTS: Final[Mapping[Side, str]] = {
    "client": "first comes the folder that locust was given by --ledger",
    "server": "second comes the folder that LOADTEST_LEDGER named as the server was started",
}
_OTHER: Final[Mapping[Side, Side]] = {"client": "server", "server": "client"}


def read_both(client: Path, server: Path) -> Ledgers:
    """Return what both sides recorded of the one test whose client's ledger that is.

    Raises AuditError where a folder is not what it has to be or the two do not belong together, LedgerError where a
    file in it cannot be read.
    """
    named: tuple[tuple[Path, Side], ...] = ((client, "client"), (server, "server"))
    if problems := [problem for folder, side in named if (problem := _problem(folder, side))]:
        raise AuditError("\n".join(problems))
    return of_one_test(read_ledger(client, "client"), read_ledger(server, "server"))


def _problem(folder: Path, side: Side) -> str | None:
    """Say what is wrong with a folder; None where it has a ledger of that side."""
    if not folder.is_dir():
        return f"{folder} {'is no folder' if folder.exists() else 'does not exist'}; {_HINTS[side]}"
    if _has_ledger(folder, side):
        return None
    if _has_ledger(folder, _OTHER[side]):
        return f"{folder} has the {_OTHER[side]}'s ledger and not the {side}'s; {_HINTS[side]}"
    return f"{folder} has no ledger in it; {_HINTS[side]}"


def _has_ledger(folder: Path, side: Side) -> bool:
    return any(folder.glob(f"{side}-*.ledger"))
