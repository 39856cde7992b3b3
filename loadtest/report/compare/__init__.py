"""Two runs compared from their folders alone: what differs, by how much, and whether that is more than noise."""

from loadtest.report.compare.comparing import ComparedRuns, Row, compare_runs
from loadtest.report.compare.run import Run, read_run
from loadtest.report.compare.surroundings import obstacles_between, warnings_of

__all__ = ["ComparedRuns", "Row", "Run", "compare_runs", "obstacles_between", "read_run", "warnings_of"]
