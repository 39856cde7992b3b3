"""The command `channels-loadtest`: its sub-commands, and what each kind of error looks like to a person."""

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version as version_of
from typing import Annotated, Any, Final, NoReturn, cast

import typer

from loadtest.bench.plan import PlanError
from loadtest.cli import audit, bench, capacity, catalogue, compare, keep, report, selftest, show, ui, users
from loadtest.cli.described import described
from loadtest.cli.examples import epilog_of
from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, USAGE
from loadtest.ledger.reader import LedgerError
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError
from loadtest.stack.errors import EnvironmentFailed

_UsageError: Final = cast(type[Exception], typer.BadParameter.__base__)
"""Of all that is wrong with words and options; typer does not give it a name of its own."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Load and disconnect-resilience benchmark for Django Channels.",
    epilog="Exit codes: 0 all good; 1 a threshold is broken, two runs differ beyond the noise, or the self-test found "
    "a defect missed, miscounted or reported without being planted; 2 bad usage or a bad plan; 3 the measurement is "
    "not valid; 4 the environment failed; 130 interrupted.",
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"channels-loadtest {version_of('channels-loadtest')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """What can be given without a command."""


COMMANDS: Final[Mapping[str, Callable[..., None]]] = {
    "bench": bench.bench_command,
    "capacity": capacity.capacity_command,
    "audit": audit.audit,
    "report": report.report,
    "compare": compare.compare,
    "keep": keep.keep,
    "selftest": selftest.selftest,
    "show": show.show,
    "ui": ui.ui,
}
for name, command in COMMANDS.items():
    app.command(name, epilog=epilog_of(name))(command)
app.add_typer(users.app, name="users")
catalogue.add_to(app)


def main() -> None:
    """Run the command line; errors of ours become one message and the exit code of their kind."""
    try:
        code = app(standalone_mode=False)
    except _UsageError as error:
        _end(_usage(error), USAGE)
    except PlanError as error:
        _end(error, USAGE)
    except (EnvironmentFailed, LedgerError, ReportError, OSError) as error:
        _end(described(error), ENVIRONMENT_FAILED)
    sys.exit(code)


def _usage(error: Any) -> str:
    """Return what is wrong with the words of a command, as our own errors are told: typer's frame cuts long ones."""
    command = error.ctx.command_path if error.ctx else "channels-loadtest"
    return f"{error.format_message()} ({command} --help tells what there is)"


def _end(message: object, code: int) -> NoReturn:
    PlainConsole(stderr=True, soft_wrap=True).print(f"channels-loadtest: {message}", style="red")
    sys.exit(code)
