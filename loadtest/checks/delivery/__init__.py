"""The check `delivery`: for each message and each member of its room, whether it arrived, once and in order."""

from loadtest.checks.delivery import table
from loadtest.checks.delivery.audit import check
from loadtest.checks.delivery.printed import FAN_OUT, PRINTED
from loadtest.checks.delivery.said import says
from loadtest.checks.kind import Check

KIND = Check(
    table=table.TABLE,
    run=check,
    examples=(table.LOST_EXAMPLE, table.DEAF_EXAMPLE),
    printed=PRINTED,
    also_printed=(FAN_OUT,),
    says=says,
)
