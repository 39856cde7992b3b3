"""A fast echo server (picows on uvloop), so that a client is what is measured; prints its port, ends with its stdin.

A message "!burst <count> <bytes>" is answered with so many messages, as batched as TCP allows.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop
from picows import WSListener, WSMsgType, ws_create_server

BACKLOG = 4096


class Echo(WSListener):
    """Sends back what it gets."""

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
            transport.send(frame.msg_type, payload)


async def burst(transport: Any, count: int, payload: bytes) -> None:
    head = bytes((0x81, len(payload)))
    batch = (head + payload) * 500
    raw = transport.underlying_transport
    for _ in range(count // 500):
        raw.write(batch)
        while raw.get_write_buffer_size() > 1 << 18:
            await asyncio.sleep(0)


async def main() -> None:
    server = await ws_create_server(lambda _: Echo(), "127.0.0.1", 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main())
