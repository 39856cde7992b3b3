"""One trial: a fresh target, the generator's phases, settling, the residue, and what all of them recorded.

launch, ready, ramp, warm-up, steady (with the drops), recover, drain, close, settle, residue, stop. The generator goes
through the middle ones by itself and marks them in its ledger. Where it holds connections that were dropped without a
word, it lives on until the residue is read: letting go of them would tell the server. Where a whole generator is to be
killed, a second one shares the users with it and is the one. Whatever is started here is ended here.
"""

import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from loadtest.bench.generator import (
    CLOSING_S,
    GO,
    HELD,
    LEDGER,
    generators_of,
    longest_s,
    settle_s,
    start_generator,
    users_of,
)
from loadtest.bench.plan import Plan, Trial
from loadtest.checks import TrialRecords
from loadtest.dimensions import CONSUMER, LAYER, SERVER, WORKERS
from loadtest.layers import LAYERS
from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.servers import SERVERS
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.process import Process, describe_exit
from loadtest.stack.sampler import Sampler
from loadtest.targets import PreparedTarget, Running, RunningTarget, Setting, running

_POLL_S = 0.02
_BROKER_CHECK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSetup:
    """What all trials of a run have in common."""

    plan: Plan
    target: PreparedTarget
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Those of the user's own brokers, by the broker's name; a private one runs for each trial where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredTrial:
    """What a trial recorded, and the versions of everything that ran in its target."""

    records: TrialRecords
    identity: Mapping[str, str]


class TrialFailed(Exception):
    """A trial came to no result: a part of it died or got stuck after it had begun."""


def run_trial(trial: Trial, setup: TrialSetup, folder: Path) -> MeasuredTrial:
    """Run one trial and return what it recorded; logs, ledgers and Locust's CSV files stay in `folder`.

    Raises EnvironmentFailed when a part cannot be started, TrialFailed when one dies or gets stuck later.
    """
    ledger = folder / LEDGER
    ledger.mkdir(parents=True)
    plan = setup.plan
    with ExitStack() as parts:
        measured = parts.enter_context(running(setup.target, _setting(trial, plan, folder), setup.addresses))
        target = measured.target
        generator, *doomed = [
            parts.enter_context(start_generator(plan, trial, number=number, host=target.url, folder=folder))
            for number in range(1, generators_of(plan, trial) + 1)
        ]
        target.prime()
        before = target.read_residue()
        with Sampler(_roles(measured, [generator, *doomed])) as sampler:
            (folder / GO).touch()
            _wait_for(generator, measured, longest_s(plan, trial), held=folder / HELD)
            _require_killed(doomed)
        _settle(target, settle_s(plan, trial))
        settled_ns = time.monotonic_ns()
        after = target.read_residue()
        identity = _identity(trial, measured)
        (folder / HELD).unlink(missing_ok=True)
        _wait_for(generator, measured, CLOSING_S)
        _require_alive(measured)
        target.stop()  # what it does as it ends is in its ledger too, for whoever looks at a connection's story
        server = target.collect_ledger().in_our_time
    records = TrialRecords(
        client=_collect(folder, server),
        server=server,
        samples=sampler.frame(),
        before=before.processes,
        after=after.processes,
        after_unknown=after.unknown,
        settled_ns=settled_ns,
        drops=plan.drops_of(trial.cell),
        users=users_of(plan, trial),
    )
    if doomed and records.client_events(Event.DROPPED).is_empty():
        raise TrialFailed("the second generator was killed, and not by itself: nobody knows when")
    return MeasuredTrial(records=records, identity=identity)


def _setting(trial: Trial, plan: Plan, folder: Path) -> Setting:
    interval_s, timeout_s = plan.pings or (None, None)
    return Setting(
        server=SERVERS[trial.cell[SERVER]],
        layer=LAYERS[trial.cell[LAYER]],
        consumer=trial.cell[CONSUMER],
        folder=folder,
        ledger=folder / LEDGER,
        port=plan.port,
        workers=trial.cell[WORKERS],
        ping_interval_s=interval_s,
        ping_timeout_s=timeout_s,
    )


def _roles(measured: Running, generators: Sequence[Process]) -> dict[str, list[int]]:
    """Return the pids to sample, by role."""
    broker = measured.broker
    return {
        "server": [process.pid for process in measured.target.processes],
        "generator": [generator.pid for generator in generators],
        "broker": [broker.pid] if broker is not None and broker.pid is not None else [],
    }


def _identity(trial: Trial, measured: Running) -> dict[str, str]:
    broker = LAYERS[trial.cell[LAYER]].broker
    of_broker = {f"broker {broker}": measured.broker.version} if measured.broker is not None else {}
    return {**measured.target.identity(), **of_broker}


def _wait_for(generator: Process, measured: Running, deadline_s: float, *, held: Path | None = None) -> None:
    """Wait until the generator has ended or made the file `held`; TrialFailed as soon as a part of the trial dies."""
    deadline = time.monotonic() + deadline_s
    check_all_at = time.monotonic() + _BROKER_CHECK_S
    while (code := generator.exited) is None:
        if held is not None and held.exists():
            return
        if time.monotonic() > deadline:
            raise TrialFailed(f"the generator had not ended after {deadline_s:.0f} s; its log: {generator.log}")
        if time.monotonic() > check_all_at or not all(process.alive for process in measured.target.processes):
            _require_alive(measured)
            check_all_at += _BROKER_CHECK_S
        time.sleep(_POLL_S)
    if code:
        raise TrialFailed(f"the generator ended early ({describe_exit(code)}); its last lines:\n{generator.log_tail()}")


def _require_killed(doomed: Sequence[Process]) -> None:
    for generator in doomed:
        if generator.exited != -signal.SIGKILL:
            ended = "runs" if generator.exited is None else f"ended with {describe_exit(generator.exited)}"
            raise TrialFailed(f"{generator.name} was to be killed and {ended}; its last lines:\n{generator.log_tail()}")


def _require_alive(measured: Running) -> None:
    try:
        measured.require_alive()
    except EnvironmentFailed as error:
        raise TrialFailed(str(error)) from error


def _settle(target: RunningTarget, settle_s: float) -> None:
    """Wait until the server holds no connection any more; it has `settle_s` to notice."""
    deadline = time.monotonic() + settle_s
    while time.monotonic() < deadline and target.open_connections() != 0:
        time.sleep(_POLL_S)


def _collect(folder: Path, server: pl.DataFrame) -> pl.DataFrame:
    """Return the client's ledger, and leave both behind as compressed columnar files instead."""
    ledger = folder / LEDGER
    client = read_ledger(ledger, "client")
    _write(client, folder / "client.parquet")
    _write(server, folder / "server.parquet")
    for path in ledger.iterdir():
        path.unlink()
    ledger.rmdir()
    (folder / GO).unlink()
    return client


def _write(ledger: pl.DataFrame, path: Path) -> None:
    try:
        ledger.write_parquet(path, compression="zstd")
    except (pl.exceptions.PolarsError, OSError) as error:  # a full disk is either
        raise EnvironmentFailed(f"could not write {path}: {error}; free the disk or pass --out") from error
