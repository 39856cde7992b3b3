"""A stand: one test from its target's start to its audit, in a folder that `report`, `show` and `compare` read."""

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from loadtest.bench.choices import choices_of, values_in
from loadtest.bench.generator import LEDGER, hold_s, job_of, settle_s, users_of
from loadtest.bench.measuring import check_trial
from loadtest.bench.plan import Plan, Trial
from loadtest.bench.rehearsing import rehearsals
from loadtest.bench.run_folder import RunFolder
from loadtest.bench.trial import TrialSetup, identity_of, setting_of, settle, taken_ledgers
from loadtest.bench.trial_records import Observed, records_of
from loadtest.checks import CHECKS, TrialRecords, disconnects, drops
from loadtest.ledger.reader import read_ledger
from loadtest.load import LONGEST_S, Job
from loadtest.report import Summary, write_report
from loadtest.report.story import Story, story_of
from loadtest.report.tables import Tables
from loadtest.stack.lock import only_bench
from loadtest.stack.pinning import placement_here
from loadtest.stack.sampler import Sampler
from loadtest.targets import CollectedLedger, Reading, Running, Target, running
from loadtest.webui.stage.so_far import as_if_over, ends_ns, without_undecided
from loadtest.webui.stage.tabs import Shown
from loadtest.webui.state import MissedDrop

NAME: Final = "ui"
_OF_DROPS: Final = (disconnects.KIND, drops.KIND)
_OF_ALL_ELSE: Final = tuple(check for check in CHECKS if check not in _OF_DROPS)
_NS_A_S: Final = 1_000_000_000


class _Abandoned(Exception):
    """The test has ended before it was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where tests are run, and what all of them share."""

    target: Target
    out: Path
    """The folder that gets the folders of tests."""
    scratch: Path
    addresses: Mapping[str, str]
    """Those of the user's own brokers, by the broker's name."""
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """What the server held when it had had its time, and when that was, CLOCK_MONOTONIC."""

    residue: Reading
    at_ns: int


