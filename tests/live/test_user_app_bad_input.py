"""An app that cannot be measured: one message that says why, exit code 2 or 4, and nothing left in --out."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest.cli.main import main
from loadtest.targets import prime_app

pytestmark = pytest.mark.live

PROJECT = Path(__file__).with_name("projects") / "teamchat"
SAY = ("--message", '{"command": "say", "text": "{marker}"}')
JOIN = ("--join", '{"command": "join", "room": "r{room}"}')
SHORT = ("--users", "2", "--room-size", "2", "--load", "fixed", "--trials", "1", "--duration", "1", "--drops", "rst",
         "--no-pin", "--allow-contention")  # fmt: skip

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run `bench --app` with some arguments in this process; exit code and the one message."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    own = tempfile.mkdtemp(prefix="bench-")  # whose lock no other bench holds
    monkeypatch.setattr(tempfile, "tempdir", own)
    monkeypatch.setattr(prime_app, "ANSWER_S", 3.0)  # what is waited for here mostly does not come

    def run(*arguments: str | Path, app: str = "teamchat.asgi", folder: Path = PROJECT) -> tuple[int, str]:
        command = ["channels-loadtest", "bench", "--app", app, "--app-dir", folder, "--out", tmp_path / "out"]
        monkeypatch.setattr("sys.argv", [str(word) for word in (*command, *arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert "Traceback" not in said
        messages = [line for line in said.splitlines() if line.startswith("channels-loadtest: ")]
        assert len(messages) == 1, said
        assert isinstance(ended.value.code, int)
        return ended.value.code, said

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
    shutil.rmtree(own)


def project(folder: Path, asgi: str, settings: str = "SECRET_KEY = 'x'\n") -> Path:
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "settings.py").write_text(settings)
    (folder / "shop" / "asgi.py").write_text(asgi)
    return folder


SET_UP = (
    "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
    "from django.core.asgi import get_asgi_application\nhttp = get_asgi_application()\n"
)


def test_app_when_there_is_no_such_module_then_exit_4_and_where_it_was_looked_for(bench: Run) -> None:
    code, said = bench("--path", "/ws/chat/", app="teamchat.asgy:application")
    assert code == 4
    assert f"there is no module teamchat.asgy in {PROJECT}" in said


def test_app_when_the_module_has_no_such_name_then_exit_4(bench: Run) -> None:
    code, said = bench("--path", "/ws/chat/", app="teamchat.asgi:app")
    assert code == 4
    assert "there is no app in teamchat.asgi" in said


def test_app_when_it_does_not_import_then_exit_4_with_the_error_and_its_line(bench: Run, tmp_path: Path) -> None:
    broken = project(tmp_path / "p", f"{SET_UP}import no_such_package\n")
    code, said = bench("--path", "/ws/", app="shop.asgi", folder=broken)
    assert code == 4
    assert (
        "shop.asgi cannot be imported: ModuleNotFoundError: No module named 'no_such_package' (shop/asgi.py, line 5)"
        in said
    )


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("shop.setings", "there is no settings module shop.setings in "),
        ("shop.settings", "ImproperlyConfigured: The SECRET_KEY setting must not be empty"),
    ],
)
def test_app_when_its_settings_are_wrong_then_exit_4(bench: Run, tmp_path: Path, settings: str, problem: str) -> None:
    wrong = project(
        tmp_path / "p", SET_UP + "from django.conf import settings\nsettings.SECRET_KEY\n", "SECRET_KEY = ''\n"
    )
    code, said = bench("--path", "/ws/", "--settings", settings, app="shop.asgi", folder=wrong)
    assert code == 4
    assert problem in said


def test_path_when_the_app_has_no_route_for_it_then_exit_2_with_those_that_there_are(bench: Run) -> None:
    code, said = bench("--path", "/ws/chatt/")
    assert code == 2
    routes = "ws/binary/bytes/, ws/binary/msgpack/, ws/chat/, ws/chat/sync/, ws/rpc/, ws/rpc/beta/, ws/v1/chat/, "
    assert f"--path: the app has no route for the path '/ws/chatt/'; there are {routes}ws/v1/chat/sync/\n" in said


def test_path_when_no_consumer_of_channels_answers_then_exit_4(bench: Run, tmp_path: Path) -> None:
    bare = project(tmp_path / "p", f"{SET_UP}async def application(scope, receive, send):\n"
                                   "    await send({'type': 'websocket.close', 'code': 4003})\n")  # fmt: skip
    code, said = bench("--path", "/ws/", app="shop.asgi", folder=bare)
    assert code == 4
    assert "no consumer was reached at the path '/ws/': the connection was refused before" in said


def test_message_when_it_has_no_marker_then_exit_2(bench: Run) -> None:
    code, said = bench("--path", "/ws/chat/", "--message", '{"command": "say"}')
    assert code == 2
    assert "message: there is no {marker} in " in said


def test_message_when_its_marker_does_not_come_back_then_exit_4_with_what_came(bench: Run) -> None:
    wrong = ("--message", '{"command": "shout", "text": "{marker}"}')
    code, said = bench("--path", "/ws/chat/", *JOIN, "--expect", "joined", *wrong, *SHORT)
    assert code == 4
    assert "the marker of a message did not come back" in said
    assert 'what came: \'{"event": "error", "error": "unknown command shout"}\'' in said


def test_message_when_it_is_acknowledged_with_its_marker_then_exit_4_and_what_tells_the_two_apart(bench: Run) -> None:
    receipt = ("--message", '{"command": "say", "text": "{marker}", "receipt": true}')
    code, said = bench("--path", "/ws/chat/", *JOIN, "--expect", "joined", *receipt, *SHORT)
    assert code == 4
    assert "the marker of one message came back in two frames" in said
    assert "--ack 'TEXT' says by which text an acknowledgement is known" in said


def test_join_when_what_is_expected_does_not_come_then_exit_4_with_what_came(bench: Run) -> None:
    code, said = bench("--path", "/ws/chat/", *JOIN, "--expect", "welcome", *SAY, *SHORT)
    assert code == 4
    assert "no frame with 'welcome' came after joining" in said
    assert '"event": "joined"' in said


def test_message_when_the_app_closes_on_it_then_exit_4_and_that_is_said(bench: Run) -> None:
    code, said = bench("--path", "/ws/chat/", "--message", '{"text": "{marker}"}', *SHORT)
    assert code == 4
    assert "the app closed the connection" in said


def test_python_when_it_has_no_server_then_exit_4_with_what_installs_one(bench: Run, tmp_path: Path) -> None:
    python = environment(tmp_path, "django", "channels", "asgiref", "sqlparse", "msgpack")
    code, said = bench("--path", "/ws/chat/", "--python", python)
    assert code == 4
    assert "there is no server to run the app: " in said
    assert f"{python} -m pip install uvicorn" in said


def test_python_when_it_is_too_old_for_the_probe_then_exit_4_and_that_is_said(bench: Run, tmp_path: Path) -> None:
    python = tmp_path / "python3.8"
    python.write_text("#!/bin/sh\nexit 77\n")
    python.chmod(0o755)
    code, said = bench("--path", "/ws/chat/", "--python", python)
    assert code == 4
    assert f"{python} is older than Python 3.10, which the probe needs" in said


def test_python_when_it_has_no_channels_then_exit_4_and_that_is_said(bench: Run, tmp_path: Path) -> None:
    python = environment(tmp_path, "django", "asgiref", "sqlparse")
    code, said = bench("--path", "/ws/chat/", "--python", python)
    assert code == 4
    assert f"channels is not installed (asked with {python})" in said


def environment(folder: Path, *packages: str) -> Path:
    """Return the interpreter of a new environment that has these of our packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    for package in packages:
        for ours in Path(sysconfig.get_path("purelib")).glob(f"{package}*"):
            if ours.name.partition("-")[0] == package:
                (site / ours.name).symlink_to(ours)
    return folder / "venv" / "bin" / "python"
