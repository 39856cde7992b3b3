"""A probed app: an application with our probe in it, in a server process of its own, with all that can be asked of it.

What differs from one app to another, its environment, its address and what is said to it first, comes as a Staging.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from loadtest.contract import CONTROL_VARIABLE, LEDGER_VARIABLE, Identity
from loadtest.ledger.reader import read_ledger
from loadtest.load.entry import Entry
from loadtest.servers import HOST
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.process import Process
from loadtest.targets.control import ask_identity, ask_residue, ask_status
from loadtest.targets.push_command import StartCommand
from loadtest.targets.served import READY_S, Application, ServedApplication
from loadtest.targets.target import CollectedLedger, Reading, Setting

OF_THE_PROBE: Final = frozenset({LEDGER_VARIABLE, CONTROL_VARIABLE})
LOWEST_PRIORITY: Final = "19"
"""Of a command that starts Django beside a generator on the same CPU: the generator is not to wait for it."""

Stage = Callable[[Path, contextlib.ExitStack], Application]
"""Makes the application of one trial, with files in a folder that goes with it; what is to be undone goes on the
stack."""

Prime = Callable[[str, Path, Entry, StartCommand], None]
"""Sends one message through the app at an address and sees it come back; gets the folder of the control sockets, with
what users open their connections, and what starts a command that has the app send."""

Admit = Callable[[Application, str, int], Entry]
"""Returns with what so many users open their connections to the app, whose pages are at that address."""


def no_entry(_application: Application, _url: str, _users: int) -> Entry:
    """Return that users need nothing."""
    return Entry()


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """What a probed app is made of in one trial."""

    stage: Stage
    prime: Prime
    admit: Admit = no_entry
    path: str = ""
    """What is behind the port in its address; empty: the scenario says it."""
    answers_alone: bool = False
    """It is known to answer the sender alone."""
    priming_path: str
    """The path at which messages are sent through it first."""


class ProbedApp:
    """An app in a fresh server process; `with` starts it, waits until it is ready and ends it.

    Entering raises EnvironmentFailed when the port is taken, the server dies at start or is not ready in time.
    Ready means: its health check answers 200, and it is our process that does.
    """

    def __init__(self, setting: Setting, staging: Staging, *, ready_s: float = READY_S) -> None:
        """Describe it; nothing starts yet. `ready_s` is the deadline for ready."""
        self._setting = setting
        self._staging = staging
        self._ready_s = ready_s
        self._control: Path | None = None
        self._entry = Entry()
        self._closing = contextlib.ExitStack()
        self._application: Application | None = None
        self._served: ServedApplication | None = None

    @property
    def served(self) -> ServedApplication:
        """Its server process."""
        assert self._served is not None, "the target was not started"
        return self._served

    @property
    def application(self) -> Application:
        """The app as it is served."""
        assert self._application is not None, "the target was not started"
        return self._application

    @property
    def url(self) -> str:
        """Where it listens: "ws://127.0.0.1:8001", with the path of the app's own where it has one."""
        return f"ws://{HOST}:{self.port}{self._staging.path}"

    @property
    def answers_alone(self) -> bool:
        """Whether it is known to answer the sender alone."""
        return self._staging.answers_alone

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.served.port

    @property
    def control(self) -> Path:
        """The folder of the probe's control sockets, one a process; gone when the target is."""
        assert self._control is not None, "the target was not started"
        return self._control

    @property
    def process(self) -> Process:
        """Its process: pid, log, signals. With more than one worker, the one that started the others."""
        return self.served.process

    @property
    def processes(self) -> tuple[Process, ...]:
        """The one process that was started for it."""
        return (self.process,)

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
        self.served.require_alive()

    def entry(self, users: int) -> Entry:
        """Return with what so many users open their connections; signs them in where that is needed.

        Raises EnvironmentFailed, with what the server printed last.
        """
        with self._telling_its_last_lines():
            self._entry = self._staging.admit(self.application, f"http://{HOST}:{self.port}", users)
        return self._entry

    def prime(self) -> None:
        """Send a message through the consumer that is measured, and see it come back.

        Raises EnvironmentFailed, with what the server printed last: an app's own errors are there.
        """
        with self._telling_its_last_lines():
            url = f"ws://{HOST}:{self.port}{self._staging.priming_path}"
            self._staging.prime(url, self.control, self._entry, self.start_command)

    def start_command(self, line: str, log: Path) -> Process:
        """Start a command line in the app's folder, with its environment but for the probe; it yields to all others.

        Raises EnvironmentFailed.
        """
        env = {name: value for name, value in self.application.env.items() if name not in OF_THE_PROBE}
        command = ["nice", "-n", LOWEST_PRIORITY, "/bin/sh", "-c", line]
        return Process(command, name="the command of --push", log=log, env=env, cwd=self.application.folder)

    @contextlib.contextmanager
    def _telling_its_last_lines(self) -> Iterator[None]:
        try:
            yield
        except EnvironmentFailed as error:
            raise EnvironmentFailed(f"{error}; the server's last lines:\n{self.served.log_tail()}") from error

    def open_connections(self) -> int | None:
        """Return how many connections its processes hold; None when one of them does not answer."""
        statuses = ask_status(self.control)
        return None if statuses.silent else sum(status.open for status in statuses.answered)

    @property
    def expires_s(self) -> float:
        """How long after its last connection has ended members have dropped out of their groups; 0: they stay."""
        return self._setting.layer.expires_s

    def read_residue(self) -> Reading:
        """Return what each of its processes holds."""
        answers = ask_residue(self.control)
        return Reading(processes=answers.answered, unknown=answers.unanswered)

    def collect_ledger(self) -> CollectedLedger:
        """Return what its processes have recorded. Raises LedgerError when that cannot be read."""
        assert self._setting.ledger is not None, "the target keeps no ledger"
        return CollectedLedger(records=read_ledger(self._setting.ledger, "server"))

    def identity(self) -> Mapping[str, str]:
        """Return the versions of all that runs in it; of the server, why they are not known where none is told."""
        server, layer = self._setting.server, self._setting.layer
        answers = ask_identity(self.control)
        found = {} if answers.answered else {f"server {server.name}": f"not known: {answers.unanswered}"}
        for told in answers.answered:
            found[f"server {server.name}"] = f"{told.version_of(server.package)}, {server.websockets(told)}"
            found[f"layer {layer.name}"] = self._told_layer(told)
            found |= {"target's python": told.python, "target's database": told.database}
            found |= {f"target's {name}": number for name, number in told.packages.items()}
        return found

    def _told_layer(self, told: Identity) -> str:
        layer = self._setting.layer
        if layer.package:
            return f"{layer.package} {told.version_of(layer.package)}"
        return f"{told.layer} {told.version_of(told.layer.partition('.')[0])}" if told.layer else "none"

    def __enter__(self) -> Self:
        with self._closing:  # what was started is ended if a later step fails
            self._control = self._closing.enter_context(short_folder())
            self._application = self._staging.stage(self._control, self._closing)
            self._served = ServedApplication(self._application, self._setting, ready_s=self._ready_s)
            self._served.start(self._closing)
            self._closing = self._closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and take away what it wrote, on disk and at the broker; may be called again."""
        self._closing.close()


def probe_environment(setting: Setting, control: Path) -> dict[str, str]:
    """Return the variables that have the probe record in that setting; none where no ledger is kept."""
    if setting.ledger is None:
        return {}
    return {LEDGER_VARIABLE: str(setting.ledger.resolve()), CONTROL_VARIABLE: str(control)}
