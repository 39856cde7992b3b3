"""The check `residue`: what the server, the layer and the database still hold when all connections are gone."""

from loadtest.checks.kind import Check
from loadtest.checks.residue import table
from loadtest.checks.residue.audit import blank, check
from loadtest.checks.residue.printed import PRINTED
from loadtest.checks.residue.said import says

KIND = Check(table=table.TABLE, run=check, blank=blank, printed=PRINTED, says=says)
