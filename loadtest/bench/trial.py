"""One trial: a fresh server, the generator's phases, settling, the residue, and what all of them recorded.

launch, ready, ramp, warm-up, steady (with the drops), recover, drain, close, settle, residue, stop. The generator goes
through the middle ones by itself and marks them in its ledger. Where it holds connections that were dropped without a
word, it lives on until the residue is read: letting go of them would tell the server. Where a whole generator is to be
killed, a second one shares the users with it and is the one. Whatever is started here is ended here.
"""

import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
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
from loadtest.checks import ProcessResidue, TrialRecords
from loadtest.dimensions import CONSUMER, LAYER, SERVER, WORKERS
from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.stack.control import ask_residue, ask_status
from loadtest.stack.database import Database
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.layers import LAYERS
from loadtest.stack.prime import prime
from loadtest.stack.process import Process, describe_exit
from loadtest.stack.sampler import Sampler
from loadtest.stack.servers import SERVERS
from loadtest.stack.target import Target
from loadtest.stack.valkey import RedisServer, redis_server

_POLL_S = 0.02
_BROKER_CHECK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all trials of a run stand on."""

    plan: Plan
    database: Database
    redis_url: str | None
    """The user's own Redis; None: a private Valkey for each trial."""


class TrialFailed(Exception):
    """A trial came to no result: a part of it died or got stuck after it had begun."""


def run_trial(trial: Trial, ground: Ground, folder: Path) -> TrialRecords:
    """Run one trial and return what it recorded; logs, ledgers and Locust's CSV files stay in `folder`.

    Raises EnvironmentFailed when a part cannot be started, TrialFailed when one dies or gets stuck later.
    """
    ledger = folder / LEDGER
    ledger.mkdir(parents=True)
    with ExitStack() as running:
        broker = _broker(trial, ground, folder, running)
        target = running.enter_context(_target(trial, ground, folder, broker))
        generator, *doomed = [
            running.enter_context(start_generator(ground.plan, trial, number=number, host=target.url, folder=folder))
            for number in range(1, generators_of(ground.plan, trial) + 1)
        ]
        prime(f"{target.url}/ws/{trial.cell[CONSUMER]}/room/prime/", target.control)
        before, _ = _residue(target)
        roles = {"server": target.pid, "generator": generator.pid, "redis": broker.pid if broker else None}
        roles |= {one.name: one.pid for one in doomed}
        with Sampler(roles) as sampler:
            (folder / GO).touch()
            _wait_for(generator, target, broker, longest_s(ground.plan, trial), held=folder / HELD)
            _require_killed(doomed)
        _settle(target, settle_s(ground.plan, trial))
        settled_ns = time.monotonic_ns()
        after, why = _residue(target)
        (folder / HELD).unlink(missing_ok=True)
        _wait_for(generator, target, broker, CLOSING_S)
        _require_alive(target, broker)
    records = _collect(
        trial,
        ground.plan,
        folder,
        before=before,
        after=after,
        why=why,
        settled_ns=settled_ns,
        samples=sampler.frame(),
    )
    if doomed and records.client_events(Event.DROPPED).is_empty():
        raise TrialFailed("the second generator was killed, and not by itself: nobody knows when")
    return records


def _broker(trial: Trial, ground: Ground, folder: Path, running: ExitStack) -> RedisServer | None:
    if "redis" not in LAYERS[trial.cell[LAYER]].needs:
        return None
    return running.enter_context(redis_server(ground.redis_url, log=folder / "valkey.log"))


def _target(trial: Trial, ground: Ground, folder: Path, broker: RedisServer | None) -> Target:
    interval_s, timeout_s = ground.plan.pings or (None, None)
    return Target(
        server=SERVERS[trial.cell[SERVER]],
        layer=LAYERS[trial.cell[LAYER]],
        database=ground.database,
        log=folder / "server.log",
        redis_url=broker.url if broker else None,
        ledger=folder / LEDGER,
        port=ground.plan.port,
        workers=trial.cell[WORKERS],
        ping_interval_s=interval_s,
        ping_timeout_s=timeout_s,
    )


def _wait_for(
    generator: Process, target: Target, broker: RedisServer | None, deadline_s: float, *, held: Path | None = None
) -> None:
    """Wait until the generator has ended or made the file `held`; TrialFailed as soon as a part of the trial dies."""
    deadline = time.monotonic() + deadline_s
    check_broker_at = time.monotonic() + _BROKER_CHECK_S
    while (code := generator.exited) is None:
        if held is not None and held.exists():
            return
        if time.monotonic() > deadline:
            raise TrialFailed(f"the generator had not ended after {deadline_s:.0f} s; its log: {generator.log}")
        if not target.alive:
            _require_alive(target, broker)
        if time.monotonic() > check_broker_at:
            _require_alive(target, broker)
            check_broker_at += _BROKER_CHECK_S
        time.sleep(_POLL_S)
    if code:
        raise TrialFailed(f"the generator ended early ({describe_exit(code)}); its last lines:\n{generator.log_tail()}")


def _require_killed(doomed: Sequence[Process]) -> None:
    for generator in doomed:
        if generator.exited != -signal.SIGKILL:
            ended = "runs" if generator.exited is None else f"ended with {describe_exit(generator.exited)}"
            raise TrialFailed(f"{generator.name} was to be killed and {ended}; its last lines:\n{generator.log_tail()}")


def _require_alive(target: Target, broker: RedisServer | None) -> None:
    try:
        target.require_alive()
        if broker is not None:
            broker.require_alive()
    except EnvironmentFailed as error:
        raise TrialFailed(str(error)) from error


def _settle(target: Target, settle_s: float) -> None:
    """Wait until the server holds no connection any more; it has `settle_s` to notice."""
    deadline = time.monotonic() + settle_s
    while time.monotonic() < deadline:
        statuses = ask_status(target.control)
        if not statuses.silent and not sum(status.open for status in statuses.answered):
            return
        time.sleep(_POLL_S)


def _residue(target: Target) -> tuple[tuple[ProcessResidue, ...], str]:
    """Return what each server process holds, and why some did not answer."""
    answers = ask_residue(target.control)
    why = "; ".join(f"process {silent.pid} did not answer: {silent.why}" for silent in answers.silent)
    return answers.answered, why or ("" if answers.answered else "no process of the server answered")


def _collect(
    trial: Trial,
    plan: Plan,
    folder: Path,
    *,
    before: tuple[ProcessResidue, ...],
    after: tuple[ProcessResidue, ...],
    why: str,
    settled_ns: int,
    samples: pl.DataFrame,
) -> TrialRecords:
    """Read the ledgers and leave them behind as compressed columnar files instead."""
    ledger = folder / LEDGER
    client, server = read_ledger(ledger, "client"), read_ledger(ledger, "server")
    _write(client, folder / "client.parquet")
    _write(server, folder / "server.parquet")
    for path in ledger.iterdir():
        path.unlink()
    ledger.rmdir()
    (folder / GO).unlink()
    return TrialRecords(
        client=client,
        server=server,
        samples=samples,
        before=before,
        after=after,
        after_unknown=why,
        settled_ns=settled_ns,
        drops=plan.drops_of(trial.cell),
        users=users_of(plan, trial),
    )


def _write(ledger: pl.DataFrame, path: Path) -> None:
    try:
        ledger.write_parquet(path, compression="zstd")
    except (pl.exceptions.PolarsError, OSError) as error:  # a full disk is either
        raise EnvironmentFailed(f"could not write {path}: {error}; free the disk or pass --out") from error
