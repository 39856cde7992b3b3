"""Thousands of drops leave nothing behind: no descriptor, no watcher, no greenlet, no object, no memory."""

from __future__ import annotations

import gc
import itertools
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import gevent
import greenlet
import pytest

from loadtest.drops import DROPS
from loadtest.wire import Connection, open_connection
from tests.live.wire_processes import Helper, helper, wait_until

pytestmark = pytest.mark.live

SOAK = bool(os.environ.get("LOADTEST_SOAK"))
CYCLES = 20_000 if SOAK else 400
WARM_UP = 100  # fills the interpreter's and libev's own tables
BATCH = 20
KINDS = ("close", "fin", "midframe", "rst")  # those that need nobody to let go of them


@pytest.fixture(scope="module")
def server() -> Iterator[Helper]:
    with helper("wire_echo_server.py") as process:
        yield process


def test_drops_when_repeated_by_the_thousand_leave_everything_flat(server: Helper) -> None:
    kinds = itertools.cycle(DROPS[name] for name in KINDS)

    def cycle(count: int) -> None:
        for _ in range(count // BATCH):
            connections = [
                open_connection(f"ws://127.0.0.1:{server.port}/", on_message=lambda *_: None, on_closed=print)
                for _ in range(BATCH)
            ]
            for connection in connections:
                connection.send("before the drop")
                next(kinds).drop(connection)
            wait_until(lambda: all(connection.released for connection in connections), "the release")  # noqa: B023

    cycle(WARM_UP)
    before = counts()
    memory = resident_bytes()
    cycle(CYCLES)
    after = counts()
    assert after | {"greenlets": 0} == before | {"greenlets": 0}
    assert after["greenlets"] <= before["greenlets"], "fewer is well: a look-up's thread has ended"
    assert resident_bytes() - memory < 4 << 20


def counts() -> dict[str, int]:
    gevent.sleep(0)
    gc.collect()
    objects = gc.get_objects()
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "watchers": gevent.get_hub().loop.activecnt,
        "greenlets": sum(isinstance(one, greenlet.greenlet) and not one.dead for one in objects),
        "connections": sum(isinstance(one, Connection) for one in objects),
    }


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
