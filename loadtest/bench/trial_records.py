"""What the checks are given of a trial: from what was observed of it, and what its plan says."""

from dataclasses import dataclass

import polars as pl

from loadtest.bench.generator import users_of
from loadtest.bench.plan import Plan, Trial
from loadtest.checks import TrialRecords
from loadtest.stack.sampler import Sampler
from loadtest.targets import CollectedLedger, Reading

_ELSEWHERE = "the server runs elsewhere, where nobody samples its processes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Both ledgers, what the server held before and after, and the samples that were taken."""

    client: pl.DataFrame
    server: CollectedLedger
    sampler: Sampler
    is_here: bool
    """Whether the server's processes are ours, and so are sampled."""
    before: Reading
    after: Reading
    settled_ns: int
    """When settling ended, CLOCK_MONOTONIC."""


def records_of(trial: Trial, plan: Plan, observed: Observed) -> TrialRecords:
    """Return what the checks are given."""
    server, sampler = observed.server, observed.sampler
    return TrialRecords(
        client=observed.client,
        server=server.in_our_time,
        samples=sampler.frame(),
        server_unsampled="" if observed.is_here else server.unknown or _ELSEWHERE,
        unprobed=server.unknown,
        clock_bound_ns=server.clock_bound_ns,
        cpus=sampler.cpus_frame(),
        host=sampler.host_frame(),
        before=observed.before.processes,
        after=observed.after.processes,
        after_unknown=observed.after.unknown,
        settled_ns=observed.settled_ns,
        drops=plan.drops_of(trial.cell),
        has_outage=plan.outage_of(trial.cell) is not None,
        users=users_of(plan, trial),
        reaches=plan.reaches,
        allow_contention=plan.allow_contention,
    )
