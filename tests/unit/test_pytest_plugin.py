"""The pytest plugin: what arguments make a plan, what a trial's tables make a result, and what a failed test prints."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtest.bench.alone import _only_trial
from loadtest.bench.measuring import Measured
from loadtest.bench.plan import PlanError
from loadtest.dimensions import CellKey
from loadtest.pytest_plugin import Result, Scenarios
from loadtest.pytest_plugin.asked import NoApp, app_of_settings
from loadtest.pytest_plugin.figures import result_of
from loadtest.pytest_plugin.measuring import plan_of, split
from loadtest.pytest_plugin.told import told
from loadtest.report.tables import Tables
from loadtest.targets.reference import ReferenceApp

CELL = CellKey(consumer="async", layer="inmemory", scenario="churn", drop="mixed")
TRIAL = {**CELL.as_row(), "trial": 1}
FOLDER = f"{CELL.folder}/1"
NOTHING = {"throughput": [{**TRIAL, "valid": "yes"}]}
CLEAN = {
    "dropped": 10, "disconnect_called": 10, "missed": 0, "unknown": 0, "groups_left": 0, "tasks_left": 0,
    "queues_left": 0, "subscriptions_left": 0, "exposure": 0.02,
}  # fmt: skip


def drop(connection: int, kind: str, verdict: str = "called", **changed: Any) -> dict[str, Any]:
    detected = {"detect_ms": float(connection)} if verdict == "called" else {"watched_ms": 5_000.0}
    return {**TRIAL, "drop": kind, "connection": connection, "verdict": verdict, **detected, **changed}


def kind(name: str, **changed: Any) -> dict[str, Any]:
    return {**TRIAL, "drop": name, **CLEAN, **changed}


def result(*, invalid: tuple[str, ...] = (), **rows: list[dict[str, Any]]) -> Result:
    measured = Measured(tables=Tables.from_rows({**NOTHING, **rows}), invalid=invalid, identity={})
    return result_of(measured, notes=("it writes to SQLite",), folder=Path("/gone"), title="churn at /ws/")


def test_result_when_several_kinds_were_dropped_then_it_has_the_sum_of_them() -> None:
    found = result(disconnects=[kind("fin"), kind("rst", disconnect_called=7, missed=3, groups_left=3)])
    assert (found.dropped, found.disconnect_called, found.missed, found.groups_left) == (20, 17, 3, 3)
    assert found.missed_share == pytest.approx(3 / 20)
    assert found.exposure == 0.02
    assert found.valid


def test_result_when_a_figure_is_not_known_of_one_kind_then_it_is_not_known() -> None:
    found = result(
        disconnects=[kind("fin"), kind("rst", groups_left=None)],
        unknown=[{**TRIAL, "column": "disconnects.groups_left", "why": "nobody told"}],
    )
    assert found.groups_left is None
    assert found.missed == 0
    assert found.unknown_because == ("disconnects.groups_left: nobody told",)


@pytest.mark.parametrize("disconnects", [[], [kind("fin", **dict.fromkeys(CLEAN, 0))]], ids=["none planned", "none"])
def test_result_when_nothing_was_dropped_then_no_count_of_drops_is_0(disconnects: list[dict[str, Any]]) -> None:
    found = result(disconnects=disconnects)
    assert found.dropped == 0
    assert found.missed is found.missed_share is found.groups_left is found.detect_ms.p50 is None


def test_result_when_no_message_was_expected_then_it_is_not_known_that_none_was_lost() -> None:
    of_nobody = result(delivery=[{**TRIAL, "expected": 0, "delivered": 0, "lost": 0}])
    assert of_nobody.lost is None
    assert result(delivery=[{**TRIAL, "expected": 2, "delivered": 2, "lost": 0}]).lost == 0


def test_result_when_few_were_dropped_then_their_median_is_known_and_p99_is_not() -> None:
    drops = [drop(number, "fin") for number in range(1, 11)]
    found = result(disconnects=[kind("fin")], drops=drops)
    assert found.detect_ms.p50 == 5
    assert found.detect_ms.p99 is None


def test_result_when_most_were_missed_then_half_of_them_came_never() -> None:
    drops = [drop(number, "fin", "called" if number < 3 else "missed") for number in range(1, 11)]
    assert result(disconnects=[kind("fin")], drops=drops).detect_ms.p50 == float("inf")


def test_result_when_a_trial_is_about_the_rig_then_it_is_not_valid_and_says_why() -> None:
    found = result(invalid=("the generator was late", "the clock jumped"))
    assert not found.valid
    assert found.invalid_because == "the generator was late; the clock jumped"


def test_result_when_drops_left_something_then_each_has_an_example_and_a_called_one_first() -> None:
    drops = [drop(7, "rst", "missed", group_left=1), drop(8, "fin", group_left=1), drop(9, "fin")]
    found = result(disconnects=[kind("fin"), kind("rst", missed=1)], drops=drops)
    assert [(one.what, one.connection) for one in found.examples] == [
        ("missed its disconnect()", f"{FOLDER}:7"),
        ("stayed in a group", f"{FOLDER}:8"),
    ]


def test_result_when_all_is_well_then_its_example_is_the_drop_that_was_noticed_last() -> None:
    found = result(disconnects=[kind("fin")], drops=[drop(7, "fin"), drop(9, "fin"), drop(8, "fin")])
    assert [(one.what, one.connection) for one in found.examples] == [
        ("was the last to come to disconnect()", f"{FOLDER}:9")
    ]


def test_told_when_a_test_fails_then_figures_and_what_is_not_known_are_printed() -> None:
    text = told(
        result(
            disconnects=[kind("fin", missed=2, disconnect_called=8, presence_left=None)],
            drops=[drop(7, "fin", "missed", queue_left=1)],
            invalid=("the clock jumped",),
        )
    )
    assert "drops: dropped 10, disconnect_called 8, missed 2, unknown 0" in text
    assert "presence_left unknown" in text
    assert "NOT VALID, the figures are about the generator or the machine: the clock jumped" in text
    assert "note: it writes to SQLite" in text
    assert "connection 7 missed its disconnect() and still had messages queued for it:" in text
    assert f"channels-loadtest show /gone {FOLDER}:7" in text
    assert "/gone keeps no ledgers" in text


def test_told_when_nothing_was_dropped_then_no_count_of_drops_is_printed() -> None:
    text = told(result(delivery=[{**TRIAL, "expected": 2, "delivered": 2, "lost": 0}]))
    assert text.startswith("nothing was dropped\nmessages: expected 2, delivered 2, lost 0, duplicated unknown")


def test_arguments_when_given_then_options_of_the_app_and_keys_of_the_plan_are_told_apart() -> None:
    of_app, of_plan = split({"before": "python manage.py migrate", "users_file": "u.txt", "drops": "fin", "users": 4})
    assert of_app == {"before": ["python manage.py migrate"], "users_file": Path("u.txt")}
    assert of_plan == {"drops": "fin", "users": 4}


@pytest.mark.parametrize("key", ["trials", "load", "scenarios", "fail_on", "profile"])
def test_arguments_when_they_are_of_a_run_then_they_are_refused(key: str) -> None:
    with pytest.raises(PlanError, match=f"{key}: a test measures one trial"):
        split({key: 1})


def test_plan_when_keys_are_wrong_then_it_is_the_plans_own_message_with_all_of_them() -> None:
    with pytest.raises(PlanError) as refused:
        plan_of("churn", {"drops": "cloze", "usres": 3, "duration": -1}, ReferenceApp(database_url=None))
    told = str(refused.value)
    assert "drops: unknown drop 'cloze'; there are " in told
    assert "usres: unknown key; a plan has " in told
    assert "duration: Input should be greater than" in told


def test_plan_when_kinds_of_drop_are_mixed_then_it_is_one_trial() -> None:
    one = {"consumers": "async", "layers": "inmemory"}
    plan = plan_of("churn", {**one, "drops": "close,fin,rst", "users": 4}, ReferenceApp(database_url=None))
    assert plan.drops_of(_only_trial(plan).cell) == ("close", "fin", "rst")
    assert plan.rate is None


def test_plan_when_it_has_several_cells_then_it_is_refused_with_their_names() -> None:
    plan = plan_of("churn", {"consumers": "async,sync", "layers": "inmemory"}, ReferenceApp(database_url=None))
    with pytest.raises(PlanError, match=r"one trial is measured here, and the plan has 2, of .*async.*; .*sync"):
        _only_trial(plan)


def test_app_when_the_settings_name_it_then_it_is_written_as_a_server_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings", SimpleNamespace(ASGI_APPLICATION="mysite.asgi.application"))
    assert app_of_settings() == "mysite.asgi:application"


def test_app_when_the_settings_name_none_then_the_message_says_how_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings", SimpleNamespace())
    with pytest.raises(NoApp, match="have no ASGI_APPLICATION; name the app with channels_loadtest_app = "):
        app_of_settings()


def test_scenario_when_the_app_cannot_be_measured_then_the_test_fails_with_one_message(tmp_path: Path) -> None:
    scenarios = Scenarios(app="a.asgi", root=tmp_path / "nowhere", new_folder=lambda: tmp_path)
    with pytest.raises(pytest.fail.Exception) as failed:
        scenarios.churn("/ws/")
    assert str(failed.value) == f"channels-loadtest: --app-dir: {tmp_path / 'nowhere'} is no folder"
    assert failed.value.__context__ is None, "pytest would print it too"


def test_pytest_when_no_test_asks_for_the_fixture_then_nothing_heavy_is_imported(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_other():\n"
        "    assert 'loadtest.pytest_plugin.plugin' in sys.modules\n"
        "    heavy = {'polars', 'numpy', 'pydantic', 'locust', 'gevent', 'rich', 'loadtest.bench', 'django.conf'}\n"
        "    assert heavy & sys.modules.keys() == set()\n"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DJANGO"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", "test_other.py"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env)
    assert run.returncode == 0, run.stdout
