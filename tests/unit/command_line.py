"""The command line in this process, up to where something would be started: what it says to a person, and its code."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn
from unittest import mock

import typer

from loadtest.cli import main
from loadtest.printable import printable

COMMANDS: Any = typer.main.get_command(main.app)
"""Made once, for that takes a while."""
ACCEPTED = 0
"""Stands for the exit code where the command would have begun."""


class _WouldBegin(BaseException):
    """What was given makes sense: from here on something would be started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def is_one_message(self) -> bool:
        """Whether a person is told what is wrong, once."""
        return self.err.count("channels-loadtest: ") == 1 and self.err.startswith(("channels-loadtest: ", "Note: "))

    @property
    def is_plain(self) -> bool:
        """Whether no character in it does anything to a terminal, and it shows no inside of ours."""
        text = self.out + self.err
        return printable(text, keeping="\n") == text and "Traceback" not in text


def said_to(*arguments: str) -> Said:
    """Run a command; starts no process, opens no socket and makes no folder of a run."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["channels-loadtest", *arguments]
    with mock.patch("sys.argv", argv), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main.main()
            code: Any = ACCEPTED
        except SystemExit as ended:
            code = ended.code or ACCEPTED
        except _WouldBegin:
            code = ACCEPTED
    assert isinstance(code, int)
    return Said(code=code, out=out.getvalue(), err=err.getvalue())


@contextlib.contextmanager
def nothing_starts() -> Iterator[None]:
    """Have commands end where they would begin."""
    begins = "loadtest.cli.{}.{}".format
    names = [("bench", "only_bench"), ("capacity", "only_bench"), ("selftest", "only_bench"), ("ui", "_locust")]
    with contextlib.ExitStack() as patched:
        for module, name in names:
            patched.enter_context(mock.patch(begins(module, name), _would_begin))
        for asks in (
            "app_options.UserApp.inspected",
            "elsewhere_options.open_as_user",
            "elsewhere_options.ProbeClient",
        ):
            patched.enter_context(mock.patch(f"loadtest.cli.{asks}", _would_begin))
        patched.enter_context(mock.patch.object(main, "app", COMMANDS))
        yield


def _would_begin(*_arguments: object, **_named: object) -> NoReturn:
    raise _WouldBegin
