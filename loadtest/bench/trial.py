"""One trial: a fresh target, the generator's phases, settling, the residue, and what all of them recorded.

launch, ready, ramp, warm-up, steady (with the drops or the outage), recover, drain, close, settle, residue, stop. The
bench conducts the generator through the middle ones, and the generator marks them in its ledger. Where it holds
connections that were dropped silently, it lives on until the residue is read: letting go of them would tell the server.
Where an outage is of a generator, it is of a second one, which shares the users with the first. Whatever is started
here is ended here, and an outage is healed whatever happens.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from loadtest.bench.alive import AliveCheck
from loadtest.bench.awaited_job import AwaitedJob
from loadtest.bench.conductor import SOCKET, Conducting
from loadtest.bench.generator import (
    LEDGER,
    MORTAL,
    generators_of,
    hold_s,
    job_file_name,
    job_of,
    settle_s,
    start_generator,
    users_of,
    write_job,
    written_entry,
)
from loadtest.bench.outage import EndingGenerator, Injected, Processes, times_of
from loadtest.bench.plan import Plan, Trial
from loadtest.bench.push_commands import PushCommands
from loadtest.bench.rehearsing import NO_REHEARSALS, Rehearsals
from loadtest.bench.trial_ledgers import write_ledgers
from loadtest.bench.trial_records import Observed, records_of
from loadtest.brokers import RunningBroker
from loadtest.checks import TrialRecords
from loadtest.dimensions import CONSUMER, LAYER, SERVER, WORKERS
from loadtest.layers import find_layer
from loadtest.ledger import Event
from loadtest.ledger.reader import LedgerError, read_ledger
from loadtest.load import Job
from loadtest.load.push import Command, read_push
from loadtest.outages import Outage, Subject
from loadtest.phases import Failure, Timing
from loadtest.phases.timing import CLOSING_S
from loadtest.servers import find_server
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.pinning import Placement, on_cpus, placement_here
from loadtest.stack.process import Process, describe_exit
from loadtest.stack.sampler import Sampler
from loadtest.targets import CollectedLedger, PreparedTarget, Running, RunningTarget, Setting, running
from loadtest.targets.push_command import RunsCommands

_POLL_S = 0.02
_ALIVE_CHECK_S = 1.0
_DYING_S = 1.0
"""The end of a process's connection is seen a moment before the process has ended."""
_KILLED_BY_ANOTHER = "the second generator was killed by something else, so the time of its drops is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSetup:
    """What all trials of a run have in common."""

    plan: Plan
    target: PreparedTarget
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Those of the user's own brokers, by the broker's name; a private one runs for each trial where there is none."""
    rehearsals: Rehearsals = NO_REHEARSALS
    """Where the users of the plan's own locustfiles answer what they say."""


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
    (folder / LEDGER).mkdir(parents=True)
    plan = setup.plan
    outage = plan.outage_of(trial.cell)
    placement = placement_here(pin=plan.pin, workers=trial.cell[WORKERS])
    with ExitStack() as started:
        with on_cpus(placement.load):
            generators = _generators(trial, plan, folder, started)  # first: they get ready while the target does
        setting = setting_of(trial, setup, folder)
        measured = started.enter_context(running(setup.target, setting, setup.addresses, placement))
        commands = _push_commands(plan, measured.target, placement, started)
        with _of_this_trial_alone(measured):
            generators.give_jobs(measured.target, users_of(plan, trial), commands, folder)
        injected = started.enter_context(Injected(outage, _subject(outage, measured, generators)))
        parts = _Parts(measured=measured, injected=injected, placement=placement)
        result = _measure(trial, plan, folder, generators, parts)
    if generators.mortal and result.records.client_events(Event.DROPPED).is_empty():
        raise TrialFailed(_KILLED_BY_ANOTHER)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Generators:
    """The generators of a trial, by number, and what conducts them."""

    processes: Mapping[int, Process]
    conducting: Conducting
    mortal: Process | None
    """The one that is to be ended by the outage, if one is."""
    jobs: Sequence[tuple[Job, AwaitedJob]]
    """What they are to do, but for where, and what they wait for."""

    def give_jobs(self, target: RunningTarget, users: int, commands: Path | None, folder: Path) -> None:
        """Tell them what to do on which target, and leave that in `folder` too; but not what may be secret."""
        entry = target.entry(users)
        for without_host, awaited in self.jobs:
            job = without_host.at(target.url, written_entry(entry, awaited.path), commands)
            job = job.with_each_alone() if target.answers_alone else job
            write_job(job, folder)
            awaited.give(job)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What is running beside the generators, and what fails on purpose."""

    measured: Running
    injected: Injected
    placement: Placement

    @property
    def have_ended(self) -> bool:
        """Tell whether a process of the target's has ended."""
        return not all(process.alive for process in self.measured.target.processes)

    def require_alive(self) -> None:
        """Raise TrialFailed unless target and broker live; a broker that is stopped on purpose is not asked."""
        try:
            self.measured.target.require_alive()
            if self.measured.broker is not None:
                self._require_broker(self.measured.broker)
        except EnvironmentFailed as error:
            raise TrialFailed(str(error)) from error

    def _require_broker(self, broker: RunningBroker) -> None:
        """Do not ask while it is stopped; where that began or ended meanwhile, no answer says nothing."""
        state, is_stopped = self.injected.state, self.injected.stops_broker
        if is_stopped:
            return
        try:
            broker.require_alive()
        except EnvironmentFailed:
            if self.injected.state == state:
                raise


