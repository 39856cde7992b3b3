"""A command of a user's own that does not start their app: one message that says why. One that does: test_user_app."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from loadtest.layers import LAYERS
from loadtest.servers import find_server
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.served import Application, ServedApplication
from loadtest.targets.target import Setting
from tests.live.test_user_app import options
from tests.live.test_user_app_bad_input import Run, bench

__all__ = ["bench"]
pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("no-such-server {port}", "cannot start no-such-server: No such file or directory"),
        ("python -E -m daphne -p {port} teamchat.asgi:application", "the probe did not get in: --command has started "),
    ],
)
def test_command_when_it_serves_nothing_or_without_the_probe_then_exit_4_and_why(
    bench: Run, command: str, problem: str
) -> None:
    code, said = bench(*options("/ws/chat/"), "--no-pin", "--allow-contention", "--command", command)
    assert code == 4
    assert problem in said


def test_command_when_it_listens_nowhere_then_that_is_said_with_its_last_lines(tmp_path: Path) -> None:
    application = Application(
        name="shop.asgi:application", folder=tmp_path, python="python", env={"PATH": "/usr/bin:/bin"}, health="/",
        command=("sh", "-c", "echo starting; exec sleep 60"),
    )  # fmt: skip
    setting = Setting(server=find_server("sh"), layer=LAYERS["inmemory"], folder=tmp_path)
    served = ServedApplication(application, setting, ready_s=0.3)
    with ExitStack() as closing, pytest.raises(EnvironmentFailed) as failed:
        served.start(closing)
    assert "the target (sh, layer inmemory) was not ready within 0.3 s" in str(failed.value)
    assert "its last lines:\n  starting" in str(failed.value)
