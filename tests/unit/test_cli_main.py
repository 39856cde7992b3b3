"""The command without a sub-command."""

from typer.testing import CliRunner

from loadtest import __version__
from loadtest.cli.main import app


def test_command_when_its_version_is_asked_for_then_that_alone_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"channels-loadtest {__version__}\n")
