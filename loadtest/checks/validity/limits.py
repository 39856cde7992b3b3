"""The gate of the machine's limits: whether ports or open files ran out, on either side."""

import polars as pl

from loadtest.checks.open_failures import open_failures
from loadtest.checks.records import TrialRecords, Window

RAN_OUT = {
    "out of file descriptors": "the generator may open no more files; raise `ulimit -n`",
    "out of local ports": "no local port was left; widen net.ipv4.ip_local_port_range, or use fewer users",
}
"""What to do, by the reason for which a connection could not be opened (loadtest/wire/errors.py)."""
FILES_LEFT = 1
"""A server that has reached its limit holds its last file back and accepts nobody (daphne), or has none (uvicorn)."""


def generator_ran_out(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where connections could not be opened for want of ports or files of ours."""
    reasons = open_failures(trial)
    found = [
        f"{(reasons == name).sum():,} connections: {remedy}" for name, remedy in RAN_OUT.items() if name in reasons
    ]
    return "; ".join(found) or None


def server_ran_out(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where a process of the server had all files open that it may."""
    if "fds_left" not in trial.samples.columns:
        return None
    inside = pl.col("time_ns").is_between(window.start_ns, window.closing_ns)
    left = trial.samples.filter(inside, pl.col("role") == "server")["fds_left"].min()
    if not isinstance(left, int) or left > FILES_LEFT:
        return None
    return "a process of the server had as many files open as it may, so it took no more connections; raise `ulimit -n`"
