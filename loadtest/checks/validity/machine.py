"""The gates of the machine: whether our processes got the CPU they wanted, and whether its clocks ran evenly."""

import polars as pl

from loadtest.checks.contention import contention, foreign_cpu, steal
from loadtest.checks.records import NS_A_MS, NS_A_S, TrialRecords, Window
from loadtest.checks.usage import grown

WITHHELD_LIMIT = 0.05
"""Share of the window in which a CPU was wanted and withheld."""
CLOCK_STEP_LIMIT_MS = 10
"""Time daemons step a clock that is further off (128 ms by default, ntpd(8)) and slew one that is less, which moves
CLOCK_MONOTONIC alike. Two clocks are not read in one moment: on a busy machine some milliseconds lie between."""

_REMEDY = "end what else runs on this machine, or pass --allow-contention to count the trial all the same"


def cpus_were_contended(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where server, generator or broker waited for CPUs that others used."""
    share, foreign = contention(trial, window), foreign_cpu(trial, window)
    if share is None or foreign is None or share < WITHHELD_LIMIT:
        return None
    return (
        f"other processes used {foreign:.0%} of a core beside ours, and for up to {share:.0%} of the time ours waited "
        f"for a CPU because of them (limit {WITHHELD_LIMIT:.0%}); {_REMEDY}"
    )


def cpus_were_stolen(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where other virtual machines had CPU time that this one wanted."""
    share = steal(trial, window)
    if share is None or share < WITHHELD_LIMIT:
        return None
    return (
        f"other virtual machines had {share:.0%} of a core that this one wanted (steal; limit {WITHHELD_LIMIT:.0%}); "
        "measure at another time or on a machine of your own, or pass --allow-contention"
    )


def cpus_were_throttled(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where a CPU quota of the control group held our processes back."""
    throttled_s = grown(trial.host, "throttled_s", window)
    if throttled_s is None or throttled_s < WITHHELD_LIMIT * window.duration_s:
        return None
    return (
        f"a CPU quota held us back for {throttled_s:.2f} s of {window.duration_s:.1f} s (limit {WITHHELD_LIMIT:.0%}); "
        "raise the quota of the container or control group, or pass --allow-contention"
    )


def wall_clock_was_set(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where CLOCK_REALTIME, on which the kernel stamps arrivals, was set."""
    moved_ms = _moved_ms(trial, window, "wall_ns")
    if moved_ms < CLOCK_STEP_LIMIT_MS:
        return None
    return (
        f"the wall clock was set by {moved_ms:,.0f} ms while messages were timed (limit {CLOCK_STEP_LIMIT_MS} ms); "
        "let the time daemon settle first"
    )


def machine_slept(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where the machine was suspended: CLOCK_MONOTONIC stands still meanwhile."""
    moved_ms = _moved_ms(trial, window, "boot_ns")
    if moved_ms < CLOCK_STEP_LIMIT_MS:
        return None
    return f"the machine slept for {moved_ms * NS_A_MS / NS_A_S:,.1f} s while messages were timed; keep it awake"


def _moved_ms(trial: TrialRecords, window: Window, column: str) -> float:
    """Return by how much one clock moved against CLOCK_MONOTONIC while messages were under way; 0: none known."""
    if trial.host is None:
        return 0.0
    inside = pl.col("time_ns").is_between(window.start_ns, window.closing_ns)
    ahead_ns = trial.host.filter(inside)[column].drop_nulls()
    highest, lowest = ahead_ns.max(), ahead_ns.min()
    return (highest - lowest) / NS_A_MS if isinstance(highest, int) and isinstance(lowest, int) else 0.0
