"""The command that prints the story of an example."""

from __future__ import annotations

import shlex
from pathlib import Path


def show_command(run_folder: Path, example: str) -> str:
    """The command that prints the story of an example; the run's folder as short as it can be said from here."""
    folder = run_folder.absolute()
    here = Path.cwd()
    shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
    return f"channels-loadtest show {shlex.quote(str(shown))} {shlex.quote(example)}"
