"""The check `throughput`: how much was carried, how late it came, what it cost, and whether the trial is valid."""

from loadtest.checks.kind import Check
from loadtest.checks.throughput import table
from loadtest.checks.throughput.audit import blank, check
from loadtest.checks.throughput.printed import PRINTED
from loadtest.checks.throughput.said import says

KIND = Check(
    table=table.TABLE,
    run=check,
    blank=blank,
    examples=(table.UNEXPECTED_EXAMPLE,),
    printed=PRINTED,
    says=says,
    decides_validity=True,
)
