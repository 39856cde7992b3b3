"""The command `channels-loadtest`: its sub-commands, and what each kind of error looks like to a person."""

import signal
import sys
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from loadtest import __version__
from loadtest.bench.plan import PlanError
from loadtest.cli import audit, bench, capacity, catalogue, compare, keep, report, selftest, show, ui
from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, INTERRUPTED, USAGE
from loadtest.ledger.reader import LedgerError
from loadtest.report.errors import ReportError
from loadtest.stack.errors import EnvironmentFailed

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Load and disconnect-resilience benchmark for Django Channels.",
    epilog="Exit codes: 0 all good; 1 a threshold is broken, two runs differ beyond the noise, or the self-test found "
    "a defect missed, miscounted or reported without being planted; 2 bad usage or a bad plan; 3 the measurement is "
    "not valid; 4 the environment failed; 130 interrupted.",
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"channels-loadtest {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """What can be given without a command."""


app.command("bench")(bench.bench_command)
app.command("capacity")(capacity.capacity_command)
app.command("audit")(audit.audit)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("keep")(keep.keep)
app.command("selftest")(selftest.selftest)
app.command("show")(show.show)
app.command("ui")(ui.ui)
catalogue.add_to(app)


def main() -> None:
    """Run the command line; errors of ours become one message and the exit code of their kind."""
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as SIGHUP is under nohup
            signal.signal(number, _interrupt)
    try:
        app()
    except PlanError as error:
        _end(error, USAGE)
    except (EnvironmentFailed, LedgerError, ReportError) as error:
        _end(error, ENVIRONMENT_FAILED)
    except OSError as error:  # a disk that is full or a folder that may not be written, wherever it was met
        _end(f"{error.strerror or error}: {error.filename or 'a file of the run'}", ENVIRONMENT_FAILED)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End in order, once: whatever was started is ended, and what was measured is saved.

    Further signals are ignored meanwhile. It takes some seconds, and a run cut short in it would be called running.
    """
    for each in _ENDS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end(message: object, code: int) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"channels-loadtest: {message}", style="red", markup=False
    )
    sys.exit(code)
