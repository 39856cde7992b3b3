"""How delivery is printed."""

from loadtest.checks.delivery import table
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.printed import Printed, PrintedColumn, any_of, share_with_limits, total, typical, unless_none
from loadtest.figures.table import Table

PRINTED = Printed(
    caption="Messages and the members they were meant for, all trials summed",
    columns=(
        PrintedColumn(
            heading="expected", meaning="meant for a member connected throughout", write=total(table.EXPECTED)
        ),
        PrintedColumn(heading="delivered", meaning="of these, received", write=total(table.DELIVERED)),
        PrintedColumn(heading="lost", meaning="of these, never received", write=total(table.LOST, "warning")),
        PrintedColumn(
            heading="lost share",
            meaning="lost, of those of which it is known, with its 95 % interval: rounds of trials are its clusters",
            write=share_with_limits(table.LOST_OF),
            only_if=any_of(table.LOST),
            folds="late",
        ),
        PrintedColumn(heading="unknown", meaning="of these, it cannot be said", write=total(table.UNKNOWN, "unknown")),
        PrintedColumn(
            heading="twice",
            meaning="received more than once",
            write=total(table.DUPLICATED, "warning"),
            only_if=unless_none(table.DUPLICATED),
        ),
        PrintedColumn(
            heading="reordered",
            meaning="received after a later one of the same sender",
            write=total(table.REORDERED, "warning"),
            only_if=unless_none(table.REORDERED),
        ),
        PrintedColumn(
            heading="offline",
            meaning="sent while the member was offline: not expected, not lost",
            write=total(table.OFFLINE),
        ),
    ),
)


def _with_fan_out(evidence: Evidence, of: Table) -> list[Cell]:
    return [cell for cell in evidence.having(of) if cell.median(table.LAST_MS_P50).is_known]


FAN_OUT = Printed(
    name="fan-out",
    caption="How long messages took to the members of their room, and how far apart these got them",
    rows=_with_fan_out,
    columns=(
        *(
            PrintedColumn(heading=heading, meaning=f"{meaning}, median over the messages", write=typical(column))
            for heading, meaning, column in (
                ("first ms", "latency at the first receiver of a message", table.FIRST_MS_P50),
                ("median ms", "latency at its median receiver", table.MEDIAN_MS_P50),
                ("last ms", "latency at its last receiver", table.LAST_MS_P50),
            )
        ),
        PrintedColumn(
            heading="skew p99 ms",
            meaning="from the first to the last receiver of a message, p99 over the messages",
            write=typical(table.SKEW_MS_P99),
        ),
    ),
)
