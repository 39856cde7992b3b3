"""The fixture's value: a method for each scenario that a test is likely to ask for, and one for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadtest.pytest_plugin.asked import Asked, NoApp, app_of_settings, settings_module
from loadtest.pytest_plugin.result import Result


class Scenarios:
    """Runs scenarios on the app under test, each on a real server, with real sockets, and returns their figures.

    Arguments are the keys of a bench's plan (`drops`, `users`, `rate`, `message`, ...) and the options of `bench --app`
    (`join` as `--join`, `login_url` as `--login-url`, ...). What cannot be measured fails the test with one message.
    """

    def __init__(self, *, app: str, root: Path, new_folder: Callable[[], Path]) -> None:
        """`app` is as `--app` has it, empty: the settings' own; `root` is where it can be imported from."""
        self._app = app
        self._root = root
        self._new_folder = new_folder
        self.measured: list[Result] = []
        """The results so far, since the list was emptied."""

    def churn(self, path: str, *, seconds: float | None = None, **arguments: Any) -> Result:
        """Drop members of rooms while they talk, and let them come back."""
        return self.run("churn", path, seconds=seconds, **arguments)

    def broadcast(self, path: str, *, seconds: float | None = None, **arguments: Any) -> Result:
        """Have members of rooms talk, and drop none."""
        return self.run("broadcast", path, seconds=seconds, **arguments)

    def echo(self, path: str, *, seconds: float | None = None, **arguments: Any) -> Result:
        """Have each user send a message and wait until it has come back."""
        return self.run("echo", path, seconds=seconds, **arguments)

    def run(self, scenario: str, path: str, *, seconds: float | None = None, **arguments: Any) -> Result:
        """Run the scenario of that name at a path for so many seconds, and return its figures."""
        __tracebackhide__ = True
        from loadtest.pytest_plugin.measuring import CannotMeasure, measured  # polars and more: when a test asks

        if seconds is not None:
            arguments = {"duration": seconds, **arguments}
        try:
            result = measured(self._asked(scenario, path, arguments), self._new_folder())
        except (CannotMeasure, NoApp) as error:
            problem = str(error)
        else:
            self.measured.append(result)
            return result
        pytest.fail(f"channels-loadtest: {problem}", pytrace=False)  # out here: pytest would print what it comes from

    def _asked(self, scenario: str, path: str, arguments: dict[str, Any]) -> Asked:
        return Asked(
            scenario=scenario,
            path=path,
            app=arguments.pop("app", "") or self._app or app_of_settings(),
            settings=settings_module(),
            root=self._root,
            arguments=arguments,
        )
