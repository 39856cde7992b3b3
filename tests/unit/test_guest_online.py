"""Asking an app once who is online: what it cannot tell is said in one line, before anything is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.contract.overrides import Overrides, write_overrides
from loadtest.contract.variables import APPLICATION_VARIABLE, OVERRIDES_VARIABLE
from loadtest.targets.guest_path import make_guest_path
from loadtest.targets.prepared_app import ONLINE

APP = """
import os, django
from django.conf import settings
settings.configure(SECRET_KEY="x", DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "own.db"}})
django.setup()

async def application(scope, receive, send): ...

def online():
    return ["specific.a"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app")
    (folder / "shop.py").write_text(APP)
    make_guest_path(folder)
    return folder


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("shop:online", ""),
        ("SELECT count(*) FROM sqlite_master", ""),
        ("shop:nobody", 'ImportError: Module "shop" does not define a "nobody" attribute/class'),
        ("shopp:online", "ModuleNotFoundError: No module named 'shopp'"),
        ("SELECT count(*) FROM presence", "OperationalError: no such table: presence"),
        ("SELECT 'a'", "ValueError: \"SELECT 'a'\" gave ('a',), and not one number"),
    ],
)
def test_online_when_the_app_is_asked_then_it_can_tell_or_one_line_says_why_not(
    folder: Path, source: str, said: str
) -> None:
    overrides = Overrides(database_folder=str(folder), presence=source)
    env = {"PYTHONPATH": str(folder / "guest"), APPLICATION_VARIABLE: "shop:application",
           OVERRIDES_VARIABLE: write_overrides(overrides)}  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", ONLINE], env={**os.environ, **env}, cwd=folder, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr.strip()) == (1 if said else 0, said)
    assert not (folder / "own.db").exists()
