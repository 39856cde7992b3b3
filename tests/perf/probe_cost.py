"""The probe's cost as it is run: echo on the reference app without it, with its ledger, and with its metrics alone.

In turns of 0.2 s. Server and generator have CPUs of their own, as in the bench. What is compared is the server's
throughput while it is saturated, and its CPU time a message. A set of three servers gives one figure of each.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from loadtest.ledger import Recorder
from loadtest.probe import wrapper
from loadtest.probe.counting import CountedConnection
from loadtest.probe.handling import Handling, recorded_dispatch
from loadtest.probe.metrics import Metrics
from loadtest.probe.recording import Ledger
from loadtest.stack.pinning import placement_here
from loadtest.stats.interval import Interval
from loadtest.stats.location import location_of
from loadtest.targets.reference import ReferenceApp
from tests.perf.in_turns import Measured, Way, in_turns, ratio

SETS = 16
"""Of processes: two that run the same code differ by a few percent. Of both consumers they take ten minutes."""
TURNS = 20
TURN_S = 0.2
_PINNED = placement_here(pin=True)
WAYS = (Way(placement=_PINNED, probe="off"), Way(placement=_PINNED), Way(placement=_PINNED, probe="metrics"))
CALLS = 300_000
LIMIT = 0.03
"""Share of the echo throughput, and of the CPU time a message, that the probe may cost."""


def main(sets: int = SETS) -> dict[str, object]:
    """Measure so many sets for each consumer, print the ratios and return them."""
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        app = ReferenceApp().prepare(Path(name))
        for consumer in ("async", "sync"):
            off, ledger, metrics = zip(
                *(in_turns(consumer, app, WAYS, TURNS, TURN_S) for _ in range(sets)), strict=True
            )
            found[consumer] = _compare(f"probe, echo, {consumer}", off, ledger)
            found[f"{consumer} metrics"] = _compare(f"probe with metrics alone, echo, {consumer}", off, metrics)
    found["own_work_us"] = own_us = own_work_us()
    found["own_work_of_metrics_us"] = counting_us = own_work_of_metrics_us()
    print(f"probe, its own work on a message in and one out: {own_us:.2f} µs; with metrics alone {counting_us:.2f} µs")
    return found


def own_work_us() -> float:
    """Return the CPU time, in µs, that the probe adds to a message in, its handling and a message out.

    Measured without a server: the machine's noise on whole servers is larger than what is looked for; this is steady.
    """
    with tempfile.TemporaryDirectory() as name:
        ledger = Recorder(Path(name), "server")
        try:
            return asyncio.run(_time_wrappers(ledger))
        finally:
            ledger.close()


def own_work_of_metrics_us() -> float:
    """Return the same of a probe that keeps no ledger and has metrics, as in production."""
    return asyncio.run(_time_wrappers(CountedConnection(Metrics(CollectorRegistry()))))


async def _time_wrappers(ledger: Ledger) -> float:
    message = {"type": "websocket.receive", "text": "x" * 64}
    answer = {"type": "websocket.send", "text": "x" * 64}

    async def receive() -> dict[str, str]:
        return message

    async def send(message: MutableMapping[str, Any]) -> None:
        pass

    async def dispatch(message: Mapping[str, Any]) -> None:
        pass

    handling = Handling(1, ledger)
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


def _compare(what: str, off: Sequence[Measured], on: Sequence[Measured]) -> dict[str, object]:
    """Print and return the cost as shares, with 95 % intervals over the sets; below 0 the probe seems to help."""
    slower = ratio([run.messages_per_s for run in off], [run.messages_per_s for run in on])
    dearer = ratio([run.cpu_us for run in on], [run.cpu_us for run in off])
    print(
        f"{what}: {_verdict(slower, dearer)}: throughput lower by {_shares(slower)}, "
        f"server CPU a message higher by {_shares(dearer)}; {len(on)} sets, limit {LIMIT:.0%}"
    )
    return {
        "messages_per_s_off": location_of([run.messages_per_s for run in off]).estimate,
        "messages_per_s_on": location_of([run.messages_per_s for run in on]).estimate,
        "cpu_us_off": location_of([run.cpu_us for run in off]).estimate,
        "cpu_us_on": location_of([run.cpu_us for run in on]).estimate,
        "throughput_cost": [slower.low - 1, slower.estimate - 1, slower.high - 1],
        "cpu_cost": [dearer.low - 1, dearer.estimate - 1, dearer.high - 1],
    }


def _shares(ratio: Interval) -> str:
    return f"{ratio.estimate - 1:+.1%} ({ratio.low - 1:+.1%} to {ratio.high - 1:+.1%})"


def _verdict(*ratios: Interval) -> str:
    if all(ratio.high - 1 <= LIMIT for ratio in ratios):
        return "met"
    return "MISSED" if any(ratio.low - 1 > LIMIT for ratio in ratios) else "not decided"


if __name__ == "__main__":
    main()
