"""The control socket: answers the bench's questions from inside each server process, out of the app's sight.

A Unix socket `control-<pid>.sock` in the folder LOADTEST_CONTROL: one question a connection, one line of JSON back.
A socket a process rather than an HTTP path: it reaches every worker, and the user's URLs stay as they are.
"""

import asyncio
import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path

CONTROL_VARIABLE = "LOADTEST_CONTROL"
"""Environment: the folder for the control sockets; its path must be short (a Unix socket's has at most 107 bytes)."""

QUESTION_TIMEOUT_S = 5.0
"""A client that connects and asks nothing must not stay among the server's tasks."""


OpenConnections = Mapping[int, "asyncio.Task[object] | None"]
"""The application task of each connection whose task has not ended."""


class Control:
    """The control socket of this process, started on the running event loop at the first use."""

    def __init__(self, open_connections: OpenConnections) -> None:
        """Remember the live map of connections whose application task has not ended."""
        self._open = open_connections
        self._folder = os.environ.get(CONTROL_VARIABLE)
        self._server: asyncio.Server | None = None
        self._starting = False

    async def start_once(self) -> None:
        """Start listening, unless that was done or there is no folder to do it in."""
        if self._folder and not self._starting:
            self._starting = True
            path = Path(self._folder) / f"control-{os.getpid()}.sock"
            self._server = await asyncio.start_unix_server(self._answer, path)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            question = await asyncio.wait_for(reader.readline(), QUESTION_TIMEOUT_S)
            answer = await self._reply(question.decode().strip())
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (TimeoutError, ConnectionError):
            pass  # the bench went away; nobody is left to tell
        finally:
            writer.close()

    async def _reply(self, question: str) -> dict[str, object]:
        match question:
            case "status":
                return {"pid": os.getpid(), "open": len(self._open), "ledger": True}
            case "residue":
                from loadtest.probe.residue import read_residue  # needs Django set up: not at import time of asgi.py

                return dataclasses.asdict(await read_residue(self._open))
            case _:
                return {"error": f"unknown question {question!r}; ask status or residue"}
