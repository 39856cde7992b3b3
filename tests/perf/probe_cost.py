"""The probe's cost as it is run: echo on the reference app, with the probe and without it, in turns of 0.2 s.

Server and generator have CPUs of their own, as in the bench. What is compared is the server's throughput while it is
saturated, and its CPU time a message. A pair of processes gives one figure of each.
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
from loadtest.bench.generator import LEDGER
from loadtest.bench.plan import Trial
from loadtest.bench.profiles import make_plan
from loadtest.contract import LEDGER_VARIABLE
from loadtest.dimensions import LAYER, SERVER
from loadtest.layers import LAYERS
from loadtest.probe import wrapper
from loadtest.probe.handling import Handling, recorded_dispatch
from loadtest.probe.recording import recorder
from loadtest.servers import SERVERS
from loadtest.stack.pinning import placement_here
from loadtest.stats.interval import Interval
from loadtest.stats.location import location_of
from loadtest.stats.paired import paired, ratio_of
from loadtest.targets import Setting
from loadtest.targets.reference import PreparedReference, ReferenceApp
from tests.perf.in_turns import Running, alternate, under_way

PAIRS = 8
"""Of processes: two that run the same code differ by a percent or two. Eight of both consumers take six minutes."""
TURNS = 40
TURN_S = 0.2
CALLS = 300_000
LIMIT = 0.03
"""Share of the echo throughput, and of the CPU time a message, that the probe may cost."""

_PLAN = {"layers": "inmemory", "scenarios": "echo", "duration": 600.0, "warm_up": 1.0, "trials": 1}
"""The pair is ended when all turns were taken, long before the duration is over."""


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
            pairs = [_measure(consumer, app, probe_first=bool(number % 2)) for number in range(PAIRS)]
            found[consumer] = _compare(consumer, [pair[False] for pair in pairs], [pair[True] for pair in pairs])
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


def _measure(consumer: str, app: PreparedReference, *, probe_first: bool) -> dict[bool, Measured]:
    """Start the app with the probe and without it, and let them run in turns."""
    plan = make_plan({**_PLAN, "consumers": consumer}, choices=choices_of(ReferenceApp().offer))
    trial = plan.trials_in_order()[0]
    placement = placement_here(pin=True)
    with ExitStack() as stack:
        both = {
            with_probe: stack.enter_context(
                under_way(plan, trial, app, _setting(stack, trial, with_probe=with_probe), placement)
            )
            for with_probe in (probe_first, not probe_first)
        }
        alternate(list(both.values()), turns=TURNS, turn_s=TURN_S)
        return {with_probe: _measured(running) for with_probe, running in both.items()}


def _setting(stack: ExitStack, trial: Trial, *, with_probe: bool) -> Setting:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    (folder / LEDGER).mkdir()
    return Setting(
        server=SERVERS[trial.cell[SERVER]],
        layer=LAYERS[trial.cell[LAYER]],
        folder=folder,
        ledger=folder / LEDGER if with_probe else None,
    )


def _measured(running: Running) -> Measured:
    received = sum(running.received())
    return Measured(
        messages_per_s=received / sum(turn.lasted_s for turn in running.turns),
        cpu_us=sum(turn.cpu_ns for turn in running.turns) / received / 1000,
    )


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
