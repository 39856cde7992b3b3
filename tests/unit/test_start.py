"""Where the command begins: a signal while its modules are imported, and an output that cannot be written."""

import io
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from loadtest.cli import exit_codes, start


class Full(io.StringIO):
    """An output on a disk without room."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")

    def fileno(self) -> int:
        return 99


@pytest.fixture(autouse=True)
def _signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda _number, _handler: None)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)


def ended(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> object:
    def main() -> None:
        raise error

    monkeypatch.setitem(sys.modules, "loadtest.cli.main", SimpleNamespace(main=main))
    with pytest.raises(SystemExit) as found:
        start.start()
    return found.value.code


def test_command_when_its_modules_are_being_imported_then_a_signal_ends_it_at_once_and_not_by_an_exception(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_: dict[int, object] = {}
    monkeypatch.setattr(signal, "signal", set_.__setitem__)
    monkeypatch.setattr(
        signal, "getsignal", lambda _number: signal.SIG_DFL
    )  # not ignored, as in the background they are
    monkeypatch.setitem(sys.modules, "loadtest.cli.main", None)
    with pytest.raises(ImportError):
        start.start()
    assert set(set_) == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    left: list[object] = []
    monkeypatch.setattr("os.write", lambda _fd, text: left.append(text))
    monkeypatch.setattr("os._exit", left.append)
    for leave in set_.values():
        assert callable(leave)
        leave(signal.SIGINT, None)
    assert left == [b"channels-loadtest: interrupted\n", exit_codes.INTERRUPTED] * 3


def test_command_when_it_begins_then_hardly_anything_is_imported_before_signals_are_handled() -> None:
    ask = "import sys; had = {*sys.modules}; import loadtest.cli.start; print(*sys.modules.keys() - had)"
    asked = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    ours = {name for name in asked.stdout.split() if name.startswith("loadtest")}
    assert ours == {"loadtest", "loadtest.cli", "loadtest.cli.start"}
    assert not {"typing", "pathlib", "logging", "asyncio"} & set(asked.stdout.split()), "each takes milliseconds"


def test_command_when_it_is_interrupted_while_it_runs_then_that_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "channels-loadtest: interrupted\n"


def test_command_when_its_output_cannot_be_written_then_exit_4_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert ended(monkeypatch, SystemExit(0)) == 4
    assert capsys.readouterr().err == "channels-loadtest: the output could not be written: No space left on device\n"


@pytest.mark.parametrize("code", [0, 1, 3])
def test_command_when_all_is_written_then_its_own_code_stays(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    assert ended(monkeypatch, SystemExit(code)) == code


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["loadtest.cli.exit_codes", "pydantic", "polars"])
def test_command_when_a_signal_comes_while_it_imports_a_module_then_exit_130_and_no_traceback(
    module: str, ending: signal.Signals
) -> None:
    env = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}  # a line for each module
    command = [sys.executable, "-m", "loadtest.cli", "--version"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        assert any(line.rpartition("|")[2].strip() == module for line in process.stderr)
        process.send_signal(ending)
        rest = process.stderr.read()
    assert process.returncode == exit_codes.INTERRUPTED
    assert rest.endswith("channels-loadtest: interrupted\n")
    assert "Traceback" not in rest


LOST = """
import os, signal, sys, time, types
from loadtest.cli import start

class Closing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(9))

def main():
    Closing()
    time.sleep(60)
    print("ran on")

sys.modules["loadtest.cli.main"] = types.SimpleNamespace(main=main)
start.start()
"""


def test_command_when_python_throws_the_interrupt_away_as_in_a_finalizer_then_it_ends_all_the_same() -> None:
    ended = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, timeout=50, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "channels-loadtest: interrupted\n")


def test_command_when_a_finalizer_fails_otherwise_then_python_tells_it_as_ever() -> None:
    other = LOST.replace("os.kill(os.getpid(), signal.SIGINT)", "raise OSError('gone')").replace(
        "sleep(60)", "sleep(0)"
    )
    ended = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, timeout=50, check=False)
    assert (ended.returncode, ended.stdout) == (0, "ran on\n")
    assert "OSError: gone" in ended.stderr
