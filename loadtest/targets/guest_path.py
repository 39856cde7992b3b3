"""The guest path: a folder that holds what a target's process gets of us, and nothing else."""

import shutil
from pathlib import Path
from typing import Final

import loadtest

OURS: Final = Path(loadtest.__file__).parent
PACKAGES: Final = ("contract", "guest", "ledger", "probe")
"""What `loadtest.guest` and `loadtest.probe` import, down to the last module."""
LEFT_OUT: Final = ("contract/work.py", "guest/sitecustomize.py", "ledger/reader.py")
"""What only the bench or the reference app imports, and what has its place beside the package."""


def make_guest_path(folder: Path) -> Path:
    """Copy it into `folder`, and return what is to stand first on the path of the target's interpreter.

    A copy and not the place where we are installed: beside us stand packages that are not the target's, in versions
    of our own.
    """
    root = folder / "guest"
    package = root / "loadtest"
    for name in PACKAGES:
        shutil.copytree(OURS / name, package / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(OURS / "__init__.py", package / "__init__.py")
    shutil.copyfile(OURS / "guest" / "sitecustomize.py", root / "sitecustomize.py")
    for name in LEFT_OUT:
        (package / name).unlink()
    return root
