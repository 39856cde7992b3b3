"""Each drop kind over TLS: what test_drops.py proves of it on TCP alone holds inside of a TLS session too.

The recording server sees both layers: what was decrypted, whether close_notify came, and whether FIN or RST ended it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadtest.drops import DROPS, Drop, find_drop
from loadtest.wire import Closure, Connection, open_connection
from tests.live import test_drops
from tests.live.test_drops import ENDS, OVER_AT_ONCE, POKE, finish, look, possible, settled, unread_bytes
from tests.live.wire_processes import HERE, Helper, helper, wait_until

pytestmark = pytest.mark.live

CERTIFICATES = HERE / "wire_certificates"
CA_FILE = str(CERTIFICATES / "ca.pem")
KINDS = DROPS
"""All that act on a connection and leave this process alive."""
PING_BYTES = 5 + (2 + len(POKE)) + 1 + 16
"""A poke in TLS 1.3: header of the record, the frame, content type, tag (RFC 8446 5.2)."""

ONE_PACKET_BYTES = 40_000
"""The kernel takes one packet more than a buffer that was made smaller holds; on loopback it is 32 KiB long at most."""


@pytest.fixture(scope="module")
def plain() -> Iterator[Helper]:
    with helper("wire_recorder.py") as process:
        yield process


@pytest.fixture(scope="module")
def secure() -> Iterator[Helper]:
    with helper("wire_recorder.py", str(CERTIFICATES / "server.pem")) as process:
        yield process


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Drop:
    return possible(request.param)


@pytest.fixture(autouse=True)
def leaves_nothing(plain: Helper, secure: Helper) -> Iterator[None]:
    """No file descriptor, no active watcher and no greenlet outlives a test; what was there before may end."""
    before = left()
    yield
    wait_until(
        lambda: all(now <= then for now, then in zip(left(), before, strict=True)),
        lambda: f"no more descriptors, watchers and greenlets than before, {before}; now {left()}",
    )


def left() -> tuple[int, int, int]:
    gc.collect()
    found = (thing for thing in gc.get_objects() if issubclass(type(thing), gevent.Greenlet))  # a weak proxy is none
    greenlets = sum(not greenlet.dead for greenlet in found)
    return len(list(Path("/proc/self/fd").iterdir())), gevent.get_hub().loop.activecnt, greenlets


def ready_for(kind: Drop, recorder: Helper, path: str, scheme: str = "wss") -> Connection:
    """Bring a connection to where the drop acts."""
    return test_drops.ready_for(kind, recorder, path, scheme=scheme, ca_file=CA_FILE)


def dropped(kind: Drop, recorder: Helper, path: str, scheme: str = "wss") -> dict[str, Any]:
    """Drop one connection and give what the recorder saw of it."""
    connection = ready_for(kind, recorder, path, scheme)
    kind.drop(connection)
    finish(kind, recorder, connection)
    report: dict[str, Any] = recorder.report()
    wait_until(lambda: connection.released, "the descriptor's release")
    return report


def said(report: dict[str, Any]) -> tuple[object, ...]:
    """What was said and how it ended, without what chance and the port have in it."""
    data = bytes.fromhex(report["bytes"])
    if not report["path"]:  # a request that was never whole
        return data.partition(b"\r\n")[0], b"\r\n\r\n" in data, report["end"]
    return report["path"], tuple(unmasked(data)), report["end"]


def unmasked(data: bytes) -> Iterator[bytes]:
    """Each frame without its mask key; the last may be cut."""
    while data:
        length = data[1] & 0x7F if len(data) > 1 else 0
        head = 2 + {126: 2, 127: 8}.get(length, 0)
        length = int.from_bytes(data[2:head]) if head > 2 else length
        has_key = len(data) > 1 and data[1] & 0x80
        payload = data[head + 4 : head + 4 + length] if has_key else data[head : head + length]
        key = data[head : head + 4] if has_key else bytes(4)
        yield data[:head] + bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))
        data = data[head + (4 if has_key else 0) + length :]


# the contract that every kind keeps


def test_drop_over_tls_says_inside_of_it_what_it_says_on_tcp_and_ends_the_same(
    plain: Helper, secure: Helper, kind: Drop
) -> None:
    on_tcp = dropped(kind, plain, "/answer", "ws")
    over_tls = dropped(kind, secure, "/answer")
    assert said(over_tls) == said(on_tcp)
    assert over_tls["end"] == ENDS[kind.name], kind.wire
    assert over_tls["close_notify"] is False


def test_drop_over_tls_while_messages_come_has_the_same_end_and_hands_nothing_on(secure: Helper, kind: Drop) -> None:
    ended: list[Closure] = []
    received: list[Any] = []
    connection = ready_for(kind, secure, "/flood")
    connection.on_closed = lambda _, closure: ended.append(closure)
    if kind.stage == "open":
        connection.on_message = lambda *arguments: received.append(arguments)
        connection.send("before")
        wait_until(lambda: len(received) > 10, "the flood")

    kind.drop(connection)

    assert not connection.open
    seen = len(received)
    kind.drop(connection)  # once more does nothing
    finish(kind, secure, connection)
    report = secure.report()
    assert (report["end"], report["close_notify"]) == (ENDS[kind.name], False), kind.wire
    wait_until(lambda: connection.released, "the descriptor's release")
    assert len(received) == seen
    assert ended == [] or kind.holds, "an end that we brought about is told to nobody"


def test_drop_over_tls_when_the_peer_was_faster_does_nothing(secure: Helper, kind: Drop) -> None:
    connection = open_connection(f"wss://127.0.0.1:{secure.port}/answer", ca_file=CA_FILE)
    connection.close()
    secure.report()
    kind.drop(connection)
    assert connection.released


def test_drop_over_tls_of_ten_at_once_needs_no_switch(secure: Helper, kind: Drop) -> None:
    connections = [ready_for(kind, secure, "/answer") for _ in range(10)]
    switches: list[object] = []
    watcher = gevent.spawn(lambda: switches.append("another greenlet ran"))

    for connection in connections:
        kind.drop(connection)

    assert switches == []
    watcher.join()
    finish(kind, secure, *connections)
    assert [secure.report()["end"] for _ in connections] == [ENDS[kind.name]] * 10
    wait_until(lambda: all(connection.released for connection in connections), "the release of all")


@pytest.mark.parametrize("name", OVER_AT_ONCE)
def test_drop_over_tls_that_waits_for_nobody_is_over_when_it_returns(secure: Helper, name: str) -> None:
    kind = possible(find_drop(name))
    connection = ready_for(kind, secure, "/answer")
    kind.drop(connection)
    assert connection.released
    finish(kind, secure, connection)
    secure.report()


# what TLS could have made different


@pytest.mark.parametrize(
    "name", ["midframe:1", "midframe:7", "midframe-rst:83", "close:4001:gone home", "burst-close:3"]
)
def test_drop_over_tls_when_it_has_a_parameter_keeps_it(plain: Helper, secure: Helper, name: str) -> None:
    kind = find_drop(name)
    assert said(dropped(kind, secure, "/answer")) == said(dropped(kind, plain, "/answer", "ws"))


def test_burst_close_over_tls_when_it_fills_many_records_arrives_whole(secure: Helper) -> None:
    report = dropped(find_drop("burst-close:10000"), secure, "/answer")
    frames = list(unmasked(bytes.fromhex(report["bytes"])))
    assert (len(frames), frames[-1], report["end"]) == (10001, b"\x88\x82\x03\xe8", "fin")


def test_fin_over_tls_when_our_write_queue_is_full_still_ends_as_named(secure: Helper) -> None:
    connection = ready_for(DROPS["fin"], secure, "/quiet")
    for _ in range(10):
        connection.send("x" * 60000)
    DROPS["fin"].drop(connection)
    report = secure.report()
    assert (report["end"], report["close_notify"]) == ("fin", False)
    assert len(report["bytes"]) // 2 == 10 * (60000 + 8), "what was queued went first"
    wait_until(lambda: connection.released, "the release")


def test_half_close_over_tls_reads_on_until_the_server_ends_it(secure: Helper) -> None:
    ended: list[Closure] = []
    connection = ready_for(DROPS["half-close"], secure, "/flood")
    connection.on_closed = lambda _, closure: ended.append(closure)
    DROPS["half-close"].drop(connection)
    assert secure.report()["end"] == "fin"
    wait_until(lambda: ended, "the server's end")
    assert (ended[0].by, connection.released) == ("peer", True)


# the silent ones


def test_zombie_over_tls_when_pinged_acknowledges_and_does_not_answer(secure: Helper) -> None:
    connection = ready_for(DROPS["zombie"], secure, "/quiet")
    DROPS["zombie"].drop(connection)
    secure.order("poke")
    wait_until(lambda: unread_bytes(connection) == PING_BYTES, "the ping")
    seen = look(secure, lambda seen: seen["unacked"] == 0)
    assert (seen["bytes"], seen["end"]) == ("", "")
    connection.reset()
    assert secure.report()["end"] == "rst"


def test_never_reader_over_tls_when_flooded_takes_in_far_less_than_a_zombie(secure: Helper) -> None:
    taken: dict[str, int] = {}
    for name in ("zombie", "never-reader"):
        connection = ready_for(DROPS[name], secure, "/quiet")
        DROPS[name].drop(connection)
        secure.order("flood")
        taken[name] = settled(partial(unread_bytes, connection))
        connection.reset()
        assert secure.report()["end"] == "rst"
    assert 0 < taken["never-reader"] < ONE_PACKET_BYTES < 50_000 < taken["zombie"]


def test_slow_reader_over_tls_takes_a_whole_record_at_a_time_and_does_not_answer(secure: Helper) -> None:
    kind = find_drop("slow-reader:4")
    connection = ready_for(kind, secure, "/quiet")
    kind.drop(connection)
    secure.order("poke")
    wait_until(lambda: unread_bytes(connection) == PING_BYTES, "the ping")
    wait_until(lambda: unread_bytes(connection) == 0, "the first read, a second later")
    seen = look(secure, lambda seen: seen["unacked"] == 0)
    assert (seen["bytes"], connection.released) == ("", False)
    connection.reset()
    assert secure.report()["end"] == "rst"


@pytest.mark.parametrize("name", ["half-close", "slow-reader:1000"])
def test_held_over_tls_when_the_server_gives_up_tells_its_code(secure: Helper, name: str) -> None:
    ended: list[Closure] = []
    kind = find_drop(name)
    connection = ready_for(kind, secure, "/answer")
    connection.on_closed = lambda _, closure: ended.append(closure)
    kind.drop(connection)
    secure.order("end")
    wait_until(lambda: ended, "the server's end")
    assert (ended[0].code, ended[0].by, connection.released) == (1006, "peer", True)
    secure.report()


def test_vanish_over_tls_sends_nothing_until_the_server_does(secure: Helper) -> None:
    kind = possible(DROPS["vanish"])
    connection = ready_for(kind, secure, "/quiet")
    kind.drop(connection)
    assert connection.released
    assert look(secure, lambda _: True)["end"] == ""
    secure.order("poke")
    assert secure.report() == {"path": "/quiet", "bytes": "", "end": "rst", "close_notify": False}


def test_blackhole_over_tls_when_pinged_acknowledges_nothing(secure: Helper) -> None:
    kind = possible(DROPS["blackhole"])
    connection = ready_for(kind, secure, "/quiet")
    kind.drop(connection)
    secure.order("poke")
    seen = look(secure, lambda seen: seen["unacked"] > 0)
    assert (seen["bytes"], unread_bytes(connection)) == ("", 0)
    connection.reset()
    assert secure.report()["end"] == "rst"
