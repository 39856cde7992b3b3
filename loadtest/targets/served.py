"""A served application: a server process with an ASGI application in it, up, ready, and ended for sure."""

import contextlib
import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtest.servers import HOST, Serving
from loadtest.servers.own_command import at_port
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.ports import free_port, listeners, require_free
from loadtest.stack.process import Process, describe_exit
from loadtest.targets.target import Setting

READY_S = 30.0
"""The reference app is up in 1 s; this is for a machine that is very busy."""

NOT_OURS_S = 3.0
"""A proxy that a command starts too may answer before the app does; one that answers so long is the app."""

SHOWN = 60
"""Characters of an answer."""

ANSWER_S = 5.0
POLL_S = 0.02
ANOTHER_POLL_S = 0.5
"""Each question is a line in the log of an app that does not know its path, and its last lines are shown."""
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
    answer: str = ""
    """What it answers there; empty: anything."""
    command: tuple[str, ...] = ()
    """The user's own way to start its server, with {port} in it; empty: that of the setting's server."""


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
        server, env = setting.server, dict(application.env)
        if application.command:
            command = at_port(application.command, self.port)
            return Process(command, name=server.name, log=self._log, env=env, cwd=application.folder)
        serving = Serving(
            application=application.name,
            port=self.port,
            python=application.python,
            workers=setting.workers,
            ping_interval_s=setting.ping_interval_s,
            ping_timeout_s=setting.ping_timeout_s,
        )
        env = {name: value for name, value in env.items() if not name.startswith(server.settings)}
        return Process(server.command(serving), name=server.name, log=self._log, env=env, cwd=application.folder)

    def _wait_until_ready(self, process: Process) -> None:
        began_s, heard = time.monotonic(), _Heard()
        while (waited_s := time.monotonic() - began_s) < self._ready_s:
            self._require_started(process)
            heard = _ask(process, self.port, self._application.health)
            if heard.is_ok and heard.listening and self._application.answer in heard.said:
                self._require_its_workers(heard.listening)
                return
            if self._is_another(heard) and waited_s > NOT_OURS_S:
                break
            time.sleep(ANOTHER_POLL_S if self._is_another(heard) else POLL_S)
        raise EnvironmentFailed(f"{self._why_not_ready(heard)}; its last lines:\n{self.log_tail()}")

    def _require_started(self, process: Process) -> None:
        if (code := process.exited) is not None:
            raise EnvironmentFailed(
                f"the target ({self._called}) died at start ({describe_exit(code)}); its last lines:\n{self.log_tail()}"
            )

    @property
    def _called(self) -> str:
        return f"{self._setting.server.name}, layer {self._setting.layer.name}"

    def _is_another(self, heard: "_Heard") -> bool:
        """Tell whether a command of the user's own serves something without the probe around it."""
        return bool(self._application.command and heard.listening)

    def _why_not_ready(self, heard: "_Heard") -> str:
        if self._is_another(heard):
            return (
                f"the probe did not get in: --command has started something else than {self._application.name}, or a "
                f"Python that takes no PYTHONPATH; it answers {heard.said.splitlines()[0][:SHOWN]!r}"
            )
        asked = f"http://{HOST}:{self.port}{self._application.health}"
        return f"the target ({self._called}) was not ready within {self._ready_s:g} s; {asked}: {heard.said}"

    def _require_its_workers(self, listening: int) -> None:
        """Raise EnvironmentFailed where a command of the user's own runs more processes than the tables would say.

        Of several processes that hold a socket, one has started the others.
        """
        workers, said = max(listening - 1, 1), self._setting.workers
        if self._application.command and workers != said:
            raise EnvironmentFailed(
                f"--command has started {workers} processes that serve, and the bench measures a server of {said}; "
                "have it start so many"
            )

    def log_tail(self) -> str:
        """Return the last lines that it printed, and where the others are."""
        return f"{self.process.log_tail()}\n  (all of it: {self._log})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What came of a health check."""

    is_ok: bool = False
    said: str = "no answer"
    listening: int = 0
    """How many of our processes listen at the port; 0: another program may, or nobody answers."""


def _ask(process: Process, port: int, path: str) -> _Heard:
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return _Heard(
            is_ok=response.status == http.HTTPStatus.OK,
            said=f"HTTP {response.status} {response.read(500).decode(errors='replace')}".strip(),
            listening=listeners(process.pid, port),
        )
    except (OSError, http.client.HTTPException) as error:
        return _Heard(said=str(error) or type(error).__name__)
    finally:
        connection.close()
