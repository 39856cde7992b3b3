"""A fast server (picows on uvloop), so that a client is what is measured; prints its port, ends with its stdin.

Each message comes back to its sender; on a path with "/room/" in it, to everybody connected on that path. A message
"!burst <count> <bytes>" is answered with so many messages, as batched as TCP allows. A line on stdin is answered with a
line of JSON: how many connections are open, and how many messages have been sent. With "awake" it never sleeps.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import defaultdict
from typing import Any

import uvloop
from picows import WSListener, WSMsgType, ws_create_server

BACKLOG = 4096
ROOM = b"/room/"
AWAKE = "awake"


class Count:
    """What is counted over all connections."""

    connections = 0
    sent = 0


class Echo(WSListener):
    """Sends back what it gets."""

    def on_ws_connected(self, transport: Any) -> None:
        Count.connections += 1

    def on_ws_disconnected(self, transport: Any) -> None:
        Count.connections -= 1

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        if frame.msg_type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            if frame.msg_type == WSMsgType.CLOSE:
                transport.send_close(frame.get_close_code(), b"")
                transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        if payload[:6] == b"!burst":
            _, count, size = payload.split()
            asyncio.get_running_loop().create_task(burst(transport, int(count), b"b" * int(size)))
        else:
            self.answer(transport, frame.msg_type, payload)

    def answer(self, transport: Any, kind: WSMsgType, payload: bytes) -> None:
        Count.sent += 1
        transport.send(kind, payload)


class Member(Echo):
    """Sends what it gets to all of its room."""

    def __init__(self, room: set[Any]) -> None:
        self._room = room

    def on_ws_connected(self, transport: Any) -> None:
        super().on_ws_connected(transport)
        self._room.add(transport)

    def on_ws_disconnected(self, transport: Any) -> None:
        super().on_ws_disconnected(transport)
        self._room.discard(transport)

    def answer(self, transport: Any, kind: WSMsgType, payload: bytes) -> None:
        Count.sent += len(self._room)
        for member in self._room:
            member.send(kind, payload)


async def burst(transport: Any, count: int, payload: bytes) -> None:
    head = bytes((0x81, len(payload)))
    batch = (head + payload) * 500
    raw = transport.underlying_transport
    for _ in range(count // 500):
        raw.write(batch)
        while raw.get_write_buffer_size() > 1 << 18:
            await asyncio.sleep(0)


async def main() -> None:
    logging.disable(logging.WARNING)  # each write to a member that was just dropped warns
    rooms: defaultdict[bytes, set[Any]] = defaultdict(set)

    def listener(request: Any) -> WSListener:
        return Member(rooms[request.path]) if ROOM in request.path else Echo()

    server = await ws_create_server(listener, "127.0.0.1", 0, backlog=BACKLOG)
    if sys.argv[1:] == [AWAKE]:
        stay_awake(asyncio.get_running_loop())
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, answer_questions)


def stay_awake(loop: asyncio.AbstractEventLoop) -> None:
    """Never wait for a message: whoever sends to a process that sleeps pays for waking it, 2 to 3 µs here.

    A fast client never lets its server sleep, and a slow one pays for each message.
    """
    loop.call_soon(stay_awake, loop)


def answer_questions() -> None:
    """Until stdin ends; a thread that waits there costs nothing."""
    for _ in sys.stdin:
        print(json.dumps({"connections": Count.connections, "sent": Count.sent}), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
