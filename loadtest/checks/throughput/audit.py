"""Throughput: messages a second, latency from raw samples, what the processes used, and whether the trial is valid."""

from collections.abc import Iterator

import polars as pl

from loadtest.checks.contention import contention, foreign_cpu, steal
from loadtest.checks.exposure import exposure_of
from loadtest.checks.kind import CheckResult
from loadtest.checks.lateness import late_ms
from loadtest.checks.open_failures import open_failures
from loadtest.checks.pairs import pairs_of
from loadtest.checks.push_failures import push_failures
from loadtest.checks.records import NS_A_MS, TrialRecords, Window
from loadtest.checks.stalls import stalls_ms, stood_still_ms
from loadtest.checks.throughput import table
from loadtest.checks.throughput.demand import demand_of
from loadtest.checks.throughput.latency import latencies
from loadtest.checks.throughput.unsent import unsent_of
from loadtest.checks.unexpected_ends import ended_unexpectedly
from loadtest.checks.usage import cpu_s, grown, involuntary_switches, largest_rss_mb, waited_s
from loadtest.checks.utilisation import utilisation_of
from loadtest.checks.validity import invalid_because
from loadtest.figures.column import AnyColumn
from loadtest.figures.counts import counts_of
from loadtest.figures.table import Row

_SAMPLED = (
    table.SERVER_CPU_S,
    table.SERVER_RSS_MB,
    table.GENERATOR_CPU_S,
    table.BROKER_CPU_S,
    table.CPU_WAIT_S,
    table.INVOLUNTARY_SWITCHES,
    table.GENERATOR_WAIT_S,
    table.FOREIGN_CPU,
    table.CONTENTION,
    table.STEAL,
    table.THROTTLED_S,
)
"""The columns that only samples of the processes and the machine can tell."""
_SAMPLED_OF_SERVER = (table.SERVER_CPU_S, table.SERVER_RSS_MB, table.CPU_WAIT_S, table.INVOLUNTARY_SWITCHES)
"""Of these, those of the server's processes."""
_PROBED = (
    table.UTILISATION,
    table.LOOP_BUSY,
    table.SYNC_THREAD_BUSY,
    table.EXPOSURE,
    table.STALLS,
    table.STALLED_MS,
    table.STOOD_STILL_MS,
)
"""The columns that only a probe in the server can tell."""


def check(trial: TrialRecords) -> CheckResult:
    """Return one row for the window that counts."""
    window = trial.window
    if window is None:
        raise ValueError("the trial did not get through its phases")
    reasons = invalid_because(trial, window)
    row = {
        table.USERS: trial.users,
        **_messages(trial, window),
        **_demand(trial, window),
        **_usage(trial, window),
        **_ends(trial),
        table.VALID: "no" if reasons else "yes",
    }
    return CheckResult(rows=table.TABLE.frame([row]), unknown=tuple(_reasons(trial)), invalid=tuple(reasons))


def blank(trial: TrialRecords) -> pl.DataFrame:
    """Return the row of a trial of which nothing is known: it is not valid."""
    return pl.DataFrame({table.USERS.name: [trial.users], table.VALID.name: ["no"]})


def _reasons(trial: TrialRecords) -> Iterator[tuple[AnyColumn, str]]:
    """Say why what is not known is not, each column once."""
    reasons: dict[AnyColumn, str] = {}
    for why, columns in (
        (trial.unprobed, _PROBED),
        (trial.server_unsampled, _SAMPLED_OF_SERVER),
        (trial.unsampled, _SAMPLED),
    ):
        reasons |= dict.fromkeys(columns, why) if why else {}
    yield from reasons.items()


def _messages(trial: TrialRecords, window: Window) -> Row:
    inside = pl.col("time_ns").is_between(window.start_ns, window.end_ns)
    received = trial.received.filter(inside).height
    return {
        table.SENT: trial.sent.filter(inside).height,
        table.RECEIVED: received,
        table.DURATION_S: window.duration_s,
        table.MESSAGES_PER_S: received / window.duration_s,
    }


def _demand(trial: TrialRecords, window: Window) -> Row:
    """Return what was due and what became of it, with its latency."""
    pairs, unsent = pairs_of(trial, window), unsent_of(trial, window)
    demand = demand_of(trial, window, pairs, unsent)
    return {
        table.OFFERED: demand.offered,
        table.ANSWERED: demand.answered,
        table.BACKLOG: demand.backlog,
        table.OVERLOADED: "yes" if demand.is_overloaded else "no",
        table.LATE_MS_P99: late_ms(trial, window),
        **latencies(pairs, window, unsent),
    }


def _usage(trial: TrialRecords, window: Window) -> Row:
    stalls = stalls_ms(trial, window)
    busy = utilisation_of(trial, window)
    return {
        table.SERVER_CPU_S: cpu_s(trial, "server", window.start_ns, window.end_ns),
        table.SERVER_RSS_MB: largest_rss_mb(trial, window),
        table.GENERATOR_CPU_S: cpu_s(trial, "generator", window.start_ns, window.end_ns),
        table.BROKER_CPU_S: cpu_s(trial, "broker", window.start_ns, window.end_ns),
        **_withheld(trial, window),
        table.UTILISATION: busy.largest,
        table.LOOP_BUSY: busy.loop,
        table.SYNC_THREAD_BUSY: busy.sync_thread,
        table.EXPOSURE: exposure_of(trial, window),
        table.STALLS: None if stalls is None else len(stalls),
        table.STALLED_MS: None if stalls is None else float(sum(stalls)),
        table.STOOD_STILL_MS: stood_still_ms(trial, window),
    }


def _withheld(trial: TrialRecords, window: Window) -> Row:
    """Return what our processes wanted of the machine and did not get, and who had it."""
    return {
        table.CPU_WAIT_S: waited_s(trial, "server", window),
        table.INVOLUNTARY_SWITCHES: involuntary_switches(trial, "server", window),
        table.GENERATOR_WAIT_S: waited_s(trial, "generator", window),
        table.FOREIGN_CPU: foreign_cpu(trial, window),
        table.CONTENTION: contention(trial, window),
        table.STEAL: steal(trial, window),
        table.THROTTLED_S: grown(trial.host, "throttled_s", window),
    }


def _ends(trial: TrialRecords) -> Row:
    unexpected, failures, pushes = ended_unexpectedly(trial), open_failures(trial), push_failures(trial)
    return {
        table.ENDED_UNEXPECTEDLY: unexpected.len(),
        table.UNEXPECTED_EXAMPLE: str(unexpected[0]) if unexpected.len() else "",
        table.OPEN_FAILED: failures.len(),
        table.OPEN_FAILURES: counts_of(failures),
        table.PUSH_FAILED: None if pushes is None else pushes.len(),
        table.PUSH_FAILURES: None if pushes is None else counts_of(pushes),
    }


def with_latency(trial: TrialRecords) -> pl.DataFrame:
    """Return each arrival with columns time_ns, planned_ns, latency_ms."""
    planned = trial.sent.select("value", planned_ns=pl.col("time_ns") - pl.col("argument").cast(pl.Int64) * 1000)
    return (
        trial.received.select("time_ns", "value")
        .join(planned, on="value")
        .select("time_ns", "planned_ns", latency_ms=(pl.col("time_ns") - pl.col("planned_ns")) / NS_A_MS)
    )