class Stand:
    """One test; `begin`, then `look` as often as wanted, `settle` when Locust has measured, `finish` when it ended."""

    def __init__(self, plan: Plan, place: Place) -> None:
        """Nothing is started yet."""
        self.plan = plan
        self.trial: Trial = plan.trials_in_order()[0]
        self._place = place
        self._open = ExitStack()
        self._generators: set[int] = set()
        self._settled: _Settled | None = None

    @property
    def folder(self) -> Path:
        """The folder of the test."""
        return self._run.folder.resolve()

    def begin(self) -> Job:
        """Start the target, and return what Locust is to do. EnvironmentFailed, with nothing left running."""
        with self._open:
            job = self._begin()
            self._open = self._open.pop_all()
        return job

    def _begin(self) -> Job:
        plan, place, trial = self.plan, self._place, self.trial
        self._open.enter_context(only_bench())
        offer = place.target.offer
        values = values_in(choices_of(offer), plan.chosen, plan.locustfile)
        self._run = RunFolder.create(
            place.out, plan, command=place.command, values=values, target=offer.origin, name=NAME
        )
        self._open.enter_context(self._run.under_way())
        own = self._open.enter_context(rehearsals(plan, place.scratch))
        self._trial_folder = self._run.new_trial_folder(trial)
        (self._trial_folder / LEDGER).mkdir()
        prepared = place.target.prepare(place.scratch, users_of(plan, trial))
        setup = TrialSetup(plan=plan, target=prepared, addresses=place.addresses, rehearsals=own)
        setting = setting_of(trial, setup, self._trial_folder)
        self._running: Running = self._open.enter_context(running(prepared, setting, place.addresses))
        target = self._running.target
        target.entry(users_of(plan, trial))
        target.prime()
        self._run.note_identity(identity_of(trial, self._running))
        self._before = target.read_residue()
        self._sampler = Sampler(self._roles(), cpus=placement_here(pin=False, workers=1).by_role)
        self._sampler.watch("bench", os.getpid(), alone=True)
        self._open.enter_context(self._sampler)
        return job_of(plan, trial, folder=self._trial_folder).at(target.url)

    @property
    def hold_s(self) -> float:
        """How long Locust is to hold what it drops silently, at most."""
        return hold_s(self.plan, self.trial)

    @property
    def ends_by_itself(self) -> bool:
        """Whether the part that counts has a length."""
        return (self.plan.duration or 0.0) < LONGEST_S

    def require_alive(self) -> None:
        """Raise EnvironmentFailed unless target and broker run."""
        self._running.require_alive()

    def look(self) -> Shown | None:
        """Return what there is to show by now; None before anything counts."""
        client = self._client()
        now_ns = time.monotonic_ns()
        ended_ns = ends_ns(client, now_ns)
        if ended_ns is None:
            return None
        server = self._running.target.collect_ledger()
        settled = _Settled(residue=self._running.target.read_residue(), at_ns=now_ns)
        known = self._observed(as_if_over(client, ended_ns), server, settled)
        decided_ns = now_ns - round(settle_s(self.plan, self.trial) * _NS_A_S)
        decided, undecided = without_undecided(known.client, server.in_our_time, decided_ns)
        all_else, invalid = check_trial(self.trial, self._records(known), _OF_ALL_ELSE)
        of_drops, _ = check_trial(self.trial, self._records(known, decided), _OF_DROPS)
        return Shown(tables=all_else.extended(of_drops), invalid=invalid, undecided=undecided, is_over=False)

    def _observed(self, client: pl.DataFrame, server: CollectedLedger, settled: _Settled) -> Observed:
        return Observed(
            client=client,
            server=server,
            sampler=self._sampler,
            is_here=bool(self._running.target.processes),
            before=self._before,
            after=settled.residue,
            settled_ns=settled.at_ns,
        )

    def _records(self, observed: Observed, client: pl.DataFrame | None = None) -> TrialRecords:
        return records_of(self.trial, self.plan, observed if client is None else replace(observed, client=client))

    def settle(self) -> None:
        """Give the server its time to notice the drops, and read what it holds then."""
        target = self._running.target
        settle(target, settle_s(self.plan, self.trial))
        settled_ns = time.monotonic_ns()
        self._settled = _Settled(residue=target.read_residue(), at_ns=settled_ns)

    def finish(self) -> tuple[Shown, Summary]:
        """Audit the test when Locust's part has ended, write its folder and its report, and end the target."""
        assert self._settled is not None, "the server has settled"
        target = self._running.target
        target.stop()
        observed = self._observed(*taken_ledgers(target, self._trial_folder), self._settled)
        tables, invalid = check_trial(self.trial, self._records(observed))
        self._run.save(self.trial, tables, invalid)
        self._open.close()
        return Shown(tables=tables, invalid=invalid, undecided=0, is_over=True), write_report(self.folder)

    @property
    def is_settled(self) -> bool:
        """Tell whether all has been read that has to be read while the server runs."""
        return self._settled is not None

    def abandon(self) -> None:
        """End the test without an audit; its folder says that it was interrupted. May be called again."""
        with suppress(_Abandoned), self._open:
            raise _Abandoned

    def story(self, connection: int) -> Story | None:
        """Tell what both sides have recorded of a connection by now; None where that is nothing."""
        sides = {"client": self._client(), "server": self._running.target.collect_ledger().in_our_time}
        of_it = [
            ledger.filter(pl.col("connection") == connection).with_columns(side=pl.lit(side))
            for side, ledger in sides.items()
        ]
        events = pl.concat(of_it).sort("time_ns", maintain_order=True)
        return None if events.is_empty() else story_of(self.trial.folder, connection, events)

    def _client(self) -> pl.DataFrame:
        """Return what Locust has recorded by now, and begin to watch each process of it that records."""
        client = read_ledger(self._trial_folder / LEDGER, "client")
        for pid in set(client["pid"].unique()) - self._generators:
            self._generators.add(pid)
            self._sampler.watch("generator", pid, alone=True)
        return client

    def _roles(self) -> dict[str, list[int]]:
        broker = self._running.broker
        return {
            "server": [process.pid for process in self._running.target.processes],
            "broker": [broker.pid] if broker is not None and broker.pid is not None else [],
        }


def missed_in(tables: Tables, most: int) -> tuple[int, tuple[MissedDrop, ...]]:
    """Return how many drops were missed, and the newest of them, `most` at most."""
    missed = tables[drops.TABLE].filter(pl.col(drops.VERDICT.name) == "missed")
    newest = missed.select(
        connection=pl.col(drops.CONNECTION.name),
        kind=pl.col("drop"),
        t_s=pl.col(drops.T_S.name).round(2),
        cause=pl.col(drops.CAUSE.name),
        ended_by=pl.col(drops.ENDED_BY.name),
    ).tail(most)[::-1]  # fmt: skip
    return missed.height, tuple(MissedDrop(**row) for row in newest.iter_rows(named=True))
