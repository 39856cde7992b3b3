"""The pytest plugin in a stranger's project: its tests drop connections, and one that fails tells the story."""

import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.bench_process import Bench, assert_tidy

pytestmark = pytest.mark.live

PROJECTS = Path(__file__).with_name("projects")
PYTEST = Path(sys.executable).with_name("pytest")
WITH_PYTEST_DJANGO = "[pytest]\nDJANGO_SETTINGS_MODULE = teamchat.settings\n"
WITHOUT = "[pytest]\naddopts = -p no:django\nchannels_loadtest_app = teamchat.asgi\n"
LOAD = """
import pytest

LOAD = {
    "users": 16, "room_size": 8, "seconds": 2, "pin": False, "allow_contention": True,
    "join": '{"command": "join", "room": "team{room}"}', "expect": '"event": "joined"',
    "message": '{"command": "say", "text": "{marker}"}',
}
"""
TESTS = """
def test_chat_survives_drops(channels_loadtest):
    result = channels_loadtest.churn(path="/ws/chat/", drops="close,fin,rst", **LOAD)
    assert result.valid, result.invalid_because
    assert result.dropped > 0
    assert result.unknown == 0
    assert result.groups_left == result.missed
    assert result.lost <= result.missed * LOAD["room_size"]
    assert result.detect_ms.p50 > 0
    assert 0 <= result.exposure <= 1

def test_old_chat_survives_drops(channels_loadtest):
    result = channels_loadtest.churn(path="/ws/v1/chat/", drops="rst", **LOAD)
    assert result.groups_left == 0

def test_with_a_wrong_argument(channels_loadtest):
    channels_loadtest.churn(path="/ws/chat/", drops="cloze", **LOAD)

def test_of_a_path_that_there_is_not(channels_loadtest):
    channels_loadtest.churn(path="/ws/no/chat/", **LOAD)
"""
SHARED = """
@pytest.fixture(scope="module")
def result(channels_loadtest):
    return channels_loadtest.churn(path="/ws/v1/chat/", drops="rst", **LOAD)

def test_dropped(result):
    assert result.dropped > 0

def test_left(result):
    assert result.groups_left == 0

def test_broadcast(channels_loadtest):
    result = channels_loadtest.broadcast(path="/ws/chat/", **LOAD)
    assert (result.dropped, result.missed, result.lost) == (0, None, 0)
"""
ENDLESS = """
def test_that_is_interrupted(channels_loadtest):
    channels_loadtest.churn(path="/ws/chat/", drops="rst", **{**LOAD, "seconds": 600})
"""


def project_with(tests: str, settings: str, folder: Path) -> Path:
    """A copy of a project, with tests of its own."""
    project = shutil.copytree(PROJECTS / "teamchat", folder / "project", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "pytest.ini").write_text(settings)
    (project / "test_chat.py").write_text(LOAD + tests)
    return project


def pytest_in(project: Path) -> Bench:
    return Bench("-p", "no:cacheprovider", "--basetemp", project.parent / "base", program=PYTEST, cwd=project)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What pytest printed in a project that uses pytest-django."""
    project = project_with(TESTS, WITH_PYTEST_DJANGO, tmp_path_factory.mktemp("project"))
    with pytest_in(project) as started:
        assert started.ended() == 1, started.out + started.err
        assert_tidy(started)
        assert not (project / "teamchat.sqlite3").exists(), "the app wrote to a scratch database"
        yield started.out


def test_plugin_when_an_app_cleans_up_then_its_test_passes_and_the_others_fail(run: str) -> None:
    assert "3 failed, 1 passed" in run, run
    assert "FAILED test_chat.py::test_chat_survives_drops" not in run
    assert re.search(r"^plugins: .*django", run, re.MULTILINE)


def test_plugin_when_a_test_fails_then_it_prints_the_story_of_a_connection(run: str) -> None:
    (section,) = re.findall(r"-+ channels-loadtest: churn at /ws/v1/chat/ -+\n(.*?)\n_{5,}", run, re.DOTALL)
    assert re.search(r"^drops: dropped \d+, disconnect_called ", section, re.MULTILINE)
    assert "note: the app writes to SQLite files that are thrown away, not to its databases" in section
    story = section.partition("stayed in a group")[2].partition("channels-loadtest show")[0]
    steps = ("joined the group: room.team", "DROPPED: rst", "disconnect() entered", "disconnect() returned")
    assert [step for step in steps if step not in story] == [], section
    assert "left the group" not in story


def test_plugin_when_what_is_asked_for_cannot_be_measured_then_it_is_one_message_and_no_traceback(run: str) -> None:
    messages = re.findall(r"^channels-loadtest: .*$", run, re.MULTILINE)
    assert [message.partition("; there are")[0] for message in messages] == [
        "channels-loadtest: drops: unknown drop 'cloze'",
        "channels-loadtest: --path: the app has no route for the path '/ws/no/chat/'",
    ]
    assert "Traceback" not in run
    assert "The above exception" not in run


def test_plugin_when_pytest_django_is_not_there_and_tests_share_a_result_then_the_one_that_fails_tells_it(
    tmp_path: Path,
) -> None:
    with pytest_in(project_with(SHARED, WITHOUT, tmp_path)) as started:
        assert started.ended() == 1, started.out + started.err
        assert "1 failed, 2 passed" in started.out, started.out
        assert len(re.findall(r"-+ channels-loadtest: churn at /ws/v1/chat/ -+", started.out)) == 1
        assert "stayed in a group" in started.out
        assert_tidy(started)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_plugin_when_a_test_is_interrupted_then_nothing_stays_behind(tmp_path: Path, number: signal.Signals) -> None:
    with pytest_in(project_with(ENDLESS, WITH_PYTEST_DJANGO, tmp_path)) as started:
        started.wait_until(lambda: list((tmp_path / "base").glob("channels-loadtest*/trials/*/*/ledger/*client*")))
        assert started.started("locust")
        started.process.send_signal(number)
        assert started.ended() == 2, started.out + started.err
        assert_tidy(started)
        assert list((tmp_path / "base").glob("channels-loadtest*/*")) == []