def _measure(trial: Trial, plan: Plan, folder: Path, generators: _Generators, parts: _Parts) -> MeasuredTrial:
    """Take target and generators through the trial to their ends, and return what all of them recorded."""
    target = parts.measured.target
    with _of_this_trial_alone(parts.measured):
        target.prime()
        identity = identity_of(trial, parts.measured)
    before = target.read_residue()
    sampler = Sampler(_roles(parts.measured, generators), cpus=parts.placement.by_role)
    sampler.watch("bench", os.getpid(), alone=True)
    with on_cpus(parts.placement.load), sampler:
        _conduct(generators, parts)
    parts.injected.heal()
    settle(target, settle_s(plan, trial))
    settled_ns = time.monotonic_ns()
    after = target.read_residue()
    generators.conducting.let_go()
    _wait_for_the_end(generators, parts)
    parts.require_alive()
    target.stop()  # what it does as it ends is in its ledger too, for whoever looks at a connection's story
    client, server = taken_ledgers(target, folder)
    observed = Observed(
        client=client,
        server=server,
        sampler=sampler,
        is_here=bool(target.processes),
        before=before,
        after=after,
        settled_ns=settled_ns,
    )
    return MeasuredTrial(records=records_of(trial, plan, observed), identity=identity)


@contextmanager
def _of_this_trial_alone(measured: Running) -> Iterator[None]:
    """Raise TrialFailed where what went wrong is that target or broker died: in the next trial others run."""
    try:
        yield
    except EnvironmentFailed as error:
        for process in measured.target.processes:
            process.wait(_DYING_S)
        try:
            measured.require_alive()
        except EnvironmentFailed as died:
            raise TrialFailed(str(died)) from error
        raise


def _generators(trial: Trial, plan: Plan, folder: Path, started: ExitStack) -> _Generators:
    """Start the generators; they wait for their jobs, and then until they are conducted."""
    numbers = range(1, generators_of(plan, trial) + 1)
    sockets = started.enter_context(short_folder())
    jobs = [job_of(plan, trial, number=number, folder=folder, conductor=sockets / SOCKET) for number in numbers]
    timing = replace(Timing.of(jobs[0]), hold_s=hold_s(plan, trial))
    outage = plan.outage_of(trial.cell)
    times = times_of(outage, jobs[0].steady, kills=MORTAL)
    conducting = started.enter_context(Conducting(sockets / SOCKET, timing, set(numbers), outage=times))
    awaited = [started.enter_context(AwaitedJob(sockets / job_file_name(job.generator))) for job in jobs]
    processes = {
        number: started.enter_context(start_generator(plan, trial, number, job=job.path, folder=folder))
        for number, job in zip(numbers, awaited, strict=True)
    }
    for job in awaited:
        started.callback(job.close)  # before the processes are stopped: one that still waits ends by itself
    mortal = processes[MORTAL] if outage is not None and outage.ends_process else None
    return _Generators(
        processes=processes, conducting=conducting, mortal=mortal, jobs=list(zip(jobs, awaited, strict=True))
    )


def _push_commands(plan: Plan, target: RunningTarget, placement: Placement, started: ExitStack) -> Path | None:
    """Return the socket at which generators have push commands run, on the load's CPUs; None where none are."""
    if not plan.push or not isinstance(read_push(plan.push), Command):
        return None
    if not isinstance(target, RunsCommands):
        raise EnvironmentFailed("the app is not run from here, and so is no command; --push takes a request too")
    with on_cpus(placement.load):
        return started.enter_context(PushCommands(target.start_command, started.enter_context(short_folder()))).address


def _subject(outage: Outage | None, measured: Running, generators: _Generators) -> Subject | None:
    """Return what the outage is of."""
    if outage is None:
        return None
    match outage.of:
        case "generator" if outage.ends_process:
            return EndingGenerator(conducting=generators.conducting, generator=MORTAL, outage=outage.name)
        case "generator":
            return Processes(processes=(generators.processes[MORTAL],))
        case "server":
            return Processes(processes=measured.target.processes)
        case "broker":
            broker = measured.broker
            if broker is None or broker.pid is None:
                raise EnvironmentFailed(f"{outage.name} needs a private broker; leave out the address of yours")
            return broker


