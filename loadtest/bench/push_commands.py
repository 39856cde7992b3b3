"""Push commands of generators: a Unix socket on which they ask for one, and a thread for each that runs."""

import contextlib
import itertools
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from loadtest.load.push import Command
from loadtest.pushes import Outcome
from loadtest.pushes.commands import read_command, write_outcome
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.push_command import StartCommand, run_command_of

SOCKET: Final = "commands.sock"
_POLL_S: Final = 0.05


class PushCommands:
    """Runs commands for whoever asks at a socket, between entering and leaving `with`; leaving ends those that run."""

    def __init__(self, start: StartCommand, folder: Path) -> None:
        """Listen at nothing yet; the socket and the logs go into `folder`, whose path must be short."""
        self.address = folder / SOCKET
        self._start = start
        self._folder = folder
        self._numbers = itertools.count(1)
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        try:
            self._server = _Server(str(self.address), self._run)
        except OSError as error:
            raise EnvironmentFailed(f"cannot listen for push commands at {self.address}: {error}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), name="push commands")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()  # waits for the threads that still answer

    def _run(self, command: Command) -> Outcome:
        log = self._folder / f"command-{next(self._numbers)}.log"
        return run_command_of(self._start, command, log, self._is_over.is_set)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A thread for each command: the kernel ends what a thread has started when the thread ends (leash.py)."""

    def __init__(self, address: str, run: Callable[[Command], Outcome]) -> None:
        self.run = run
        super().__init__(address, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Run the one command that is asked for; whoever asked may have gone when it has ended."""
        with contextlib.suppress(OSError, ValueError):
            self.wfile.write(write_outcome(self.server.run(read_command(self.rfile.readline()))))
