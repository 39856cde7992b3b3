"""The commands that tell more of a run, to be copied."""

from __future__ import annotations

import shlex
from pathlib import Path


def show_command(run_folder: Path, example: str) -> str:
    """The command that prints the story of an example."""
    return f"channels-loadtest show {_said(run_folder)} {shlex.quote(example)}"


def report_command(run_folder: Path) -> str:
    """The command that prints the report of a run."""
    return f"channels-loadtest report {_said(run_folder)}"


def _said(run_folder: Path) -> str:
    """The run's folder as short as it can be said from here."""
    folder = run_folder.absolute()
    here = Path.cwd()
    shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
    return shlex.quote(str(shown))
