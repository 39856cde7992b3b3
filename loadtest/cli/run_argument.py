"""A run as a person names it: its folder, or `latest`."""

from pathlib import Path

from loadtest.bench.run_manifest import LATEST

RESULTS = Path("results")
"""Where runs are kept if nothing is said."""


def run_named(name: Path) -> Path:
    """Return the folder of a run: `latest` is the newest one in RESULTS, unless there is such a folder here."""
    return RESULTS / LATEST if name == Path(LATEST) and not name.exists() else name
