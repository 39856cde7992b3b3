"""What each client process shares: its arguments, the measured window and the one JSON line it prints."""

from __future__ import annotations

import argparse
import gc
import json
import resource
import struct
import time
from dataclasses import dataclass
from pathlib import Path

WARM_UP_S = 0.5
SPAWN_RATE = 1000
FIRST_IDLERS = 50
"""Connections opened before memory is read for the first time: they pay for tables that all share."""

OFFLINE_S = 0.6
"""How long a dropped member stays away, as our locustfiles have it."""
ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST (socket(7))."""
PATIENCE_S = 120.0
SETTLE_S = 1.5
"""After the last has opened: all of them wait in their tasks then, and have gone round once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a client process is told to do."""

    scenario: str
    url: str
    connections: int
    payload_bytes: int
    seconds: float
    statistics: bool
    events: bool
    """Whether each message counts by an event of Locust's own, as its users do it, and not in batches."""
    stock_tasks: bool
    """Whether users keep Locust's own task sets."""
    rate: float
    """Messages a second that each member of a room sends."""
    room: int
    drop_share: float
    """Share of the members that is dropped each second."""

    @property
    def payload(self) -> str:
        return "x" * self.payload_bytes

    def room_url(self, member: int) -> str:
        """Where a member talks, as our locustfiles have it."""
        return f"{self.url}ws/async/room/room-{member // self.room}/"

    @property
    def dropped_each_second(self) -> int:
        return round(self.connections * self.drop_share)


def task_from_arguments() -> Task:
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=["echo", "open", "idle", "fanout", "talk"])
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--payload", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--statistics", action="store_true")
    parser.add_argument("--events", action="store_true")
    parser.add_argument("--stock-tasks", action="store_true")
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--room", type=int, default=10)
    parser.add_argument("--drop-share", type=float, default=0.0)
    given = parser.parse_args()
    return Task(
        scenario=given.scenario,
        url=given.url,
        connections=given.connections,
        payload_bytes=given.payload,
        seconds=given.seconds,
        statistics=given.statistics,
        events=given.events,
        stock_tasks=given.stock_tasks,
        rate=given.rate,
        room=given.room,
        drop_share=given.drop_share,
    )


class Window:
    """CPU and wall time between begin() and end()."""

    def begin(self, count: int = 0) -> None:
        gc.collect()
        self._count = count
        self._cpu_s = cpu_s()
        self._wall_s = time.perf_counter()

    def end(self, count: int, **more: float) -> dict[str, float]:
        wall_s = time.perf_counter() - self._wall_s
        spent_s = cpu_s() - self._cpu_s
        done = max(count - self._count, 1)
        return {"count": done, "per_s": done / wall_s, "cpu_us_each": spent_s / done * 1e6, **more}


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def tell(result: dict[str, float]) -> None:
    print(json.dumps(result), flush=True)
