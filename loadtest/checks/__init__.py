"""Checks: each a pure function from a trial's records to rows of its own table, with all that is said of that table."""

from loadtest.checks import delivery, disconnects, drops, residue, throughput, timeline
from loadtest.checks.kind import Check, CheckResult, run_check
from loadtest.checks.records import TrialRecords
from loadtest.contract import ProcessResidue

CHECKS = (throughput.KIND, disconnects.KIND, drops.KIND, delivery.KIND, residue.KIND, timeline.KIND)

__all__ = ["CHECKS", "Check", "CheckResult", "ProcessResidue", "TrialRecords", "run_check"]
