"""The check `disconnects`: what the server did with each kind of drop, and what was left behind."""

from loadtest.checks.disconnects import table
from loadtest.checks.disconnects.audit import blank, check
from loadtest.checks.disconnects.printed import BY_KIND, PRINTED
from loadtest.checks.disconnects.said import says
from loadtest.checks.kind import Check

KIND = Check(
    table=table.TABLE,
    run=check,
    blank=blank,
    examples=(table.EXAMPLE,),
    printed=PRINTED,
    also_printed=(BY_KIND,),
    says=says,
)
