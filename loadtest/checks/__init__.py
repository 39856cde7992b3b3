"""Checks: one file each, pure functions from a trial's records to rows of a results table."""

from loadtest.checks import delivery, disconnects, drops, residue, throughput, timeline
from loadtest.checks.kind import Check, Finding, run_check
from loadtest.checks.records import TrialRecords
from loadtest.contract import ProcessResidue

CHECKS = (throughput.KIND, disconnects.KIND, drops.KIND, delivery.KIND, residue.KIND, timeline.KIND)

__all__ = ["CHECKS", "Check", "Finding", "ProcessResidue", "TrialRecords", "run_check"]
