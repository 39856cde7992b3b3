"""Runs Django's own tests of the reference app in a process of their own: `manage.py test`."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from loadtest.targets.database import MANAGE

TESTS_S = 120.0
"""They take seconds."""


OWN = "own.sqlite3"
"""The database that the app has, and no test is to touch."""


def run_django_tests(label: str, folder: Path, env: Mapping[str, str], *, database: str = "test.sqlite3") -> None:
    """Run the tests of that name, with a test database of that name in `folder`.

    Raises AssertionError with what they printed where one fails.
    """
    ended = subprocess.run(
        [sys.executable, str(MANAGE), "test", "--noinput", label],
        env={
            **env,
            "DJANGO_SETTINGS_MODULE": "tests.live.tutorial.settings",
            "DATABASE_URL": f"sqlite:///{folder}/{OWN}",
            "TEST_DATABASE": str(folder / database),
        },
        capture_output=True,
        text=True,
        timeout=TESTS_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "\nOK" in ended.stderr and "Ran 0 tests" not in ended.stderr, ended.stderr
