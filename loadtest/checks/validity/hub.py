"""The gates of the generator's hub and of its sends: whether what was due went out in time."""

from loadtest.checks.held_up import held_up
from loadtest.checks.lateness import late_ms
from loadtest.checks.records import TrialRecords, Window

LATE_LIMIT_MS = 25.0
"""Of 99 in 100 moments or sends. A quarter of what a person notices; a healthy generator on two busy cores has 5, and
at most 1 that is its own doing."""
PAUSE_LIMIT_MS = 250.0
"""A single pause of the generator's own is in its slowest messages, however long the trial."""


def hub_was_held(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where the generator was held up, and not by other processes."""
    held = held_up(trial, window)
    if held.own_ms <= LATE_LIMIT_MS and held.longest_own_ms <= PAUSE_LIMIT_MS:
        return None
    return (
        f"the generator was held up for {held.longest_own_ms:,.0f} ms at the longest, and one moment in a hundred had "
        f"to wait for it {held.own_ms:,.0f} ms or more (limits {PAUSE_LIMIT_MS:.0f} and {LATE_LIMIT_MS:.0f} ms); "
        "nothing may stop it or block its hub, and fewer users or a lower rate may help"
    )


def hub_was_starved(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where the generator waited for a CPU that others used."""
    starved_ms = held_up(trial, window).starved_ms
    if starved_ms <= LATE_LIMIT_MS:
        return None
    return (
        f"the generator waited for a CPU: one moment in a hundred for {starved_ms:,.0f} ms or more (limit "
        f"{LATE_LIMIT_MS:.0f} ms); end what else runs on this machine, or use one with more cores"
    )


def sends_were_late(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where users that were free to send sent later than planned."""
    late = late_ms(trial, window, only_free=True)
    if late is None or late <= LATE_LIMIT_MS:
        return None
    return (
        f"the generator sent one message in a hundred {late:,.0f} ms or more after its planned time (limit "
        f"{LATE_LIMIT_MS:.0f} ms) though the user awaited nothing; use fewer users or a lower rate"
    )
