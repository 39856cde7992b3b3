"""Where the command begins: a signal while its modules are imported, and an output that cannot be written."""

import io
import signal
import sys
from types import SimpleNamespace

import pytest

from loadtest.cli import start


class Full(io.StringIO):
    """An output on a disk without room."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")

    def fileno(self) -> int:
        return 99


@pytest.fixture(autouse=True)
def _signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda _number, _handler: None)


def ended(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> object:
    def main() -> None:
        raise error

    monkeypatch.setitem(sys.modules, "loadtest.cli.main", SimpleNamespace(main=main))
    with pytest.raises(SystemExit) as found:
        start.start()
    return found.value.code


def test_command_when_it_is_interrupted_while_it_imports_then_that_is_one_message(
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
