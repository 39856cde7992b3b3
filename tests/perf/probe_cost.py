"""The probe's cost as it is run: echo on the reference app with the probe on and off in turn, in pairs.

Server and generator have CPUs of their own, as in the bench. What is compared is the server's throughput while it is
saturated, and its CPU time a message, which other work on the machine disturbs less.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.bench.choices import choices_of
from loadtest.bench.conductor import SOCKET, Conducting
from loadtest.bench.generator import LEDGER, job_of, start_generator, users_of, write_job
from loadtest.bench.plan import Plan, Trial
from loadtest.bench.profiles import make_plan
from loadtest.checks import TrialRecords
from loadtest.checks.throughput.audit import check
from loadtest.contract import LEDGER_VARIABLE
from loadtest.dimensions import LAYER, SERVER
from loadtest.layers import LAYERS
from loadtest.ledger.reader import read_ledger
from loadtest.phases import Timing
from loadtest.phases.timing import CLOSING_S
from loadtest.probe import wrapper
from loadtest.probe.handling import Handling, recorded_dispatch
from loadtest.probe.recording import recorder
from loadtest.servers import SERVERS
from loadtest.stack.folders import short_folder
from loadtest.stack.pinning import on_cpus, placement_here
from loadtest.stack.sampler import Sampler
from loadtest.stats.interval import Interval
from loadtest.stats.location import location_of
from loadtest.stats.paired import paired, ratio_of
from loadtest.targets import Setting
from loadtest.targets.reference import PreparedReference, ReferenceApp

PAIRS = 7
"""Each takes 15 seconds; seven of both consumers stay under four minutes."""
POLL_S = 0.05
CALLS = 300_000
LIMIT = 0.03
"""Share of the echo throughput, and of the CPU time a message, that the probe may cost."""

_PLAN = {"layers": "inmemory", "scenarios": "echo", "duration": 3.0, "warm_up": 1.0, "trials": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run: messages a second, and the server's CPU time a message in µs."""

    messages_per_s: float
    cpu_us: float


def main() -> dict[str, object]:
    """Measure PAIRS pairs for each consumer, print the ratios and return them."""
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        app = ReferenceApp().prepare(Path(name))
        for consumer in ("async", "sync"):
            plan = make_plan({**_PLAN, "consumers": consumer}, choices=choices_of(ReferenceApp().offer))
            trial = plan.trials_in_order()[0]
            runs: dict[bool, list[Measured]] = {False: [], True: []}
            for pair in range(PAIRS):
                for with_probe in (False, True) if pair % 2 else (True, False):
                    runs[with_probe].append(_measure(plan, trial, app, with_probe=with_probe))
            found[consumer] = _compare(consumer, runs[False], runs[True])
    found["own_work_us"] = own_us = own_work_us()
    print(f"probe, its own work on a message in and one out: {own_us:.2f} µs")
    return found


def own_work_us() -> float:
    """Return the CPU time, in µs, that the probe adds to a message in, its handling and a message out.

    Measured without a server: the machine's noise on whole servers is larger than what is looked for; this is steady.
    """
    with tempfile.TemporaryDirectory() as name:
        os.environ[LEDGER_VARIABLE] = name
        try:
            return asyncio.run(_time_wrappers())
        finally:
            del os.environ[LEDGER_VARIABLE]
            recorder().close()
            recorder.cache_clear()


async def _time_wrappers() -> float:
    message = {"type": "websocket.receive", "text": "x" * 64}
    answer = {"type": "websocket.send", "text": "x" * 64}

    async def receive() -> dict[str, str]:
        return message

    async def send(message: MutableMapping[str, Any]) -> None:
        pass

    async def dispatch(message: Mapping[str, Any]) -> None:
        pass

    handling = Handling(1)
    recorded_receive, recorded_send = (
        wrapper._recorded_receive(handling, receive),
        wrapper._recorded_send(handling, send),
    )
    with_state = recorded_dispatch(dispatch, handling)
    plain_us = await _time(receive, lambda: dispatch(message), lambda: send(answer))
    recorded_us = await _time(recorded_receive, lambda: with_state(message), lambda: recorded_send(answer))
    return recorded_us - plain_us


