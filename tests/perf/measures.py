"""The table of what is measured: a row is one scenario that each client goes through in turn."""

from __future__ import annotations

from dataclasses import dataclass

WIRE = "wire"
WIRE_STATISTICS = "wire+statistics"
WIRE_EVENTS = "wire+events"
WIRE_STOCK_TASKS = "wire, stock tasks"
PICOWS = "picows"
LOCUST = "locust"
LOCUSTFILE = "locustfile"
"""A locustfile of ours as the bench runs it, with a ledger: see rig.py."""
NO_LEDGER = "locustfile, no ledger"
AUDIT = "audit"
"""A measure without a client: see audit_cost.py."""

CLIENTS: dict[str, tuple[str, ...]] = {
    WIRE: ("tests.perf.wire_client",),
    WIRE_STATISTICS: ("tests.perf.wire_client", "--statistics"),
    WIRE_EVENTS: ("tests.perf.wire_client", "--events"),
    WIRE_STOCK_TASKS: ("tests.perf.wire_client", "--stock-tasks"),
    PICOWS: ("tests.perf.picows_client",),
    LOCUST: ("tests.perf.locust_client",),
}
"""Our wire, the same with Locust's statistics, picows on uvloop, plain Locust with websocket-client.

Two more show what our ways around Locust's insides bring: the wire with each message counted by an event of Locust's
own (users/statistics.py), and users with Locust's own task sets (users/lean.py).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One scenario. `figure` is what is compared: the less the better, unless `more_is_better`."""

    name: str
    scenario: str
    clients: tuple[str, ...]
    figure: str = "cpu_us_each"
    connections: int = 50
    payload_bytes: int = 64
    more_is_better: bool = False
    once: bool = False
    """Memory does not vary: one round is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What `client` must reach in `measure`: at most (or least) `bound`, or so many times what `times` has."""

    measure: str
    client: str
    figure: str
    bound: float
    times: str | None = None
    at_least: bool = False


MEASURES = (
    Measure(name="echo", scenario="echo", clients=(WIRE_STATISTICS, PICOWS, WIRE, WIRE_EVENTS, LOCUST)),
    Measure(name="echo 5,000", scenario="echo", clients=(WIRE_STATISTICS, PICOWS, LOCUST), connections=5000),
    Measure(name="echo 1 KiB", scenario="echo", clients=(WIRE_STATISTICS, PICOWS, LOCUST), payload_bytes=1 << 10),
    Measure(name="echo 64 KiB", scenario="echo", clients=(WIRE_STATISTICS, PICOWS, LOCUST), payload_bytes=1 << 16),
    Measure(name="open", scenario="open", clients=(WIRE, PICOWS, LOCUST), connections=1000),
    Measure(name="fan-out", scenario="fanout", clients=(WIRE, PICOWS, LOCUST)),
    Measure(
        name="idle",
        scenario="idle",
        clients=(WIRE, WIRE_STOCK_TASKS, PICOWS, LOCUST),
        figure="bytes_each",
        connections=5000,
        once=True,
    ),
    Measure(
        name="idle 15,000",
        scenario="idle",
        clients=(WIRE,),
        figure="bytes_each",
        connections=15_000,
        once=True,
    ),
)

TARGETS = (
    Target(measure="echo", client=WIRE_STATISTICS, figure="cpu_us_each", bound=1.4, times=PICOWS),
    Target(measure="echo", client=WIRE_STATISTICS, figure="per_s", bound=90_000, at_least=True),
    Target(measure="echo 5,000", client=WIRE_STATISTICS, figure="per_s", bound=67_500, at_least=True),
    Target(measure="rig echo", client=LOCUSTFILE, figure="cpu_us_each", bound=2.0, times=PICOWS),
    Target(measure="rig echo", client=NO_LEDGER, figure="cpu_us_each", bound=2.0, times=PICOWS),
    Target(measure="open", client=WIRE, figure="cpu_us_each", bound=200),
    Target(measure="fan-out", client=WIRE, figure="per_s", bound=250_000, at_least=True),
    Target(measure="idle", client=WIRE, figure="bytes_each", bound=10 * 1024),
    Target(measure="idle 15,000", client=WIRE, figure="connections", bound=15_000, at_least=True),
    Target(measure=AUDIT, client=AUDIT, figure="seconds", bound=10.0),
    Target(measure=AUDIT, client=AUDIT, figure="peak_mb", bound=2000.0),
)
