"""Target `reference`: the reference app that comes with the tool, on a server of our own."""

import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtest.contract import CONTROL_VARIABLE, LEDGER_VARIABLE
from loadtest.dimensions import Value
from loadtest.layers import new_prefix
from loadtest.ledger.reader import read_ledger
from loadtest.servers import HOST
from loadtest.shipped import SHIPPED
from loadtest.stack.folders import short_folder
from loadtest.stack.process import Process
from loadtest.targets.control import ask_identity, ask_residue, ask_status
from loadtest.targets.database import Database, prepare_database
from loadtest.targets.prime import prime
from loadtest.targets.served import READY_S, Application, ServedApplication
from loadtest.targets.target import CollectedLedger, Reading, Setting
from target_app.consumers import CONSUMERS

APPLICATION = "target_app.asgi:application"
SETTINGS = "target_app.settings"
PRIMING_PATH = "/ws/{consumer}/room/prime/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceApp:
    """The reference app, on a database of our own or on the one that the URL names."""

    database_url: str | None = None
    name: str = "reference"

    @property
    def consumers(self) -> Sequence[Value]:
        """Its consumers; those with a planted defect can be asked for by name, and are in no list."""
        return tuple(
            Value(name=row.name, summary=row.summary, kind=row.kind, variant_of=row.variant_of) for row in CONSUMERS
        )

    @property
    def default_consumers(self) -> Sequence[str]:
        """The consumers that a plan has when it names none."""
        return tuple(row.name for row in CONSUMERS if row.default)

    def prepare(self, folder: Path) -> "PreparedReference":
        """Migrate the database, which takes about 2 s. Raises EnvironmentFailed."""
        return PreparedReference(database=prepare_database(folder, self.database_url))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedReference:
    """The reference app with its database ready."""

    database: Database

    def start(self, setting: Setting) -> "RunningReference":
        """Return the app in that setting; it starts when `with` is entered."""
        return RunningReference(setting, database=self.database)


class RunningReference:
    """The reference app in a fresh server process; `with` starts it, waits until it is ready and ends it.

    Entering raises EnvironmentFailed when the port is taken, the server dies at start or is not ready in time.
    Ready means: /healthz answers 200 (the database answers, the layer can be made), and it is our process that does.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        database: Database,
        env: Mapping[str, str] | None = None,
        ready_s: float = READY_S,
    ) -> None:
        """Describe it; nothing starts yet. `env` adds to the environment, `ready_s` is the deadline for ready."""
        self._setting = setting
        self._broker = setting.broker if setting.layer.broker else None
        self._database = database
        self._env = dict(env or {})
        self._ready_s = ready_s
        self._prefix = new_prefix()
        self._control: Path | None = None
        self._closing = contextlib.ExitStack()
        self._served: ServedApplication | None = None

    @property
    def served(self) -> ServedApplication:
        """Its server process."""
        assert self._served is not None, "the target was not started"
        return self._served

    @property
    def url(self) -> str:
        """Where it listens: "ws://127.0.0.1:8001"."""
        return f"ws://{HOST}:{self.port}"

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

    def prime(self) -> None:
        """Send a message to a room of the consumer that is measured, and see it come back. Raises EnvironmentFailed."""
        prime(self.url + PRIMING_PATH.format(consumer=self._setting.consumer), self.control)

    def open_connections(self) -> int | None:
        """Return how many connections its processes hold; None when one of them does not answer."""
        statuses = ask_status(self.control)
        return None if statuses.silent else sum(status.open for status in statuses.answered)

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
            found[f"layer {layer.name}"] = f"{layer.package} {told.version_of(layer.package)}"
            found |= {"target's python": told.python, "target's database": told.database}
            found |= {f"target's {name}": number for name, number in told.packages.items()}
        return found

    def __enter__(self) -> Self:
        with self._closing:  # what was started is ended if a later step fails
            folder = self._closing.enter_context(short_folder())
            self._control = folder
            application = Application(
                name=APPLICATION,
                folder=SHIPPED,
                python=sys.executable,
                env=self._environment(folder),
                health="/healthz",
            )
            if self._broker is not None:
                self._closing.callback(self._broker.forget, self._prefix)
            self._served = ServedApplication(application, self._setting, ready_s=self._ready_s)
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

    def _environment(self, folder: Path) -> dict[str, str]:
        broker_url = self._broker.url if self._broker else None
        env = reference_environment(self._setting.layer.setting(broker_url=broker_url, prefix=self._prefix))
        env["DATABASE_URL"] = self._database.for_trial(folder)
        self._closing.callback(self._database.end_trial)
        if self._setting.ledger is not None:
            env |= {LEDGER_VARIABLE: str(self._setting.ledger.resolve()), CONTROL_VARIABLE: str(folder)}
        return env | self._env


def reference_environment(channel_layers: Mapping[str, object]) -> dict[str, str]:
    """Return the environment in which the reference app runs on these channel layers, without a probe."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "CHANNEL_LAYERS": json.dumps(channel_layers),
        "PYTHONUNBUFFERED": "1",
    }
    for variable in (LEDGER_VARIABLE, CONTROL_VARIABLE):
        env.pop(variable, None)
    return env
