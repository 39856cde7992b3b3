"""The routes by which a bench elsewhere asks a server; who may ask has been found out before."""

import json
import os
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any, Final
from urllib.parse import parse_qs

from loadtest.contract import Question
from loadtest.contract.elsewhere import (
    MARK,
    ROUTES,
    VERSION,
    Hello,
    LedgerFile,
    Request,
    write_heard,
    write_value,
)
from loadtest.ledger.record import VERSION as LEDGER_VERSION
from loadtest.probe.meeting import Meeting, Occupied
from loadtest.probe.siblings import ask_all, sweep
from loadtest.probe.watching import is_watching

Send = Callable[[dict[str, Any]], Awaitable[None]]

_NAME: Final = re.compile(r"[0-9a-f]{8,64}")
_FILE: Final = re.compile(r"server-\d+(-\d+\.ledger|\.strings)")
_OF_A_BENCH: Final = frozenset({Request.END, Request.LEDGER, Request.FORGET})
"""What only the bench may ask for that has begun."""
CHUNK_BYTES: Final = 256 * 1024
"""Compressed at a time: a millisecond, in which the event loop serves nobody."""
FASTEST: Final = 1
"""Of zlib's levels: a ledger is mostly zeroes."""


class Refused(Exception):
    """A request cannot be answered; the message says why."""


class Routes:
    """Answers for all processes of the server."""

    def __init__(self, meeting: Meeting) -> None:
        """`meeting` is where they meet."""
        self._meeting = meeting

    async def answer(self, scope: Any, send: Send) -> None:
        """Answer one request."""
        try:
            request = _request(scope)
            query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
            self._meeting.renew(query.get("ledger", ""))
            if request in _OF_A_BENCH:
                self._require_of_that_bench(query.get("ledger", ""))
            if request is Request.LEDGER and "file" in query:
                await _stream(send, self._file(query["file"]))
            else:
                await respond(send, 200, await self._body(request, query))
        except Occupied as error:
            await respond(send, 409, _refusal(error))
        except (Refused, OSError, ValueError) as error:
            await respond(send, 404, _refusal(error))

    async def _body(self, request: Request, query: dict[str, str]) -> bytes:
        match request:
            case Request.CLOCK:
                return write_value(self._hello())
            case Request.BEGIN:
                return await self._begin(query.get("ledger", ""))
            case Request.END:
                self._meeting.end()
                return await self._ask(Question.LOOK)
            case Request.FORGET:
                self._meeting.forget()
                return await self._ask(Question.LOOK)
            case Request.LEDGER:
                return write_value(self._files())
            case Request.STATUS | Request.RESIDUE | Request.IDENTITY:
                return await self._ask(Question(request.value))

    def _hello(self) -> Hello:
        return Hello(
            version=VERSION,
            ledger_version=LEDGER_VERSION,
            machine=self._meeting.machine,
            pid=os.getpid(),
            is_watching=is_watching(),
            time_ns=monotonic_ns(),
        )

    async def _begin(self, name: str) -> bytes:
        if not _NAME.fullmatch(name):
            raise Refused(f"{name!r} is no name of a ledger")
        await sweep(self._meeting.folder)
        self._meeting.begin(name)
        return await self._ask(Question.LOOK)

    async def _ask(self, question: Question) -> bytes:
        return write_heard(await ask_all(self._meeting.folder, question))

    def _files(self) -> list[LedgerFile]:
        found = sorted(path for path in self._recorded().iterdir() if _FILE.fullmatch(path.name))
        return [LedgerFile(name=path.name, size=path.stat().st_size) for path in found]

    def _file(self, name: str) -> Path:
        if not _FILE.fullmatch(name):
            raise Refused(f"{name!r} is no file of a ledger")
        return self._recorded() / name

    def _recorded(self) -> Path:
        recorded = self._meeting.recorded
        assert recorded is not None, "it was required"
        return recorded

    def _require_of_that_bench(self, name: str) -> None:
        """Refuse what would end or read what another bench has recorded."""
        asked = self._meeting.asked
        if asked is None or asked.name != name:
            raise Refused(
                "there is no such ledger: nobody has asked for so long that it was removed, or it never began"
            )


async def respond(send: Send, status: int, body: bytes) -> None:
    """Send a whole answer."""
    await send(_start(status, b"application/json", [(b"content-length", str(len(body)).encode())]))
    await send({"type": "http.response.body", "body": body})


def _start(status: int, content: bytes, more: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    headers = [(b"content-type", content), (MARK.encode(), b"1"), (b"cache-control", b"no-store"), *more]
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _stream(send: Send, file: Path) -> None:
    """Send a file as a zlib stream."""
    with file.open("rb") as opened:
        await send(_start(200, b"application/octet-stream", []))
        async for part in _compressed(iter(lambda: opened.read(CHUNK_BYTES), b"")):
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _compressed(chunks: Any) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(FASTEST)
    for chunk in chunks:
        yield packer.compress(chunk)
    yield packer.flush()


def _request(scope: Any) -> Request:
    try:
        request = Request(scope["path"].removeprefix(ROUTES))
    except ValueError:
        raise Refused(f"there is no {scope['path']}") from None
    if scope["method"] != "POST":
        raise Refused("ask by POST")
    return request


def _refusal(error: Exception) -> bytes:
    return json.dumps({"error": str(error)}).encode()
