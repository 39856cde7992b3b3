"""The phases of a test: a conductor that is told what has happened and gives orders, and both as lines of text."""

from loadtest.phases.conductor import Conductor, Failure, OutageTimes
from loadtest.phases.messages import (
    LONGEST_LINE,
    Happened,
    LineError,
    Order,
    Report,
    Task,
    read_order,
    read_report,
    write,
)
from loadtest.phases.timing import Timing

__all__ = [
    "LONGEST_LINE",
    "Conductor",
    "Failure",
    "Happened",
    "LineError",
    "Order",
    "OutageTimes",
    "Report",
    "Task",
    "Timing",
    "read_order",
    "read_report",
    "write",
]
