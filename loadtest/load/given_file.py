"""A small text file that a person names: a plan, variables, headers, accounts."""

import os
import select
import stat
import time
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 2**20
"""A plan has some 30 short lines; what is longer than a mebibyte is another file, or has no end, as /dev/zero."""
WRITER_S: Final = 5.0
"""What a shell makes of <(command) is written at once; a pipe into which nobody writes for so long is a mistake."""


class GivenFileError(Exception):
    """The file cannot be read; the message says why, and never what is in it."""


def read_given(path: Path, *, writer_s: float = WRITER_S) -> str:
    """Return the text of a file, or of a pipe that is written to meanwhile; raises GivenFileError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # to open a pipe would wait for its writer
        try:
            content = _content(fd, time.monotonic() + writer_s)
        finally:
            os.close(fd)
        return content.decode()
    except UnicodeDecodeError as error:
        raise GivenFileError(f"it is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except (OSError, ValueError) as error:  # a path may have a null character in it, which is a ValueError
        raise GivenFileError(getattr(error, "strerror", None) or str(error)) from None


def lines_of(path: Path) -> list[str]:
    """Return the lines of such a file, but for empty ones and comments; raises GivenFileError."""
    lines = [line.strip() for line in read_given(path).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _content(fd: int, deadline: float) -> bytes:
    may_wait = not stat.S_ISREG(os.fstat(fd).st_mode)
    content = b""
    while True:
        if may_wait and not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise GivenFileError("nobody wrote into it: it is no file, but a pipe or a device")
        piece = os.read(fd, MOST_BYTES)
        content += piece
        if len(content) > MOST_BYTES:
            raise GivenFileError(f"it is longer than {MOST_BYTES} bytes")
        if not piece:
            return content
