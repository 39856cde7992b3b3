"""Each drop kind's wire effect, proven by a plain TCP server in another process that records what arrives."""

from __future__ import annotations

import fcntl
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadtest.drops import DROPS, Drop, DropError, find_drop
from loadtest.drops.handmade import FIN, MASKED, TEXT
from loadtest.wire import Closure, Connection, open_connection, open_until
from tests.live.wire_processes import Helper, helper, wait_until

pytestmark = pytest.mark.live

ENDS = {
    "accept-gone": "rst",
    "bad-opcode": "fin",
    "bad-utf8": "fin",
    "blackhole": "rst",  # of the letting go
    "burst-close": "fin",
    "close": "fin",
    "close-nowait": "fin",
    "fin": "fin",
    "half-close": "fin",
    "midframe": "fin",
    "midframe-rst": "rst",
    "never-reader": "rst",  # of the letting go
    "oversized": "fin",
    "rst": "rst",
    "slow-reader": "rst",  # of the letting go
    "unmasked": "fin",
    "unread": "rst",
    "upgrade-gone": "fin",
    "upgrade-half": "fin",
    "vanish": "rst",  # of the next packet
    "zombie": "rst",  # of the letting go
}
OF_A_PROCESS = ("fin", "rst")
"""What ends a whole process with all it holds: how a connection ends on which nothing waits unread, and one with."""
LEFT_TO_THE_SERVER = ("unmasked", "bad-utf8", "bad-opcode", "oversized")
OVER_AT_ONCE = ("rst", "midframe-rst", "close-nowait", "upgrade-gone", "accept-gone", "vanish")
POKE = b"poke"


@pytest.fixture(scope="module")
def recorder() -> Iterator[Helper]:
    with helper("wire_recorder.py") as process:
        yield process


@pytest.fixture(params=ENDS)
def kind(request: pytest.FixtureRequest) -> Drop:
    return possible(DROPS[request.param])


def possible(kind: Drop) -> Drop:
    if why := kind.unavailable():
        pytest.skip(why)
    return kind


def ready_for(kind: Drop, recorder: Helper, path: str, *, scheme: str = "ws", ca_file: str | None = None) -> Connection:
    """Bring a connection to where the drop acts."""
    url = f"{scheme}://127.0.0.1:{recorder.port}{path}"
    if kind.stage == "open":
        return open_connection(url, ca_file=ca_file, on_message=lambda *_: None)
    return open_until(kind.stage, url, ca_file=ca_file)


def finish(kind: Drop, recorder: Helper, *connections: Connection) -> None:
    """Do what else it takes for the recorder to see an end."""
    if kind.holds:
        for connection in connections:
            connection.reset()
    elif kind.name == "vanish":
        recorder.order("poke")
    elif kind.name in LEFT_TO_THE_SERVER:
        recorder.order("end")


def dropped(recorder: Helper, name: str, path: str = "/answer") -> tuple[bytes, str]:
    """Drop one connection and give what the recorder saw of it: its bytes, and how it ended."""
    kind = possible(find_drop(name))
    connection = ready_for(kind, recorder, path)
    kind.drop(connection)
    finish(kind, recorder, connection)
    report = recorder.report()
    return bytes.fromhex(report["bytes"]), report["end"]


def payload_of(frame: bytes) -> bytes:
    """The payload of a short masked frame."""
    key = frame[2:6]
    return bytes(byte ^ key[position % 4] for position, byte in enumerate(frame[6:]))


def unread_bytes(connection: Connection) -> int:
    """How much waits in the kernel to be read."""
    buffer = fcntl.ioctl(connection._socket.fileno(), termios.FIONREAD, struct.pack("i", 0))
    (waiting,) = struct.unpack("i", buffer)
    return int(waiting)