async def _time(*calls: Callable[[], Awaitable[object]]) -> float:
    start_s = time.process_time()
    for _ in range(CALLS):
        for call in calls:
            await call()
    return (time.process_time() - start_s) / CALLS * 1e6


def _measure(plan: Plan, trial: Trial, app: PreparedReference, *, with_probe: bool) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / LEDGER).mkdir()
        setting = Setting(
            server=SERVERS[trial.cell[SERVER]],
            layer=LAYERS[trial.cell[LAYER]],
            folder=folder,
            ledger=folder / LEDGER if with_probe else None,
        )
        placement = placement_here(pin=True)
        with ExitStack() as stack:
            sockets = stack.enter_context(short_folder())
            with on_cpus(placement.server):
                target = stack.enter_context(app.start(setting))
            job = job_of(plan, trial, folder=folder, conductor=sockets / SOCKET).at(target.url)
            with (
                on_cpus(placement.load),
                Conducting(sockets / SOCKET, Timing.of(job), {job.generator}) as conducting,
                start_generator(plan, trial, 1, job=write_job(job, folder), folder=folder) as generator,
                Sampler({"server": [target.pid], "generator": [generator.pid]}) as sampler,
            ):
                conducting.start()
                while not conducting.is_measured:
                    conducting.turn(POLL_S)
                assert generator.wait(CLOSING_S) == 0, generator.log_tail()
            records = TrialRecords(
                client=read_ledger(folder / LEDGER, "client"),
                server=read_ledger(folder / LEDGER, "server"),
                samples=sampler.frame(),
                before=(),
                after=(),
                users=users_of(plan, trial),
            )
        row = check(records).rows.row(0, named=True)
        return Measured(messages_per_s=row["messages_per_s"], cpu_us=row["server_cpu_s"] / row["received"] * 1e6)


def _compare(consumer: str, off: list[Measured], on: list[Measured]) -> dict[str, object]:
    """Print and return the cost as shares, with 95 % intervals over the pairs; below 0 the probe seems to help."""
    slower = _ratio([run.messages_per_s for run in off], [run.messages_per_s for run in on])
    dearer = _ratio([run.cpu_us for run in on], [run.cpu_us for run in off])
    print(
        f"probe, echo, {consumer}: {_verdict(slower, dearer)}: throughput lower by {_shares(slower)}, "
        f"server CPU a message higher by {_shares(dearer)}; {PAIRS} pairs, limit {LIMIT:.0%}"
    )
    return {
        "messages_per_s_off": location_of([run.messages_per_s for run in off]).estimate,
        "messages_per_s_on": location_of([run.messages_per_s for run in on]).estimate,
        "cpu_us_off": location_of([run.cpu_us for run in off]).estimate,
        "cpu_us_on": location_of([run.cpu_us for run in on]).estimate,
        "throughput_cost": [slower.low - 1, slower.estimate - 1, slower.high - 1],
        "cpu_cost": [dearer.low - 1, dearer.estimate - 1, dearer.high - 1],
    }


def _ratio(ones: list[float], others: list[float]) -> Interval:
    return ratio_of(paired(dict(enumerate(ones)), dict(enumerate(others))))


def _shares(ratio: Interval) -> str:
    return f"{ratio.estimate - 1:+.1%} ({ratio.low - 1:+.1%} to {ratio.high - 1:+.1%})"


def _verdict(*ratios: Interval) -> str:
    if all(ratio.high - 1 <= LIMIT for ratio in ratios):
        return "met"
    return "MISSED" if any(ratio.low - 1 > LIMIT for ratio in ratios) else "not decided"


if __name__ == "__main__":
    main()
