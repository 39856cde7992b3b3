"""The load: what the users of a test do, defined once for a plan, a job, Locust's options and its web form."""

from loadtest.load.fields import (
    SMALLEST_PAYLOAD,
    BlockerWork,
    Drain,
    DropShare,
    Duration,
    HandlerWork,
    Offline,
    PayloadSize,
    Rate,
    RoomSize,
    Seed,
    Users,
    WarmUp,
    by_comma,
    flag_of,
    help_of,
    variable_of,
)
from loadtest.load.job import IDENTITY, Job
from loadtest.load.load import Load

__all__ = [
    "IDENTITY",
    "SMALLEST_PAYLOAD",
    "BlockerWork",
    "Drain",
    "DropShare",
    "Duration",
    "HandlerWork",
    "Job",
    "Load",
    "Offline",
    "PayloadSize",
    "Rate",
    "RoomSize",
    "Seed",
    "Users",
    "WarmUp",
    "by_comma",
    "flag_of",
    "help_of",
    "variable_of",
]
