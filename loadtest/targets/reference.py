"""Target `reference`: the reference app that comes with the tool, on a server of our own."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loadtest.contract import CONTROL_VARIABLE, LEDGER_VARIABLE
from loadtest.contract.elsewhere import TOKEN_VARIABLE
from loadtest.dimensions import Value
from loadtest.layers import new_prefix
from loadtest.load.entry import Entry
from loadtest.load.talk import ROOM
from loadtest.shipped import SHIPPED
from loadtest.stack.folders import short_folder
from loadtest.targets.database import Database, prepare_database, run_manage
from loadtest.targets.offer import Offer
from loadtest.targets.prime import prime
from loadtest.targets.prime_app import prime_app
from loadtest.targets.probed import ProbedApp, Stage, Staging, no_entry, probe_environment
from loadtest.targets.push_command import StartCommand
from loadtest.targets.served import READY_S, Application
from loadtest.targets.speaking import Templates
from loadtest.targets.target import Setting
from target_app.consumers import CONSUMERS, Consumer
from target_app.tutorial import BY_NAME, TUTORIAL, Tutorial

APPLICATION = "target_app.asgi:application"
SETTINGS = "target_app.settings"
PRIMING_PATH = "/ws/{consumer}/room/prime/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceApp:
    """The reference app, on a database of our own or on the one that the URL names."""

    database_url: str | None = None
    name: str = "reference"

    @property
    def offer(self) -> Offer:
        """Its consumers; those with a planted defect can be asked for by name, and are in no list."""
        rows: tuple[Consumer | Tutorial, ...] = (*CONSUMERS, *TUTORIAL)
        return Offer(
            consumers=tuple(
                Value(name=row.name, summary=row.summary, kind=row.kind, variant_of=row.variant_of) for row in rows
            ),
            default_consumers=tuple(row.name for row in CONSUMERS if row.default),
            on_own_routes=tuple(row.name for row in TUTORIAL),
            answering_alone=tuple(row.name for row in TUTORIAL if row.answers_alone),
        )

    def prepare(self, folder: Path, users: int = 0) -> "PreparedReference":
        """Migrate the database, which takes about 2 s. Raises EnvironmentFailed."""
        return PreparedReference(database=prepare_database(folder, self.database_url))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedReference:
    """The reference app with its database ready."""

    database: Database

    def start(self, setting: Setting) -> "RunningReference":
        """Return the app in that setting; it starts when `with` is entered."""
        return RunningReference(setting, database=self.database)


class RunningReference(ProbedApp):
    """The reference app in a fresh server process; see ProbedApp.

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
        stage = partial(_stage, setting, database, dict(env or {}))
        row = BY_NAME.get(setting.consumer)
        staging = _staging(setting, stage) if row is None else _staging_of_tutorial(setting, stage, row)
        super().__init__(setting, staging, ready_s=ready_s)

    @property
    def expires_s(self) -> float:
        """How long after its last connection has ended members and presence have expired; 0: they stay."""
        of_consumer = [row.expires_s for row in CONSUMERS if row.name == self._setting.consumer]
        return max(super().expires_s, *of_consumer, 0.0)


def _staging(setting: Setting, stage: Stage) -> Staging:
    path = PRIMING_PATH.format(consumer=setting.consumer)
    return Staging(stage=stage, prime=partial(_prime, setting), priming_path=path)


def _staging_of_tutorial(setting: Setting, stage: Stage, row: Tutorial) -> Staging:
    """Return how a consumer with a route of its own is measured: its users speak in templates, and may be signed in."""
    return Staging(
        stage=stage,
        prime=partial(prime_app, setting.own_users or [Templates(talk=setting.talk)], ""),
        admit=_signed_in if row.is_signed_in else no_entry,
        path=row.path,
        answers_alone=row.answers_alone,
        priming_path=row.path.replace(ROOM, "0"),
    )


def _signed_in(application: Application, _url: str, users: int) -> Entry:
    """Make so many users in the app's database, each with a session: checking a password takes half a second each."""
    with short_folder() as folder:
        file = folder / "sessions"
        run_manage("make_sessions", str(users), str(file), database_url=application.env["DATABASE_URL"])
        return Entry(sessions=tuple(json.loads(file.read_text())))


def _prime(setting: Setting, url: str, control: Path, entry: Entry, start: StartCommand) -> None:
    """Send the app the message that it knows, and after it those of users who say something else."""
    prime(url, control)
    if setting.own_users:
        address = url.removesuffix(PRIMING_PATH.format(consumer=setting.consumer))
        prime_app(setting.own_users, "", address, control, entry, start)


def _stage(
    setting: Setting, database: Database, env: Mapping[str, str], folder: Path, closing: ExitStack
) -> Application:
    """Return the app as it is served in a trial."""
    prefix, broker = new_prefix(), setting.broker if setting.layer.broker else None
    own = reference_environment(setting.layer.setting(broker_url=broker.url if broker else None, prefix=prefix))
    own["DATABASE_URL"] = database.for_trial(folder)
    closing.callback(database.end_trial)
    if broker is not None:
        closing.callback(broker.forget, prefix)
    return Application(
        name=APPLICATION,
        folder=SHIPPED,
        python=sys.executable,
        env={**own, **probe_environment(setting, folder), **env},
        health="/healthz",
    )


def reference_environment(channel_layers: Mapping[str, object]) -> dict[str, str]:
    """Return the environment in which the reference app runs on these channel layers, without a probe."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "CHANNEL_LAYERS": json.dumps(channel_layers),
        "PYTHONUNBUFFERED": "1",
    }
    for variable in (LEDGER_VARIABLE, CONTROL_VARIABLE, TOKEN_VARIABLE):
        env.pop(variable, None)
    return env
