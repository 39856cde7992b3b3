"""A target: one fresh server process with the reference app in it, up and ready, and ended for sure."""

import contextlib
import errno
import http.client
import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import redis

import target_app
from loadtest.contract import CONTROL_VARIABLE, LEDGER_VARIABLE
from loadtest.stack.database import Database
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.layers import Layer, new_prefix
from loadtest.stack.process import Process, describe_exit
from loadtest.stack.servers import HOST, Server, Serving
from loadtest.stack.valkey import delete_keys

APPLICATION = "target_app.asgi:application"
SETTINGS = "target_app.settings"
PROJECT = Path(target_app.__file__).resolve().parent.parent

READY_S = 30.0
"""The reference app is up in 1 s; this is for a machine that is very busy."""

ANSWER_S = 5.0
POLL_S = 0.02
FREE_PORT_TRIES = 5
"""Between our letting go of a free port and the server's taking it, another process may take it."""


class Target:
    """A running server; `with` starts it, waits until it is ready and ends it.

    Entering raises EnvironmentFailed when the port is taken, the server dies at start or is not ready in time.
    Ready means: /healthz answers 200 (the database answers, the layer can be made), and it is our process that does.
    """

    def __init__(
        self,
        *,
        server: Server,
        layer: Layer,
        database: Database,
        log: Path,
        redis_url: str | None = None,
        ledger: Path | None = None,
        port: int = 0,
        workers: int = 1,
        ping_interval_s: float | None = None,
        ping_timeout_s: float | None = None,
        env: Mapping[str, str] | None = None,
        ready_s: float = READY_S,
    ) -> None:
        """Describe the target; nothing starts yet.

        `ledger` is the folder that the probe records in (must exist; None: no probe), `port` 0 picks a free one,
        `ping_*` None is the server's default, `env` adds to the environment, `ready_s` is the deadline for ready.
        """
        self._server = server
        self._layer = layer
        self._database = database
        self._log = log
        self._redis_url = redis_url if "redis" in layer.needs else None
        self._prefix = new_prefix()
        self._ledger = ledger
        self._wanted_port = port
        self._workers = workers
        self._pings = {"ping_interval_s": ping_interval_s, "ping_timeout_s": ping_timeout_s}
        self._env = dict(env or {})
        self._ready_s = ready_s
        self._port = 0
        self._process: Process | None = None
        self._control: Path | None = None
        self._closing = contextlib.ExitStack()

    @property
    def url(self) -> str:
        """Where it listens: "ws://127.0.0.1:8001"."""
        return f"ws://{HOST}:{self._port}"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def control(self) -> Path:
        """The folder of the probe's control sockets, one a process; gone when the target is."""
        assert self._control is not None, "the target was not started"
        return self._control

    @property
    def process(self) -> Process:
        """Its process: pid, log, signals. With more than one worker, the one that started the others."""
        assert self._process is not None, "the target was not started"
        return self._process

    @property
    def pid(self) -> int:
        """Its pid."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.process.alive

    def require_alive(self) -> None:
        """Raise EnvironmentFailed with what it printed last unless it runs."""
        code = self.process.exited
        if code is not None:
            raise EnvironmentFailed(f"the target died ({describe_exit(code)}); its last lines:\n{self._log_tail()}")

    def __enter__(self) -> Self:
        with self._closing:  # what was started is ended if a later step fails
            folder = self._closing.enter_context(short_folder())
            self._control = folder
            env = self._environment(folder)
            if self._redis_url is not None:
                self._closing.callback(_delete_keys, self._redis_url, self._prefix)
            self._start(env)
            self._closing = self._closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and take away what it wrote, on disk and at the broker; may be called again."""
        self._closing.close()

    def _environment(self, folder: Path) -> dict[str, str]:
        setting = self._layer.setting(redis_url=self._redis_url, prefix=self._prefix)
        env = {name: value for name, value in os.environ.items() if not name.startswith("UVICORN_")}
        env |= {
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "CHANNEL_LAYERS": json.dumps(setting),
            "DATABASE_URL": self._database.for_trial(folder),
            "PYTHONUNBUFFERED": "1",
        }
        self._closing.callback(self._database.end_trial)
        env.pop(LEDGER_VARIABLE, None)
        if self._ledger is not None:
            env |= {LEDGER_VARIABLE: str(self._ledger.resolve()), CONTROL_VARIABLE: str(folder)}
        return env | self._env

    def _start(self, env: Mapping[str, str]) -> None:
        """Start the server and wait until it is ready; with a port of our own choice, try again when it was lost."""
        if self._wanted_port:
            _require_free(self._wanted_port)
        for tries_left in reversed(range(1 if self._wanted_port else FREE_PORT_TRIES)):
            self._port = self._wanted_port or _free_port()
            process = self._process = self._closing.enter_context(self._launch(env))
            try:
                self._wait_until_ready(process)
                return
            except EnvironmentFailed:
                process.stop()
                if not tries_left or "address already in use" not in process.log_tail().lower():
                    raise

    def _launch(self, env: Mapping[str, str]) -> Process:
        serving = Serving(application=APPLICATION, port=self._port, workers=self._workers, **self._pings)
        return Process(self._server.command(serving), name=self._server.name, log=self._log, env=env, cwd=PROJECT)

    def _wait_until_ready(self, process: Process) -> None:
        deadline = time.monotonic() + self._ready_s
        answer = "no answer"
        while time.monotonic() < deadline:
            code = process.exited
            if code is not None:
                raise EnvironmentFailed(
                    f"the target ({self._server.name}, layer {self._layer.name}) died at start "
                    f"({describe_exit(code)}); its last lines:\n{self._log_tail()}"
                )
            status, answer = _health(self._port)
            if status == http.HTTPStatus.OK and _listens(process.pid, self._port):
                return
            time.sleep(POLL_S)
        raise EnvironmentFailed(
            f"the target ({self._server.name}, layer {self._layer.name}) was not ready within {self._ready_s:g} s; "
            f"http://{HOST}:{self._port}/healthz: {answer}; its last lines:\n{self._log_tail()}"
        )

    def _log_tail(self) -> str:
        return f"{self.process.log_tail()}\n  (all of it: {self._log})"


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port


def _require_free(port: int) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            sock.bind((HOST, port))
        except OSError as error:
            why = "is taken by another process" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
            raise EnvironmentFailed(f"port {port} {why}; pass --port 0 to pick a free one") from error


def _health(port: int) -> tuple[int, str]:
    """Return the health check's HTTP status (0: no answer) and what it says."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return response.status, f"HTTP {response.status} {response.read(500).decode(errors='replace')}".strip()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()


def _listens(pid: int, port: int) -> bool:
    """Tell whether it is the process or a child of it that listens on the port, and not one that was quicker."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
        return any(
            found.status == psutil.CONN_LISTEN and found.laddr.port == port
            for process in processes
            for found in process.net_connections("tcp4")
        )
    except psutil.Error:
        return False


def _delete_keys(url: str, prefix: str) -> None:
    # If the broker is gone there is nothing to delete; if it comes back, the keys expire by themselves within a day.
    with contextlib.suppress(redis.RedisError, OSError):
        delete_keys(url, prefix)
