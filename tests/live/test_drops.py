"""Each drop kind's wire effect, proven by a plain TCP server in another process that records what arrives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadtest.drops import DROPS, Drop
from loadtest.wire import Closure, Connection, open_connection
from tests.live.wire_processes import Helper, helper, wait_until

pytestmark = pytest.mark.live

EXPECTED_END = {"close": "fin", "fin": "fin", "midframe": "fin", "rst": "rst"}


@pytest.fixture(scope="module")
def recorder() -> Iterator[Helper]:
    with helper("wire_recorder.py") as process:
        yield process


def opened(recorder: Helper, path: str, received: list[Any] | None = None, **options: Any) -> Connection:
    return open_connection(
        f"ws://127.0.0.1:{recorder.port}{path}",
        on_message=lambda *arguments: received.append(arguments) if received is not None else None,
        **options,
    )


def unmasked(frame: bytes) -> bytes:
    """The payload of a short masked frame."""
    key = frame[2:6]
    return bytes(byte ^ key[position % 4] for position, byte in enumerate(frame[6:]))


@pytest.mark.parametrize("kind", DROPS.values(), ids=DROPS)
@pytest.mark.parametrize("path", ["/answer", "/flood"])
def test_drop_leaves_nothing_behind_and_is_told_by_nobody_but_the_caller(
    recorder: Helper, kind: Drop, path: str
) -> None:
    ended: list[Closure] = []
    received: list[Any] = []
    descriptors = open_descriptors()
    connection = opened(recorder, path, received, on_closed=lambda _, closure: ended.append(closure))
    connection.send("before")
    if path == "/flood":
        wait_until(lambda: len(received) > 10, "the flood")

    kind.drop(connection)

    assert not connection.open
    seen = len(received)
    report = recorder.report()
    assert report["end"] == EXPECTED_END[kind.name], kind.wire
    wait_until(lambda: connection.released, "the descriptor's release")
    assert open_descriptors() == descriptors
    assert len(received) == seen
    assert ended == []
    kind.drop(connection)  # once more does nothing


@pytest.mark.parametrize("kind", DROPS.values(), ids=DROPS)
def test_drop_when_the_peer_was_faster_does_nothing(recorder: Helper, kind: Drop) -> None:
    connection = opened(recorder, "/answer")
    connection.close()
    recorder.report()
    kind.drop(connection)
    assert connection.released


def test_close_when_dropped_sends_one_close_frame_and_leaves_the_first_fin_to_the_server(recorder: Helper) -> None:
    connection = opened(recorder, "/answer")
    DROPS["close"].drop(connection)
    report = recorder.report()
    frame = bytes.fromhex(report["bytes"])
    assert (frame[:2], unmasked(frame), report["end"]) == (b"\x88\x82", b"\x03\xe8", "fin")
    assert report["path"] == "/answered"


def test_fin_when_dropped_sends_whole_frames_only(recorder: Helper) -> None:
    connection = opened(recorder, "/quiet")
    connection.send("last words")
    DROPS["fin"].drop(connection)
    report = recorder.report()
    frame = bytes.fromhex(report["bytes"])
    assert (frame[:2], unmasked(frame), report["end"]) == (b"\x81\x8a", b"last words", "fin")


def test_rst_when_dropped_sends_nothing_before_it(recorder: Helper) -> None:
    connection = opened(recorder, "/quiet")
    DROPS["rst"].drop(connection)
    assert recorder.report() == {"path": "/quiet", "bytes": "", "end": "rst"}
    assert connection.released, "an abort leaves nothing to wait for"


def test_midframe_when_dropped_cuts_inside_a_text_frame(recorder: Helper) -> None:
    connection = opened(recorder, "/quiet")
    DROPS["midframe"].drop(connection)
    report = recorder.report()
    frame = bytes.fromhex(report["bytes"])
    promised = 6 + (frame[1] & 0x7F)
    assert frame[0] == 0x81
    assert 6 < len(frame) < promised
    assert report["end"] == "fin"


@pytest.mark.parametrize("kind", DROPS.values(), ids=DROPS)
def test_drop_of_a_hundred_at_once_needs_no_switch(recorder: Helper, kind: Drop) -> None:
    connections = [opened(recorder, "/answer") for _ in range(100)]
    switches: list[object] = []
    watcher = gevent.spawn(lambda: switches.append("another greenlet ran"))

    for connection in connections:
        kind.drop(connection)

    assert switches == []
    watcher.join()
    ends = [recorder.report()["end"] for _ in connections]
    assert ends == [EXPECTED_END[kind.name]] * 100
    wait_until(lambda: all(connection.released for connection in connections), "the release of all")


def test_drop_when_our_write_queue_is_full_still_ends_as_named(recorder: Helper) -> None:
    connection = opened(recorder, "/flood")
    gevent.sleep(0)
    payload = b"x" * 60000
    for _ in range(10):
        connection.send(payload)
    DROPS["fin"].drop(connection)
    report = recorder.report()
    assert report["end"] == "fin"
    assert len(report["bytes"]) // 2 == 10 * (60000 + 8), "what was queued went first"


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
