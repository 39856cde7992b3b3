"""Attaching: what Locust's web UI gets before it is served, and what happens at the start and the end of a test."""

import inspect
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from flask import Response, jsonify, request
from werkzeug.datastructures import ImmutableMultiDict

from loadtest.stack.errors import EnvironmentFailed
from loadtest.users.clock import clock_of
from loadtest.users.stages import stage_of
from loadtest.webui.beside_locust.asking import StageError, StageProcess
from loadtest.webui.beside_locust.guard import NoPassword, guard
from loadtest.webui.beside_locust.pages import Pages
from loadtest.webui.beside_locust.starting import Starter, StartError, default_scenario, path_of

BAD_USAGE: Final = 2
_RUNNING: Final = frozenset({"running", "spawning"})
_POLL_S: Final = 0.1
_FINISHING_S: Final = 60.0
"""Beside what silently dropped connections are held: members come back, messages arrive, members close."""


def attach_to(environment: Any, web_ui: Any) -> None:
    """Guard the web UI; and where a locustfile says what load it takes, add the form, the tabs and the stage."""
    try:
        guard(web_ui)
    except NoPassword as error:
        print(error, file=sys.stderr)
        sys.exit(BAD_USAGE)
    files = {each: path_of(inspect.getfile(each)) for each in environment.user_classes}
    options = environment.parsed_options
    if options.job:
        return
    try:
        stage = StageProcess(out=Path(options.results), port=options.app_port, brokers=options.brokers)
        offer = stage.ask("hello", locustfiles=list(dict.fromkeys(files.values())))
    except (EnvironmentFailed, StageError) as error:
        print(f"without tabs and audit: {error}", file=sys.stderr)
        return
    environment.events.quit.add_listener(lambda **_: stage.close())
    if not offer["scenarios"]:
        stage.close()
        return
    _Attached(environment, web_ui, stage, offer, files)


class _Attached:
    """What listens to a web UI and its tests."""

    def __init__(
        self, environment: Any, web_ui: Any, stage: StageProcess, offer: dict[str, Any], files: dict[type, str]
    ) -> None:
        self._environment, self._stage = environment, stage
        scenarios = {each["name"]: each for each in offer["scenarios"]}
        self._starter = Starter(environment, stage, scenarios, files)
        first = scenarios[environment.parsed_options.scenario or default_scenario(scenarios)]
        options = environment.parsed_options
        options.num_users = options.num_users or first["users"]
        options.spawn_rate = options.spawn_rate or float(first["users"])
        web_ui.app.json.sort_keys = False
        web_ui.app.before_request(self._before)
        Pages(environment, web_ui, stage, offer, self._starter).add()
        environment.events.test_stop.add_listener(self._stopped)

    def _before(self) -> Response | None:
        if request.method != "POST":
            return None
        if request.path.endswith("/swarm"):
            return self._start()
        if request.path.endswith("/stop"):
            self._finish()
        return None

    def _start(self) -> Response | None:
        """Start the target before Locust starts its users; what is wrong comes back to the form."""
        if self._environment.runner.state in _RUNNING:
            return None  # more or fewer users in a running test
        if getattr(self._environment.runner, "worker_count", 1) == 0:
            return self._refused("no worker has joined yet; start one, or leave out --master")
        form = {name: ",".join(request.form.getlist(name)) for name in request.form}
        try:
            left = self._starter.start(form)
        except StartError as error:
            return self._refused(str(error))
        request.form = ImmutableMultiDict(left)
        return None

    def _refused(self, why: str) -> Response:
        return jsonify({"success": False, "message": why, "host": self._environment.host})

    def _finish(self) -> None:
        """Have a test that counts come to its end in order, before Locust stops it."""
        clock, stage = clock_of(self._environment), stage_of(self._environment)
        if clock is None or stage is None:
            return
        if not clock.finish() and not clock.is_ending:
            return
        deadline = time.monotonic() + _FINISHING_S + stage.hold_s
        while self._environment.runner.state in _RUNNING and time.monotonic() < deadline:
            time.sleep(_POLL_S)

    def _stopped(self, **_: Any) -> None:
        """Have what was measured audited; beside what Locust does, for a report takes a second."""
        if stage_of(self._environment) is not None:
            threading.Thread(target=self._audit, daemon=True).start()

    def _audit(self) -> None:
        try:
            self._stage.ask("finish")
        except StageError as error:
            print(f"the audit failed: {error}", file=sys.stderr)
