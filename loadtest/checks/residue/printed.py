"""How residue is printed: a column for each kind that was counted."""

from collections.abc import Sequence

from loadtest.checks.residue.kinds import KINDS
from loadtest.checks.residue.table import LEFT
from loadtest.figures.cell import Cell
from loadtest.figures.column import AnyColumn
from loadtest.figures.printed import Printed, PrintedColumn, median_with_range


def _column(kind: str) -> PrintedColumn:
    left: AnyColumn = LEFT[kind]

    def is_counted(cells: Sequence[Cell]) -> bool:
        return any(left in cell.medians for cell in cells)

    return PrintedColumn(
        heading=kind,
        meaning=f"{kind} left behind: median of the trials",
        write=median_with_range(left, "warning"),
        only_if=is_counted,
    )


PRINTED = Printed(
    caption="What was left behind after the load had gone: medians of the trials, in brackets the range",
    columns=tuple(_column(kind.name) for kind in KINDS),
    in_terminal=False,
)
