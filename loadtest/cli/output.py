"""How a command shows what came of a run: in brief, the whole of it, the verdict alone, or as JSON."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from loadtest.bench.plan import PlanError
from loadtest.printable import printable
from loadtest.report import Summary, print_report
from loadtest.report.brief import print_brief, print_verdict
from loadtest.report.console import PlainConsole
from loadtest.report.summary_json import summary_text

PANEL: Final = "Output"

Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="print all tables and findings", rich_help_panel=PANEL)]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="print the verdict alone, and nothing before", rich_help_panel=PANEL)
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="print summary.json; what is said beside goes to standard error", rich_help_panel=PANEL
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How much is shown, and as what."""

    verbose: bool = False
    quiet: bool = False
    as_json: bool = False

    def __post_init__(self) -> None:
        """Raise PlanError for what cannot be had together."""
        if self.verbose and (self.quiet or self.as_json):
            raise PlanError("--verbose goes with neither --quiet nor --json; leave one out")

    def beside(self) -> PlainConsole:
        """Return the console for what is said beside the result: progress, thresholds."""
        return PlainConsole(stderr=self.as_json, quiet=self.quiet)

    def show(self, summary: Summary, folder: Path | None) -> None:
        """Show a run; without a folder there is neither a page nor ledgers to be named."""
        console = PlainConsole()
        if self.as_json:
            print_text(summary_text(summary))
        elif self.quiet:
            print_verdict(summary, console)
        elif self.verbose:
            print_report(summary, console, folder)
        else:
            print_brief(summary, console, folder)


def print_text(text: str) -> None:
    """Print a text for a program to read: lines as they are, and no control characters."""
    sys.stdout.write(printable(text, keeping="\n\t"))
    sys.stdout.flush()
