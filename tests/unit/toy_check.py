"""One check more: the file of a check, and its line in the list of loadtest/checks/__init__.py. Prints what follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import loadtest.checks
from loadtest.checks import Check, CheckResult, TrialRecords
from loadtest.dimensions import CellKey
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, Topic
from loadtest.figures.printed import Printed, PrintedColumn, total
from loadtest.figures.table import Table

# the file of a check

_column = partial(Column, table="whispers")
WHISPERS = _column(
    name="whispers", unit="messages", dtype=int, meaning="messages that nobody heard", over_trials="total", since=4
)
TABLE = Table(name="whispers", meaning="What nobody heard.", row="one trial", figures=(WHISPERS,), since=4)
QUIET = Topic(name="quiet", title="Too quiet", rank=35, place=35)


def check(trial: TrialRecords) -> CheckResult:
    return CheckResult(rows=TABLE.frame([{WHISPERS: trial.users}]))


def says(evidence: Evidence) -> Iterator[Finding]:
    for cell in evidence.having(TABLE):
        text = f"{evidence.namer.name(cell.key)}: {cell.total(WHISPERS).total} messages were whispered."
        yield Finding(severity="note", topic=QUIET, text=text, cells=(cell.key,), figures=(WHISPERS,))


PRINTED = Printed(
    caption="What nobody heard",
    columns=(PrintedColumn(heading="whispers", meaning="messages that nobody heard", write=total(WHISPERS)),),
)

KIND = Check(table=TABLE, run=check, printed=PRINTED, says=says)

# its line in the list
loadtest.checks.CHECKS = (*loadtest.checks.CHECKS, KIND)  # type: ignore[assignment]  # one more than there are


def main() -> None:
    """Carry a trial through the bench's tables, a folder and the report, and print where the check's words stand."""
    from loadtest.bench.measuring import check_trial
    from loadtest.bench.plan import Trial
    from loadtest.report.columns import describe
    from loadtest.report.csv_files import read_tables, write_csv
    from loadtest.report.html import render
    from loadtest.report.manifest import Manifest
    from loadtest.report.printed import printed_tables
    from loadtest.report.summary import summarise
    from tests.unit.checks.histories import A, client, joined, phases, records

    manifest = Manifest(format=4, name="x", started_utc="", state="finished", planned=1, done=1)
    trial = Trial(cell=CellKey(), number=1, seed=1)
    tables, _ = check_trial(trial, records(client(phases(), joined(100, A)), users=1))
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_csv(tables, folder)
        line = (folder / "whispers.csv").read_text().splitlines()[1]
        again = read_tables(folder).frame("whispers")["whispers"].to_list()
        (folder / "whispers.csv").unlink()
        older = read_tables(folder).frame("whispers").height
        summary = summarise(tables, manifest)
        page = render(folder, tables, summary)
    print(
        json.dumps(
            {
                "line": line,
                "again": again,
                "older": older,
                "printed": [
                    [t.text for t in row] for t in printed_tables(summary) for row in t.rows if t.name == "whispers"
                ],
                "found": [finding.text for finding in summary.findings if finding.topic is QUIET],
                "page": "Too quiet" in page and "What nobody heard" in page,
                "described": "`whispers.csv`" in describe(),
            }
        )
    )


if __name__ == "__main__":
    main()