def look(recorder: Helper, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Ask the recorder for the one connection that is open until the condition holds of it."""
    seen: dict[str, Any] = {}

    def holds() -> bool:
        recorder.order("look")
        seen.update(recorder.report())
        return bool(condition(seen))

    wait_until(holds, f"what was looked for; seen last: {seen}")
    return seen


# the contract that every kind keeps


def test_drops_when_listed_then_each_has_an_end_that_is_proven_here() -> None:
    assert ENDS.keys() == DROPS.keys()


@pytest.mark.parametrize("path", ["/answer", "/flood"])
def test_drop_leaves_nothing_behind_and_hands_nothing_on(recorder: Helper, kind: Drop, path: str) -> None:
    ended: list[Closure] = []
    received: list[Any] = []
    descriptors = open_descriptors()
    connection = ready_for(kind, recorder, path)
    connection.on_closed = lambda _, closure: ended.append(closure)
    if kind.stage == "open":
        connection.on_message = lambda *arguments: received.append(arguments)
        connection.send("before")
        if path == "/flood":
            wait_until(lambda: len(received) > 10, "the flood")

    kind.drop(connection)

    assert not connection.open
    seen = len(received)
    kind.drop(connection)  # once more does nothing
    finish(kind, recorder, connection)
    report = recorder.report()
    assert report["end"] == ENDS[kind.name], kind.wire
    wait_until(lambda: connection.released, "the descriptor's release")
    assert open_descriptors() == descriptors
    assert len(received) == seen
    assert ended == [] or kind.holds, "an end that we brought about is told to nobody"


def test_drop_when_the_peer_was_faster_does_nothing(recorder: Helper, kind: Drop) -> None:
    connection = open_connection(f"ws://127.0.0.1:{recorder.port}/answer")
    connection.close()
    recorder.report()
    kind.drop(connection)
    assert connection.released


def test_drop_of_a_hundred_at_once_needs_no_switch(recorder: Helper, kind: Drop) -> None:
    connections = [ready_for(kind, recorder, "/answer") for _ in range(100)]
    switches: list[object] = []
    watcher = gevent.spawn(lambda: switches.append("another greenlet ran"))

    for connection in connections:
        kind.drop(connection)

    assert switches == []
    watcher.join()
    finish(kind, recorder, *connections)
    ends = [recorder.report()["end"] for _ in connections]
    assert ends == [ENDS[kind.name]] * 100
    wait_until(lambda: all(connection.released for connection in connections), "the release of all")


@pytest.mark.parametrize("name", OVER_AT_ONCE)
def test_drop_that_waits_for_nobody_is_over_when_it_returns(recorder: Helper, name: str) -> None:
    kind = possible(find_drop(name))
    connection = ready_for(kind, recorder, "/answer")
    kind.drop(connection)
    assert connection.released
    finish(kind, recorder, connection)
    recorder.report()


# what each one looks like on the wire


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("close", b"\x03\xe8"),
        ("close:1001", b"\x03\xe9"),
        ("close:4001:gone home: now", b"\x0f\xa1gone home: now"),
    ],
)
def test_close_sends_one_close_frame_and_leaves_the_first_fin_to_the_server(
    recorder: Helper, name: str, payload: bytes
) -> None:
    kind = find_drop(name)
    connection = ready_for(kind, recorder, "/answer")
    kind.drop(connection)
    report = recorder.report()
    frame = bytes.fromhex(report["bytes"])
    assert (frame[0], payload_of(frame), report["end"]) == (0x88, payload, "fin")
    assert report["path"] == "/answer answered"
    assert f"{payload[0] * 256 + payload[1]}" in kind.wire
    assert kind.name == name


def test_close_nowait_sends_close_frame_and_fin_and_is_deaf_to_the_answer(recorder: Helper) -> None:
    frame, end = dropped(recorder, "close-nowait", "/quiet")
    assert (frame[:2], payload_of(frame), end) == (b"\x88\x82", b"\x03\xe8", "fin")


def test_fin_sends_whole_frames_only(recorder: Helper) -> None:
    connection = ready_for(DROPS["fin"], recorder, "/quiet")
    connection.send("last words")
    DROPS["fin"].drop(connection)
    report = recorder.report()
    frame = bytes.fromhex(report["bytes"])
    assert (frame[:2], payload_of(frame), report["end"]) == (b"\x81\x8a", b"last words", "fin")


def test_fin_when_our_write_queue_is_full_still_ends_as_named(recorder: Helper) -> None:
    connection = ready_for(DROPS["fin"], recorder, "/flood")
    gevent.sleep(0)
    payload = b"x" * 60000
    for _ in range(10):
        connection.send(payload)
    DROPS["fin"].drop(connection)
    report = recorder.report()
    assert report["end"] == "fin"
    assert len(report["bytes"]) // 2 == 10 * (60000 + 8), "what was queued went first"


def test_half_close_sends_fin_and_reads_on_until_the_server_ends_it(recorder: Helper) -> None:
    ended: list[Closure] = []
    connection = ready_for(DROPS["half-close"], recorder, "/flood")
    connection.on_closed = lambda _, closure: ended.append(closure)
    DROPS["half-close"].drop(connection)
    assert recorder.report()["end"] == "fin"
    wait_until(lambda: ended, "the server's end")
    assert (ended[0].by, connection.released) == ("peer", True)


@pytest.mark.parametrize("name", ["rst", "accept-gone"])
def test_reset_sends_nothing_before_it(recorder: Helper, name: str) -> None:
    assert dropped(recorder, name, "/quiet") == (b"", "rst")


@pytest.mark.parametrize(("name", "end"), [("midframe", "fin"), ("midframe-rst", "rst")])
def test_midframe_cuts_inside_a_text_frame(recorder: Helper, name: str, end: str) -> None:
    frame, seen_end = dropped(recorder, name, "/quiet")
    promised = 6 + (frame[1] & 0x7F)
    assert frame[0] == 0x81
    assert 6 < len(frame) == promised // 2
    assert seen_end == end


@pytest.mark.parametrize("name", ["midframe", "midframe-rst"])
@pytest.mark.parametrize("sent", [1, 2, 7, 83])
def test_midframe_when_told_where_cuts_there(recorder: Helper, name: str, sent: int) -> None:
    frame, _ = dropped(recorder, f"{name}:{sent}", "/quiet")
    assert len(frame) == sent


def test_upgrade_half_sends_half_of_a_request(recorder: Helper) -> None:
    kind = DROPS["upgrade-half"]
    kind.drop(ready_for(kind, recorder, "/answer"))
    report = recorder.report()
    request = bytes.fromhex(report["bytes"])
    assert (report["path"], report["end"]) == ("", "fin")
    assert request.startswith(b"GET /answer HTTP/1.1\r\n")
    assert b"\r\n\r\n" not in request


def test_upgrade_gone_sends_a_whole_request_and_fin_without_an_answer(recorder: Helper) -> None:
    kind = DROPS["upgrade-gone"]
    kind.drop(ready_for(kind, recorder, "/unanswered"))
    assert recorder.report() == {"path": "/unanswered", "bytes": "", "end": "fin"}


def test_unread_resets_on_what_nobody_read(recorder: Helper) -> None:
    frame, end = dropped(recorder, "unread", "/answer")
    assert (frame[0], len(frame), end) == (0x89, 6, "rst")


def test_unread_when_nothing_comes_ends_all_the_same(recorder: Helper) -> None:
    connection = ready_for(DROPS["unread"], recorder, "/quiet")
    connection.close_unread(timeout_s=0.05)
    assert recorder.report()["end"] == "fin"
    assert connection.released


@pytest.mark.parametrize(("name", "messages"), [("burst-close", 10), ("burst-close:3", 3)])
def test_burst_close_sends_its_messages_and_the_close_frame_in_one(recorder: Helper, name: str, messages: int) -> None:
    data, end = dropped(recorder, name)
    size = 6 + (data[1] & 0x7F)
    frames = [data[place : place + size] for place in range(0, messages * size, size)]
    assert {payload_of(frame) for frame in frames} == {b'{"message": "one of a burst"}'}
    close = data[messages * size :]
    assert (close[:2], payload_of(close), end) == (b"\x88\x82", b"\x03\xe8", "fin")


def test_sigkill_ends_all_connections_of_a_process_and_says_goodbye_on_none(recorder: Helper) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", HOLDER, f"ws://127.0.0.1:{recorder.port}"], timeout=30, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    reports = {report["path"].split(" ")[0]: report for report in (recorder.report() for _ in range(3))}
    quiet, unread = OF_A_PROCESS
    assert {path: report["end"] for path, report in reports.items()} == {
        "/quiet": quiet, "/answer": quiet, "/flood": unread
    }  # fmt: skip
    assert {report["bytes"] for report in reports.values()} == {""}


HOLDER = """
import os, sys, gevent
from loadtest.outages import OUTAGES
from loadtest.wire import open_connection
class ThisProcess:
    def signal(self, number):
        os.kill(os.getpid(), number)
held = [open_connection(sys.argv[1] + path, on_message=lambda *_: None) for path in ("/quiet", "/answer", "/flood")]
held[-1].pause_reading()
gevent.sleep(0.2)  # long enough for some of the flood to wait
OUTAGES["sigkill"].begin(ThisProcess())
"""
"""Holds three connections, reads nothing of the last one, and kills itself."""


def test_unmasked_sends_a_whole_text_frame_without_a_mask(recorder: Helper) -> None:
    frame, end = dropped(recorder, "unmasked", "/quiet")
    assert (frame[0], frame[1], end) == (FIN | TEXT, len(frame) - 2, "fin")
    assert frame[2:].decode() == '{"message": "without a mask"}'


def test_bad_utf8_sends_a_right_frame_around_what_is_no_text(recorder: Helper) -> None:
    frame, end = dropped(recorder, "bad-utf8", "/quiet")
    assert (frame[0], frame[1], end) == (FIN | TEXT, MASKED | (len(frame) - 6), "fin")
    with pytest.raises(UnicodeDecodeError):
        payload_of(frame).decode()


def test_bad_opcode_sends_a_right_frame_of_a_reserved_kind(recorder: Helper) -> None:
    frame, end = dropped(recorder, "bad-opcode", "/quiet")
    assert (frame[0], frame[1], end) == (FIN | 0x3, MASKED | (len(frame) - 6), "fin")


def test_oversized_promises_a_tebibyte(recorder: Helper) -> None:
    frame, end = dropped(recorder, "oversized", "/quiet")
    assert (frame[:2], int.from_bytes(frame[2:10], "big"), len(frame), end) == (b"\x81\xff", 1 << 40, 14 + 1024, "fin")


# the silent ones


def test_zombie_when_pinged_acknowledges_and_does_not_answer(recorder: Helper) -> None:
    connection = ready_for(DROPS["zombie"], recorder, "/quiet")
    DROPS["zombie"].drop(connection)
    recorder.order("poke")
    wait_until(lambda: unread_bytes(connection) == len(POKE) + 2, "the ping")
    seen = look(recorder, lambda seen: seen["unacked"] == 0)
    assert (seen["bytes"], seen["end"]) == ("", "")
    connection.reset()
    assert recorder.report()["end"] == "rst"


def test_never_reader_when_flooded_takes_in_a_few_kilobytes(recorder: Helper) -> None:
    taken: dict[str, int] = {}
    for name in ("zombie", "never-reader"):
        connection = ready_for(DROPS[name], recorder, "/quiet")
        DROPS[name].drop(connection)
        recorder.order("flood")
        taken[name] = settled(partial(unread_bytes, connection))
        connection.reset()
        assert recorder.report()["end"] == "rst"
    assert 0 < taken["never-reader"] < 20_000 < 50_000 < taken["zombie"]


def settled(measure: Callable[[], int]) -> int:
    """Measure until it is more than nothing and the same for 20 times."""
    seen: list[int] = []

    def is_settled() -> bool:
        seen.append(measure())
        return seen[-1] > 0 and seen[-20:] == [seen[-1]] * 20

    wait_until(is_settled, "a figure that stays")
    return seen[-1]


def test_slow_reader_when_pinged_reads_bit_by_bit_and_does_not_answer(recorder: Helper) -> None:
    kind = find_drop("slow-reader:4")
    connection = ready_for(kind, recorder, "/quiet")
    kind.drop(connection)
    recorder.order("poke")
    wait_until(lambda: unread_bytes(connection) == 6, "the ping")
    wait_until(lambda: unread_bytes(connection) == 2, "the first four bytes read, a second later")
    seen = look(recorder, lambda seen: seen["unacked"] == 0)
    assert (seen["bytes"], connection.released) == ("", False)
    connection.reset()
    assert recorder.report()["end"] == "rst"


@pytest.mark.parametrize("name", ["half-close", "slow-reader:1000"])
def test_held_when_the_server_gives_up_tells_its_code(recorder: Helper, name: str) -> None:
    ended: list[Closure] = []
    kind = find_drop(name)
    connection = ready_for(kind, recorder, "/answer")
    connection.on_closed = lambda _, closure: ended.append(closure)
    kind.drop(connection)
    recorder.order("end")
    wait_until(lambda: ended, "the server's end")
    assert (ended[0].code, ended[0].by, connection.released) == (1006, "peer", True)
    recorder.report()


def test_vanish_sends_nothing_until_the_server_does(recorder: Helper) -> None:
    kind = possible(DROPS["vanish"])
    connection = ready_for(kind, recorder, "/quiet")
    kind.drop(connection)
    assert connection.released
    assert look(recorder, lambda _: True)["end"] == ""
    recorder.order("poke")
    assert recorder.report() == {"path": "/quiet", "bytes": "", "end": "rst"}


def test_blackhole_when_pinged_acknowledges_nothing(recorder: Helper) -> None:
    kind = possible(DROPS["blackhole"])
    connection = ready_for(kind, recorder, "/quiet")
    kind.drop(connection)
    recorder.order("poke")
    look(recorder, lambda seen: seen["unacked"] > 0)
    gevent.sleep(0.3)  # a retransmission or two, which any kernel that heard them would answer
    seen = look(recorder, lambda _: True)
    assert (seen["bytes"], seen["unacked"] > 0, unread_bytes(connection)) == ("", True, 0)
    connection.reset()
    assert recorder.report()["end"] == "rst"


def test_held_when_many_are_held_keeps_the_hub_idle(recorder: Helper) -> None:
    names = ("zombie", "never-reader", "slow-reader", "half-close", "blackhole")
    kinds = [kind for kind in map(find_drop, names) if kind.unavailable() is None]
    held = [ready_for(kind, recorder, "/quiet") for kind in kinds for _ in range(20)]
    for kind, connection in zip([kind for kind in kinds for _ in range(20)], held, strict=True):
        kind.drop(connection)
    watching = [connection for connection in held if connection._reader.active and not connection.released]
    assert len(watching) <= 20, "only the half-closed ones read as things come"
    for connection in held:
        connection.reset()
    for _ in held:
        recorder.report()


# names


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nope", "unknown drop 'nope'; there are accept-gone, "),
        ("rst:1", "'rst:1': the drop rst takes nothing after its name"),
        ("close:1005", "'close:1005': '1005' is no close code that may be sent"),
        ("close:", "write close[:CODE[:REASON]]"),
        ("close:4001:" + "x" * 124, "a reason has at most 123 bytes"),
        ("close:4001:a\nb", "all printable"),
        ("midframe:0", "'0' is not a whole number from 1 to 83; write midframe[:BYTES]"),
        ("midframe-rst:84", "not a whole number"),
        ("burst-close:-1", "not a whole number"),
        ("slow-reader:x", "not a whole number"),
    ],
)
def test_find_drop_when_there_is_none_says_what_there_is(name: str, complaint: str) -> None:
    with pytest.raises(DropError) as caught:
        find_drop(name)
    assert complaint in str(caught.value)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
