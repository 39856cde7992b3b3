"""Siblings: one process asks all processes of its server, itself too, by their control sockets."""

import asyncio
from pathlib import Path
from typing import Final

from loadtest.contract import CONTROL_SOCKETS, Question
from loadtest.contract.elsewhere import Heard, Unheard

ANSWER_S: Final = 10.0
"""A process busy with a backlog answers late; one that answers later than this is reported as silent."""
ANSWER_BYTES: Final = 256 * 1024 * 1024
"""A residue of a hundred thousand connections is some 20 MB."""


async def ask_all(folder: Path, question: Question) -> Heard:
    """Return what each process with a socket in the folder answers; of one that has ended, that it did not."""
    heard = Heard()
    for path in sockets_in(folder):
        try:
            heard.lines.append(await asyncio.wait_for(_ask(path, question), ANSWER_S))
        except (OSError, ValueError, asyncio.TimeoutError) as error:  # noqa: UP041 - two things in Python 3.10
            heard.silent.append(Unheard(pid=pid_of(path), why=str(error) or type(error).__name__))
    return heard


async def sweep(folder: Path) -> None:
    """Remove the sockets of processes that have ended."""
    for path in sockets_in(folder):
        try:
            _, writer = await asyncio.open_unix_connection(path)
        except OSError:
            path.unlink(missing_ok=True)
        else:
            writer.close()


def sockets_in(folder: Path) -> list[Path]:
    """Return the control sockets in a folder."""
    return sorted(folder.glob(CONTROL_SOCKETS.format(pid="*")))


def pid_of(path: Path) -> int:
    """Return whose socket that is."""
    return int(path.stem.partition("-")[2])


async def _ask(path: Path, question: Question) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path, limit=ANSWER_BYTES)
    try:
        writer.write(question.value.encode() + b"\n")
        line = await reader.readline()
    finally:
        writer.close()
    if not line.endswith(b"\n"):
        raise ValueError(f"the answer to {question.value!r} was cut off after {len(line)} bytes")
    return line
