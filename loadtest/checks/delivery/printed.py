"""How delivery is printed."""

from loadtest.checks.delivery import table
from loadtest.figures.printed import Printed, PrintedColumn, any_of, share_with_limits, total

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
            folds="early",
        ),
        PrintedColumn(heading="unknown", meaning="of these, it cannot be said", write=total(table.UNKNOWN, "unknown")),
        PrintedColumn(heading="twice", meaning="received more than once", write=total(table.DUPLICATED, "warning")),
        PrintedColumn(
            heading="reordered",
            meaning="received after a later one of the same sender",
            write=total(table.REORDERED, "warning"),
        ),
        PrintedColumn(
            heading="offline",
            meaning="sent while the member was offline: not expected, not lost",
            write=total(table.OFFLINE),
        ),
    ),
)
