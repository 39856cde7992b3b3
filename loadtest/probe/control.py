"""The control socket: answers the bench's questions from inside each server process, out of the app's sight.

A Unix socket `control-<pid>.sock` in the folder LOADTEST_CONTROL: one question a connection, one line of JSON back.
A socket a process rather than an HTTP path: it reaches every worker, and the user's URLs stay as they are.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from loadtest.contract import (
    CONTROL_SOCKETS,
    CONTROL_VARIABLE,
    Identity,
    ProcessResidue,
    Question,
    Status,
    write_answer,
    write_refusal,
)
from loadtest.probe.handling import Handling

QUESTION_TIMEOUT_S = 5.0
"""A client that connects and asks nothing must not stay among the server's tasks."""


OpenConnections = Mapping[int, Handling]
"""What each connection does whose application task has not ended."""


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
            path = Path(self._folder) / CONTROL_SOCKETS.format(pid=os.getpid())
            self._server = await asyncio.start_unix_server(self._answer, path)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await asyncio.wait_for(reader.readline(), QUESTION_TIMEOUT_S)
            writer.write(await self._reply(asked.decode(errors="replace").strip()))
            await writer.drain()
        except (asyncio.TimeoutError, ConnectionError):  # noqa: UP041 - two things in Python 3.10
            pass  # the bench went away; nobody is left to tell
        finally:
            writer.close()

    async def _reply(self, asked: str) -> bytes:
        try:
            question = Question(asked)
        except ValueError:
            return write_refusal(f"unknown question {asked!r}; ask {', '.join(Question)}")
        return write_answer(await self._answer_to(question))

    async def _answer_to(self, question: Question) -> Status | ProcessResidue | Identity:
        # What needs Django set up is imported when it is asked for: it is not when asgi.py is imported
        match question:
            case Question.STATUS:
                return Status(pid=os.getpid(), open=len(self._open))
            case Question.RESIDUE:
                from loadtest.probe.residue_reading import read_residue

                return await read_residue(self._open)
            case Question.IDENTITY:
                from loadtest.probe.identity import read_identity

                return await read_identity()
