"""uvicorn with TLS and an ASGI app that echoes, in a process of its own; prints its port, ends when stdin does.

Its argument is a PEM file of a key and a certificate. Prints a JSON line for each WebSocket as it is asked for: the
number that the client gave it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from typing import Any

import uvicorn


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "websocket":
        return
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    tell({"connection": headers.get("x-loadtest-connection"), "scheme": scope["scheme"]})
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def tell(what: dict[str, Any]) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())


def main(certificate: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(
        echo, ssl_certfile=certificate, ssl_keyfile=certificate, lifespan="off", log_level="critical", loop="asyncio"
    )
    server = uvicorn.Server(config)
    threading.Thread(target=end_with_stdin, args=(server,), daemon=True).start()
    server.run(sockets=[listening])


def end_with_stdin(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.force_exit = server.should_exit = True


main(sys.argv[1])
