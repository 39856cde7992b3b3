"""One trial: a fresh server, the generator's phases, settling, the residue, and what all of them recorded.

launch, ready, ramp, warm-up, steady (with the drops or the outage), recover, drain, close, settle, residue, stop. The
bench conducts the generator through the middle ones, and the generator marks them in its ledger. Where it holds
connections that were dropped silently, it lives on until the residue is read: letting go of them would tell the server.
Where a whole generator is to be killed, a second one shares the users with it and is the one that is. Whatever is
started here is ended here, and an outage is healed whatever happens.
"""

import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from loadtest.bench.conductor import SOCKET, Conducting
from loadtest.bench.generator import LEDGER, MORTAL, generators_of, hold_s, job_of, settle_s, start_generator, users_of
from loadtest.bench.outage import GeneratorProcess, Injected, ProcessGroup, times_of
from loadtest.bench.plan import Plan, Trial
from loadtest.checks import ProcessResidue, TrialRecords
from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.outages import Outage, Subject
from loadtest.phases import Failure, Timing
from loadtest.phases.timing import CLOSING_S
from loadtest.stack.control import ask_residue, ask_status
from loadtest.stack.database import Database
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.layers import LAYERS
from loadtest.stack.prime import prime
from loadtest.stack.process import Process, describe_exit
from loadtest.stack.sampler import Sampler
from loadtest.stack.servers import SERVERS
from loadtest.stack.target import Target
from loadtest.stack.valkey import RedisServer, redis_server

_POLL_S = 0.02
_BROKER_CHECK_S = 1.0
_DYING_S = 1.0
"""The end of a process's connection is seen a moment before the process has ended."""
_KILLED_BY_ANOTHER = "the second generator was killed, and not by itself: nobody knows when"


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
    (folder / LEDGER).mkdir(parents=True)
    with ExitStack() as running:
        broker = _broker(trial, ground, folder, running)
        target = running.enter_context(_target(trial, ground, folder, broker))
        generators = _generators(trial, ground.plan, folder, target.url, running)
        prime(f"{target.url}/ws/{trial.cell.consumer}/room/prime/", target.control)
        before, _ = _residue(target)
        outage = ground.plan.outage_of(trial.cell)
        subject = _subject(outage, target, broker, generators.conducting)
        parts = _Parts(target=target, broker=broker, injected=running.enter_context(Injected(outage, subject)))
        with Sampler({"server": target.pid, "redis": broker.pid if broker else None}) as sampler:
            for process in generators.processes.values():
                sampler.watch("generator", process.pid)
            _conduct(generators, parts)
        parts.injected.heal()
        _settle(target, settle_s(ground.plan, trial))
        settled_ns = time.monotonic_ns()
        after, why = _residue(target)
        generators.conducting.let_go()
        _wait_for_the_end(generators, parts)
        parts.require_alive()
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
    if generators.mortal and records.client_events(Event.DROPPED).is_empty():
        raise TrialFailed(_KILLED_BY_ANOTHER)
    return records


