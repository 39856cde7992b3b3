"""The hooks and the fixture that pytest finds by the entry point; nothing heavy comes in before a test asks for it."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from loadtest.pytest_plugin.result import Result
from loadtest.pytest_plugin.scenarios import Scenarios

APP_OPTION = "channels_loadtest_app"
_SCENARIOS = pytest.StashKey[Scenarios]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that names the app."""
    parser.addini(APP_OPTION, "ASGI application of the fixture channels_loadtest; settings.ASGI_APPLICATION if not set")


@pytest.fixture(scope="session")
def channels_loadtest(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Scenarios:
    """Drop connections of the app on a real server, and get figures to assert on: `.churn(path="/ws/chat/lobby/")`."""
    scenarios = Scenarios(
        app=pytestconfig.getini(APP_OPTION),
        root=pytestconfig.rootpath,
        new_folder=lambda: tmp_path_factory.mktemp("channels-loadtest"),
    )
    pytestconfig.stash[_SCENARIOS] = scenarios
    return scenarios


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget what earlier tests have measured; a result that they share comes back by the name of its fixture."""
    if scenarios := item.config.stash.get(_SCENARIOS, None):
        scenarios.measured.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what was measured to the report of a test that failed."""
    report = yield
    if report.failed and call.when != "teardown" and (results := _results_of(item)):
        from loadtest.pytest_plugin.told import told

        report.sections += [(f"channels-loadtest: {result.title}", told(result)) for result in results]
    return report


def _results_of(item: pytest.Item) -> list[Result]:
    """The results that a test has measured, and those that it was given by fixtures, once each."""
    scenarios = item.config.stash.get(_SCENARIOS, None)
    if scenarios is None:
        return []
    given = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Result)]
    return [*scenarios.measured, *(result for result in given if result not in scenarios.measured)]