def setting_of(trial: Trial, setup: TrialSetup, folder: Path) -> Setting:
    """Return how the target is to run in a trial; its ledger and its logs are in `folder`."""
    plan = setup.plan
    interval_s, timeout_s = plan.pings or (None, None)
    return Setting(
        server=find_server(trial.cell[SERVER]),
        layer=find_layer(trial.cell[LAYER]),
        consumer=trial.cell[CONSUMER],
        talk=plan.talk,
        own_users=setup.rehearsals.users_of(trial, plan),
        folder=folder,
        ledger=folder / LEDGER,
        port=plan.port,
        workers=trial.cell[WORKERS],
        ping_interval_s=interval_s,
        ping_timeout_s=timeout_s,
    )


def _roles(measured: Running, generators: _Generators) -> dict[str, list[int]]:
    """Return the pids to sample, by role."""
    broker = measured.broker
    return {
        "server": [process.pid for process in measured.target.processes],
        "generator": [process.pid for process in generators.processes.values()],
        "broker": [broker.pid] if broker is not None and broker.pid is not None else [],
    }


def identity_of(trial: Trial, measured: Running) -> dict[str, str]:
    """Return the versions of all that runs in a trial's target, its broker among it."""
    broker = find_layer(trial.cell[LAYER]).broker
    of_broker = {f"broker {broker}": measured.broker.version} if measured.broker is not None else {}
    return {**measured.target.identity(), **of_broker}


def _conduct(generators: _Generators, parts: _Parts) -> None:
    """Take the generators through the phases; TrialFailed as soon as a part of the trial dies or gets stuck."""
    conducting = generators.conducting
    conducting.start()
    with AliveCheck(parts.require_alive, _ALIVE_CHECK_S) as check:
        while not conducting.is_measured:
            orders = conducting.turn(_POLL_S)
            for number, process in generators.processes.items():
                if process.exited is not None:
                    orders += conducting.ended(number)
            for order in orders:
                parts.injected.carry_out(order)
            check.look()
            if parts.have_ended:
                parts.require_alive()
    if conducting.failure is not None:
        raise TrialFailed(_what_failed(conducting.failure, generators, parts.injected))
    if generators.mortal is not None:
        _require_killed(generators.mortal)


def _what_failed(failure: Failure, generators: _Generators, injected: Injected) -> str:
    if not failure.generators:
        return f"a generator, it is not known which, sent {failure.said}"
    generator = generators.processes[failure.generators[0]]
    if failure.why == "garbled":
        return f"{generator.name} sent {failure.said}; its log: {generator.log}"
    if failure.why == "stuck":
        phase = failure.phase.name.lower().replace("_", "-") if failure.phase else "start"
        return f"{generator.name} did not get through its {phase} in time; its log: {generator.log}"
    code = generator.wait(_DYING_S)
    if code is None:
        return f"{generator.name} takes no more orders and still runs; its log: {generator.log}"
    if generator is generators.mortal and code == -signal.SIGKILL and not injected.has_begun:
        return _KILLED_BY_ANOTHER
    return _ended_early(generator, code)


def _ended_early(generator: Process, code: int) -> str:
    return f"the generator ended early ({describe_exit(code)}); its last lines:\n{generator.log_tail()}"


def _wait_for_the_end(generators: _Generators, parts: _Parts) -> None:
    """Wait until the generators have ended, but for the one that the outage has ended."""
    deadline = time.monotonic() + CLOSING_S
    for generator in (process for process in generators.processes.values() if process is not generators.mortal):
        while (code := generator.exited) is None:
            if time.monotonic() > deadline:
                raise TrialFailed(f"the generator had not ended after {CLOSING_S:.0f} s; its log: {generator.log}")
            if parts.have_ended:
                parts.require_alive()
            time.sleep(_POLL_S)
        if code:
            raise TrialFailed(_ended_early(generator, code))


def _require_killed(generator: Process) -> None:
    code = generator.wait(_DYING_S)
    if code != -signal.SIGKILL:
        ended = "runs" if code is None else f"ended with {describe_exit(code)}"
        raise TrialFailed(f"{generator.name} was to be killed and {ended}; its last lines:\n{generator.log_tail()}")


def settle(target: RunningTarget, settle_s: float) -> None:
    """Wait until the server holds no connection any more, for which it has `settle_s`, and until what expires has."""
    deadline = time.monotonic() + settle_s
    while time.monotonic() < deadline and target.open_connections() != 0:
        time.sleep(_POLL_S)
    time.sleep(target.expires_s)


def taken_ledgers(target: RunningTarget, folder: Path) -> tuple[pl.DataFrame, CollectedLedger]:
    """Return both sides' ledgers, and leave them behind as compressed columnar files instead; TrialFailed."""
    ledger = folder / LEDGER
    try:
        client, server = read_ledger(ledger, "client"), target.collect_ledger()
    except LedgerError as error:
        raise TrialFailed(f"a ledger cannot be read: {error}") from error
    write_ledgers(folder, client=client, server=server.in_our_time)
    for path in ledger.iterdir():
        path.unlink()
    ledger.rmdir()
    return client, server
