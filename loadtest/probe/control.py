"""The control socket: answers the bench's questions from inside each server process, out of the app's sight.

A Unix socket `control-<pid>.sock` in a folder: one question a connection, one line of JSON back. A socket a process
rather than an HTTP path: it reaches every worker. Of a server elsewhere the worker that a request meets asks them all.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from loadtest.contract import (
    CONTROL_SOCKETS,
    Identity,
    ProcessResidue,
    Question,
    Status,
    write_answer,
    write_refusal,
)
from loadtest.ledger.record import SERVER_NAMED
from loadtest.probe.session import Session

QUESTION_TIMEOUT_S = 5.0
"""A client that connects and asks nothing must not stay among the server's tasks."""


class Control:
    """The control socket of this process, started on the running event loop at the first use."""

    def __init__(self, folder: Path, session: Callable[[], Session | None], look: Callable[[], None]) -> None:
        """`session` gives the current one, if there is one; `look` finds out whether there is to be one."""
        self._folder = folder
        self._session = session
        self._look = look
        self._server: asyncio.Server | None = None
        self._starting = False

    async def start_once(self) -> None:
        """Start listening, unless that was done."""
        if not self._starting:
            self._starting = True
            path = self._folder / CONTROL_SOCKETS.format(pid=os.getpid())
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
                return self._status()
            case Question.LOOK:
                self._look()
                return self._status()
            case Question.RESIDUE:
                from loadtest.probe.residue_reading import read_residue

                session = self._session()
                return await read_residue(session.open if session else {})
            case Question.IDENTITY:
                from loadtest.probe.identity import read_identity

                return await read_identity()

    def _status(self) -> Status:
        session = self._session()
        connections = session.open if session else {}
        ours = sum(connection < SERVER_NAMED for connection in connections)
        ledger = session.folder.name if session else ""
        return Status(pid=os.getpid(), open=len(connections), ours=ours, ledger=ledger)
