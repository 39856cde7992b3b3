"""Start the helper processes of the wire's tests, and wait on gevent's hub for conditions."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
from gevent.os import nb_read

HERE = Path(__file__).parent
PATIENCE_S = 20.0


class Helper:
    """A helper process that prints its port first and may print JSON lines later."""

    def __init__(self, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / script), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self._stdout = self._process.stdout
        self._unread = b""
        gevent.os.make_nonblocking(self._stdout.fileno())
        self.port = int(self._line())

    @property
    def pid(self) -> int:
        return self._process.pid

    def report(self) -> Any:
        """Wait for the next JSON line."""
        return json.loads(self._line())

    def order(self, line: str) -> None:
        """Write a line to its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stdout.close()

    def _line(self) -> bytes:
        with gevent.Timeout(PATIENCE_S):
            while b"\n" not in self._unread:
                data = nb_read(self._stdout.fileno(), 65536)
                assert data, "the helper process has ended"
                self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line


@contextlib.contextmanager
def helper(script: str, *arguments: str) -> Iterator[Helper]:
    process = Helper(script, *arguments)
    try:
        yield process
    finally:
        process.stop()


def wait_until(condition: Callable[[], object], what: str | Callable[[], str], patience_s: float = PATIENCE_S) -> None:
    """Let the hub run until the condition holds; a `what` that tells how things stand is asked when time is over."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what if isinstance(what, str) else what()}"
        gevent.sleep(0.002)
