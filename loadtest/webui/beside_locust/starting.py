"""Starting a test from the form: the stage starts the target first, and says what Locust is to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from loadtest.load import IDENTITY, Job
from loadtest.users.options import OptionsError, read_job
from loadtest.users.stages import put_stage
from loadtest.webui.beside_locust.asking import StageError, StageProcess

_NOT_YET: Final = "ws://127.0.0.1:1"
"""Stands for the target's address while the other options are checked; nobody connects to it."""
COMMAND: Final = "Locust's web UI"


class StartError(Exception):
    """The test cannot be started; the message is for the person."""


class TestOnStage:
    """The stage of one test."""

    def __init__(self, stage: StageProcess, hold_s: float) -> None:
        """It was begun already."""
        self._stage = stage
        self.hold_s = hold_s

    def measured(self) -> None:
        """Have the stage wait until the server has settled, and read what it holds."""
        self._stage.ask("settle")


class Starter:
    """Starts the tests of one Locust."""

    def __init__(
        self,
        environment: Any,
        stage: StageProcess,
        scenarios: Mapping[str, Mapping[str, Any]],
        files: Mapping[type, str],
    ) -> None:
        """Know the scenarios by name, each with its `locustfile`, and the locustfiles of the user classes."""
        self._environment, self._files = environment, files
        self._stage = stage
        self._scenarios = scenarios
        self._classes = list(environment.user_classes)
        self._own_url = ""

    @property
    def host(self) -> str:
        """The address that a person has given; nothing where the target is started here."""
        host = self._environment.host or ""
        return "" if host == self._own_url else host

    def start(self, form: Mapping[str, str]) -> dict[str, str]:
        """Have the target started, and return what is left of the form for Locust; raises StartError."""
        environment, scenario = self._environment, self._scenario(form)
        options = vars(environment.parsed_options)
        host = form.get("host", environment.host or "").strip()
        host = "" if host == self._own_url else self._whole(host, scenario, form)
        asked = {
            "locustfile": scenario["locustfile"],
            "server": form.get("server") or options["server"],
            "layer": form.get("layer") or options["layer"],
            "users": form.get("user_count", scenario["users"]),
            "duration": form.get("duration") or scenario["duration"],
            "allow_contention": form.get("allow_contention", options["allow_contention"]),
            "job": self._job(form, host),
        }
        put_stage(environment, None)
        try:
            begun = self._stage.ask("begin", asked=asked, host=host, command=COMMAND)
        except StageError as error:
            raise StartError(str(error)) from None
        self._take(begun["job"])
        environment.host = begun["url"]
        self._own_url = "" if host else begun["url"]
        environment.user_classes = [each for each in self._classes if self._files[each] == scenario["locustfile"]]
        put_stage(environment, TestOnStage(self._stage, begun["hold_s"]))
        kept = {name: form[name] for name in ("user_count", "spawn_rate") if name in form}
        return {**kept, "host": begun["url"]}

    def compare(self) -> None:
        """Have the comparison started, of the host that a person has given or the reference app.

        Raises StartError or StageError.
        """
        options = vars(self._environment.parsed_options)
        host = self._whole(self.host, self._scenario({}), {})
        asked = {
            "plan": options["plan"] or None,
            "folder": str(Path(options["plan_folder"]).resolve()),
            "locustfiles": [each["locustfile"] for each in self._scenarios.values()],
            "server": options["server"],
            "allow_contention": options["allow_contention"],
            "host": host,
            "job": self._job({}, host),
        }
        self._stage.ask("compare", asked=asked)

    def _scenario(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        name = form.get("scenario") or self._environment.parsed_options.scenario or default_scenario(self._scenarios)
        if name not in self._scenarios:
            raise StartError(f"scenario: there is no {name!r} here; there are {', '.join(self._scenarios)}")
        return self._scenarios[name]

    def _whole(self, host: str, scenario: Mapping[str, Any], form: Mapping[str, str]) -> str:
        """Return the address with the scenario's own path behind it, where it has none."""
        if not host or host.partition("://")[2].rstrip("/").count("/"):
            return host
        paths: list[str] = [each.path for each in self._classes if self._files[each] == scenario["locustfile"]]
        consumer = form.get("consumer") or self._environment.parsed_options.consumer
        return host.rstrip("/") + paths[0].format(consumer=consumer, room="{room}")

    def _job(self, form: Mapping[str, str], host: str) -> dict[str, Any]:
        options = vars(self._environment.parsed_options)
        given = {name: value for name, value in form.items() if name in Job.model_fields.keys() - IDENTITY - {"host"}}
        try:
            job = read_job({**options, "ledger": "", "steady": 0.0, **given}, host or _NOT_YET)
        except OptionsError as error:
            raise StartError(str(error)) from None
        return job.model_dump(mode="json")

    def _take(self, job: Mapping[str, Any]) -> None:
        """Put what the stage says among Locust's options, in which workers are told it too."""
        options = vars(self._environment.parsed_options)
        repeated = ("header", "join")
        for name in job.keys() - IDENTITY - {"host", *repeated}:
            value = job[name]
            options[name] = ",".join(value) if isinstance(value, list) else value
        for name in repeated:
            options[name] = list(job[name]) or options[name]


def default_scenario(scenarios: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the scenario that is started where nobody chooses one: churn, where it is there."""
    return "churn" if "churn" in scenarios else next(iter(scenarios))


def path_of(locustfile: str) -> str:
    """Return a locustfile's path as it is compared."""
    return str(Path(locustfile).resolve())
