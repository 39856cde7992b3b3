"""An echo server of the websockets library in a process of its own; prints its port, ends when stdin does.

Messages that begin with "!" are orders: "!close 4001 bye", "!abort" (RST), "!burst 1000", "!ping", "!headers".
With an argument, a PEM file of a key and a certificate, it speaks TLS.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import ssl
import struct
import sys
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection, serve


async def handle(connection: ServerConnection) -> None:
    async for message in connection:
        if isinstance(message, str) and message.startswith("!"):
            await obey(connection, message[1:].split())
        else:
            await connection.send(message)


async def obey(connection: ServerConnection, order: list[str]) -> None:
    match order:
        case ["close", code, reason]:
            await connection.close(int(code), reason)
        case ["abort"]:
            raw = connection.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.transport.abort()
        case ["burst", count]:
            for number in range(int(count)):
                await connection.send(str(number))
        case ["ping"]:
            await (await connection.ping())
            await connection.send("pong came")
        case ["headers"]:
            request = connection.request
            assert request is not None
            await connection.send(json.dumps([request.path, list(request.headers.raw_items())]))


def choose(_: ServerConnection, offered: Sequence[Any]) -> Any:
    return "chat.v2" if "chat.v2" in offered else None


async def main() -> None:
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # it is meant to lose connections
    options: dict[str, Any] = {"select_subprotocol": choose, "ping_interval": None, "max_size": None}
    if len(sys.argv) > 1:
        options["ssl"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        options["ssl"].load_cert_chain(sys.argv[1])
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        os._exit(0)  # it would wait 10 s for clients that do not answer its closing


asyncio.run(main())
