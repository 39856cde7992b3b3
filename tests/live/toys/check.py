"""The check `toy`: how many connections said something, with a printed table and a sentence."""

from collections.abc import Iterator

from loadtest.checks.kind import Check, CheckResult
from loadtest.checks.records import TrialRecords
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding
from loadtest.figures.printed import Printed, PrintedColumn, total
from loadtest.figures.table import Table
from loadtest.figures.topics import DELIVERY

TALKED = Column(
    table="toy",
    name="talked",
    unit="connections",
    dtype=int,
    meaning="connections that sent a message",
    better="higher",
    over_trials="total",
)
TABLE = Table(name="toy", meaning="Who said something.", row="one trial", figures=(TALKED,))


def check(trial: TrialRecords) -> CheckResult:
    """Return one row."""
    return CheckResult(rows=TABLE.frame([{TALKED: trial.sent["connection"].n_unique()}]))


def says(evidence: Evidence) -> Iterator[Finding]:
    """A sentence for each cell."""
    for cell in evidence.having(TABLE):
        text = f"{evidence.namer.name(cell.key)}: {cell.total(TALKED).total} connections said something."
        yield Finding(severity="note", topic=DELIVERY, text=text, cells=(cell.key,), figures=(TALKED,))


PRINTED = Printed(
    caption="Who said something",
    columns=(PrintedColumn(heading="talked", meaning="connections that sent a message", write=total(TALKED)),),
)

KIND = Check(table=TABLE, run=check, printed=PRINTED, says=says)
