"""`python manage.py loadtest bench` on a project that has the probe among its apps."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.live.bench_process import Bench, manifest, table

pytestmark = pytest.mark.live

TEAMCHAT = Path(__file__).with_name("projects") / "teamchat"
WITH_PROBE = """
from teamchat.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "loadtest.probe"]
"""
TALK = (
    "--join", '{"command": "join", "room": "team{room}"}', "--expect", '"event": "joined"',
    "--message", '{"command": "say", "text": "{marker}"}',
)  # fmt: skip
LOAD = (
    "--scenarios=churn", "--users=8", "--room-size=4", "--load=fixed", "--trials=1", "--duration=2", "--drops=rst",
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project with one app more in its settings."""
    copy = tmp_path / "project"
    shutil.copytree(TEAMCHAT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "teamchat" / "probed.py").write_text(WITH_PROBE)
    return copy


def manage(project: Path, *arguments: str | Path) -> Bench:
    env = {"DJANGO_SETTINGS_MODULE": "teamchat.probed", "TEAMCHAT_SECRET_KEY": "swordfish"}
    return Bench("manage.py", "loadtest", *arguments, program=sys.executable, env=env, cwd=project)


def test_manage_when_it_runs_a_bench_then_it_is_of_the_project(project: Path, tmp_path: Path) -> None:
    with manage(project, "bench", "--path", "/ws/chat/", *TALK, *LOAD, "--out", tmp_path / "out") as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
    run = tmp_path / "out" / "latest"
    target = manifest(run)["target"]
    assert (target["app"], target["app_dir"]) == ("teamchat.asgi:application", str(project))
    assert target["settings"] == "teamchat.probed"
    (row,) = table(run, "disconnects").to_dicts()
    assert row["consumer"] == "ChatConsumer"
    assert row["dropped"] == row["disconnect_called"] + row["missed"] > 0


def test_manage_when_the_tool_refuses_then_its_message_and_its_exit_code_are_those_of_manage(project: Path) -> None:
    with manage(project, "bench", "--path", "/ws/chat/", "--users", "0") as bench:
        assert bench.ended() == 2, bench.out
        assert "users" in bench.err
        assert "Traceback" not in bench.err
