"""A served application: a server process with an ASGI application in it, up, ready, and ended for sure."""

import contextlib
import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtest.servers import HOST, Serving
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.ports import free_port, listens, require_free
from loadtest.stack.process import Process, describe_exit
from loadtest.targets.target import Setting

READY_S = 30.0
"""The reference app is up in 1 s; this is for a machine that is very busy."""

ANSWER_S = 5.0
POLL_S = 0.02
FREE_PORT_TRIES = 5
"""Between our letting go of a free port and the server's taking it, another process may take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An ASGI application and what it needs around it."""

    name: str
    """As "package.module:attribute"."""
    folder: Path
    """The working folder, from which it can be imported."""
    python: str
    """The interpreter in which it and its server are installed."""
    env: Mapping[str, str]
    """The whole environment of its process."""
    health: str
    """The path that answers 200 once the application can work: "/healthz"."""


class ServedApplication:
    """An application on a server; `start` brings it up and registers its end in a stack that the caller closes.

    Ready means: its health check answers 200, and it is our process that does.
    """

    def __init__(self, application: Application, setting: Setting, *, ready_s: float = READY_S) -> None:
        """Describe it; nothing starts yet."""
        self._application = application
        self._setting = setting
        self._ready_s = ready_s
        self._log = setting.folder / "server.log"
        self._process: Process | None = None
        self.port = 0

    @property
    def process(self) -> Process:
        """Its process: pid, log, signals. With more than one worker, the one that started the others."""
        assert self._process is not None, "it was not started"
        return self._process

    def require_alive(self) -> None:
        """Raise EnvironmentFailed with what it printed last unless it runs."""
        code = self.process.exited
        if code is not None:
            raise EnvironmentFailed(f"the target died ({describe_exit(code)}); its last lines:\n{self.log_tail()}")

    def start(self, closing: contextlib.ExitStack) -> None:
        """Start the server and wait until it is ready; with a port of our own choice, try again when it was lost.

        Raises EnvironmentFailed when the port is taken, the server dies at start or is not ready in time.
        """
        wanted_port = self._setting.port
        if wanted_port:
            require_free(HOST, wanted_port)
        for tries_left in reversed(range(1 if wanted_port else FREE_PORT_TRIES)):
            self.port = wanted_port or free_port(HOST)
            process = self._process = closing.enter_context(self._launch())
            try:
                self._wait_until_ready(process)
                return
            except EnvironmentFailed:
                process.stop()
                if not tries_left or self._setting.server.port_taken not in process.log_tail().lower():
                    raise

    def _launch(self) -> Process:
        application, setting = self._application, self._setting
        serving = Serving(
            application=application.name,
            port=self.port,
            python=application.python,
            workers=setting.workers,
            ping_interval_s=setting.ping_interval_s,
            ping_timeout_s=setting.ping_timeout_s,
        )
        server = setting.server
        env = {name: value for name, value in application.env.items() if not name.startswith(server.settings)}
        return Process(server.command(serving), name=server.name, log=self._log, env=env, cwd=application.folder)

    def _wait_until_ready(self, process: Process) -> None:
        called = f"{self._setting.server.name}, layer {self._setting.layer.name}"
        deadline = time.monotonic() + self._ready_s
        answer = "no answer"
        while time.monotonic() < deadline:
            code = process.exited
            if code is not None:
                raise EnvironmentFailed(
                    f"the target ({called}) died at start ({describe_exit(code)}); its last lines:\n{self.log_tail()}"
                )
            status, answer = _health(self.port, self._application.health)
            if status == http.HTTPStatus.OK and listens(process.pid, self.port):
                return
            time.sleep(POLL_S)
        raise EnvironmentFailed(
            f"the target ({called}) was not ready within {self._ready_s:g} s; "
            f"http://{HOST}:{self.port}{self._application.health}: {answer}; its last lines:\n{self.log_tail()}"
        )

    def log_tail(self) -> str:
        """Return the last lines that it printed, and where the others are."""
        return f"{self.process.log_tail()}\n  (all of it: {self._log})"


def _health(port: int, path: str) -> tuple[int, str]:
    """Return the health check's HTTP status (0: no answer) and what it says."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, f"HTTP {response.status} {response.read(500).decode(errors='replace')}".strip()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()