@dataclass(frozen=True, slots=True, kw_only=True)
class _Generators:
    """The generators of a trial, by number, and what conducts them."""

    processes: Mapping[int, Process]
    conducting: Conducting

    @property
    def mortal(self) -> Process | None:
        """The one that is to be killed, if one is."""
        return self.processes.get(MORTAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What a trial stands on while its generators are conducted."""

    target: Target
    broker: RedisServer | None
    injected: Injected

    def require_alive(self) -> None:
        """Raise TrialFailed unless target and broker live; a broker that is stopped on purpose is not asked."""
        try:
            self.target.require_alive()
            if self.broker is not None and not self.injected.stops_broker:
                self.broker.require_alive()
        except EnvironmentFailed as error:
            raise TrialFailed(str(error)) from error


def _generators(trial: Trial, plan: Plan, folder: Path, host: str, running: ExitStack) -> _Generators:
    """Start the generators; they wait until they are conducted."""
    numbers = range(1, generators_of(plan, trial) + 1)
    sockets = running.enter_context(short_folder())
    first, *others = (
        job_of(plan, trial, number=number, host=host, folder=folder, conductor=sockets / SOCKET) for number in numbers
    )
    timing = replace(Timing.of(first), hold_s=hold_s(plan, trial))
    times = times_of(plan.outage_of(trial.cell), first.steady, kills=MORTAL)
    conducting = running.enter_context(Conducting(sockets / SOCKET, timing, set(numbers), outage=times))
    processes = {
        job.generator: running.enter_context(start_generator(plan, trial, job, folder=folder))
        for job in (first, *others)
    }
    return _Generators(processes=processes, conducting=conducting)


def _subject(
    outage: Outage | None, target: Target, broker: RedisServer | None, conducting: Conducting
) -> Subject | None:
    """Return what the outage is of."""
    if outage is None:
        return None
    match outage.of:
        case "generator":
            return GeneratorProcess(conducting=conducting, generator=MORTAL, outage=outage.name)
        case "server":
            return ProcessGroup(pid=target.pid)
        case "broker":
            if broker is None or broker.pid is None:
                raise EnvironmentFailed(f"{outage.name} needs a private broker; leave out --redis-url")
            return ProcessGroup(pid=broker.pid)


def _broker(trial: Trial, ground: Ground, folder: Path, running: ExitStack) -> RedisServer | None:
    if "redis" not in LAYERS[trial.cell.layer].needs:
        return None
    return running.enter_context(redis_server(ground.redis_url, log=folder / "valkey.log"))


def _target(trial: Trial, ground: Ground, folder: Path, broker: RedisServer | None) -> Target:
    interval_s, timeout_s = ground.plan.pings or (None, None)
    return Target(
        server=SERVERS[trial.cell.server],
        layer=LAYERS[trial.cell.layer],
        database=ground.database,
        log=folder / "server.log",
        redis_url=broker.url if broker else None,
        ledger=folder / LEDGER,
        port=ground.plan.port,
        workers=trial.cell.workers,
        ping_interval_s=interval_s,
        ping_timeout_s=timeout_s,
    )


def _conduct(generators: _Generators, parts: _Parts) -> None:
    """Take the generators through the phases; TrialFailed as soon as a part of the trial dies or gets stuck."""
    conducting = generators.conducting
    conducting.start()
    check_broker_at = time.monotonic() + _BROKER_CHECK_S
    while not conducting.is_measured:
        for order in conducting.turn(_POLL_S):
            parts.injected.carry_out(order)
        for number, process in generators.processes.items():
            if process.exited is not None:
                conducting.ended(number)
        if not parts.target.alive or time.monotonic() > check_broker_at:
            parts.require_alive()
            check_broker_at = time.monotonic() + _BROKER_CHECK_S
    if conducting.failure is not None:
        raise TrialFailed(_what_failed(conducting.failure, generators, parts.injected))
    if generators.mortal is not None:
        _require_killed(generators.mortal)


def _what_failed(failure: Failure, generators: _Generators, injected: Injected) -> str:
    generator = generators.processes[failure.generators[0]]
    code = generator.wait(_DYING_S) if failure.why == "ended" else None
    if code is None:
        phase = failure.phase.name.lower().replace("_", "-") if failure.phase else "start"
        return f"{generator.name} did not get through its {phase} in time; its log: {generator.log}"
    if generator is generators.mortal and code == -signal.SIGKILL and not injected.has_begun:
        return _KILLED_BY_ANOTHER
    return f"the generator ended early ({describe_exit(code)}); its last lines:\n{generator.log_tail()}"


def _wait_for_the_end(generators: _Generators, parts: _Parts) -> None:
    """Wait until the generators have ended that nobody has killed."""
    deadline = time.monotonic() + CLOSING_S
    for generator in (process for process in generators.processes.values() if process is not generators.mortal):
        while (code := generator.exited) is None:
            if time.monotonic() > deadline:
                raise TrialFailed(f"the generator had not ended after {CLOSING_S:.0f} s; its log: {generator.log}")
            if not parts.target.alive:
                parts.require_alive()
            time.sleep(_POLL_S)
        if code:
            raise TrialFailed(
                f"the generator ended early ({describe_exit(code)}); its last lines:\n{generator.log_tail()}"
            )


def _require_killed(generator: Process) -> None:
    code = generator.wait(_DYING_S)
    if code != -signal.SIGKILL:
        ended = "runs" if code is None else f"ended with {describe_exit(code)}"
        raise TrialFailed(f"{generator.name} was to be killed and {ended}; its last lines:\n{generator.log_tail()}")


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
