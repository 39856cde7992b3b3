"""The guest: what a target's process gets of us needs nothing that a Channels project does not have, on Python 3.10."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtest.contract import LEDGER_VARIABLE
from loadtest.contract.overrides import Overrides, write_overrides
from loadtest.contract.variables import OVERRIDES_VARIABLE, WRAPPED_VARIABLE
from loadtest.guest.overrides import QUICK_HASHER, SQLITE, change
from loadtest.targets.guest_path import make_guest_path

PROJECTS_OWN = {"asgiref", "channels", "django"}
POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "db", "ATOMIC_REQUESTS": True}


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_guest_path(tmp_path_factory.mktemp("guest"))


def run(guest: Path, program: str, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(guest), "PYTHONDONTWRITEBYTECODE": "1", **env},
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_guest_path_when_made_then_only_our_package_and_the_hook_are_on_it(guest: Path) -> None:
    assert {path.name for path in guest.iterdir()} == {"loadtest", "sitecustomize.py"}
    assert {path.name for path in (guest / "loadtest").iterdir()} == {
        "__init__.py", "contract", "guest", "ledger", "probe",
    }  # fmt: skip


def test_guest_when_all_of_it_is_imported_then_from_its_path_and_with_a_projects_own_packages_alone(
    guest: Path, tmp_path: Path
) -> None:
    """A finder in front of all others refuses what is neither the standard library's nor the project's."""
    modules = [
        ".".join(path.relative_to(guest).with_suffix("").parts)
        for path in guest.rglob("*.py")
        if path.name not in ("__init__.py", "sitecustomize.py", "around.py")  # around imports an app
    ]
    program = (
        "import importlib, sys\n"
        f"allowed = sys.stdlib_module_names | {PROJECTS_OWN | {'loadtest', 'sqlparse', 'typing_extensions'}!r}\n"
        "class Refusing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] not in allowed:\n"
        "            raise ModuleNotFoundError(f'refused: {name}', name=name)\n"
        "sys.meta_path.insert(0, Refusing())\n"
        "from django.conf import settings\n"
        "settings.configure(SECRET_KEY='x')\n"
        f"found = [importlib.import_module(name).__file__ for name in {sorted(modules)!r}]\n"
        f"print([file for file in found if not file.startswith({str(guest)!r})])\n"
    )
    assert run(guest, program, tmp_path) == "[]"


def test_guest_when_its_files_are_read_as_python_3_10_then_they_are_it(guest: Path) -> None:
    for path in guest.rglob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 10))
        newer = [name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                 for name in node.names if (node.module, name.name) in NEWER_THAN_3_10]  # fmt: skip
        assert newer == [], path


NEWER_THAN_3_10 = {("typing", "Self"), ("enum", "StrEnum"), ("datetime", "UTC"), ("typing", "assert_never")}


def test_overrides_when_the_settings_come_from_a_module_or_by_hand_then_both_are_changed(
    guest: Path, tmp_path: Path
) -> None:
    (tmp_path / "shop_settings.py").write_text(
        f"SECRET_KEY = 'x'\nDATABASES = {{'default': {POSTGRES!r}}}\nALLOWED_HOSTS = ['shop.example']\n"
    )
    overrides = Overrides(database_folder="/scratch", channel_layers={"default": {"BACKEND": "a.B"}}, allowed_host="me")
    by_hand = f"settings.configure(DATABASES={{'default': {POSTGRES!r}}}, ALLOWED_HOSTS=['shop.example'])\n"
    for configure in ("", by_hand):
        program = (
            f"from django.conf import settings\n{configure}"
            "print(settings.DATABASES['default']['NAME'], settings.CHANNEL_LAYERS, settings.ALLOWED_HOSTS)\n"
            "print(settings.LOADTEST_DATABASES_BEFORE['default']['NAME'])\n"
        )
        told = run(
            guest, program, tmp_path,
            DJANGO_SETTINGS_MODULE="shop_settings", **{OVERRIDES_VARIABLE: write_overrides(overrides)},
        )  # fmt: skip
        assert told.splitlines() == [
            "/scratch/default.sqlite3 {'default': {'BACKEND': 'a.B'}} ['shop.example', 'me']",
            "shop",
        ]


def test_hook_when_nothing_is_to_be_changed_then_settings_are_as_they_were(guest: Path, tmp_path: Path) -> None:
    program = "from django.conf import settings; settings.configure(ALLOWED_HOSTS=['a']); print(settings.ALLOWED_HOSTS)"
    assert run(guest, program, tmp_path) == "['a']"


def test_hook_when_there_is_another_sitecustomize_then_that_one_runs_too(guest: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.other_one_has_run = True\n")
    path = os.pathsep.join((str(guest), str(tmp_path)))
    assert run(guest, "import sys; print(sys.other_one_has_run)", tmp_path, PYTHONPATH=path) == "True"


WRAPPING = (
    "import importlib, sys\n"
    "class Editable:\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        if name == 'shop':\n"
    "            from importlib.util import spec_from_file_location\n"
    "            return spec_from_file_location(name, 'elsewhere/shop.py')\n"
    "sys.meta_path.append(Editable())\n"
    "shop = importlib.import_module('shop')\n"
    "print(type(shop.application).__name__, type(shop.holder.app).__name__)\n"
)


@pytest.mark.parametrize(
    ("wrapped", "told"),
    [
        ("shop", "ProbedApplication function"),
        ("shop:holder.app", "function ProbedApplication"),
        ("shop:none", "function function"),
    ],
)
def test_app_when_it_is_imported_by_whatever_finder_then_the_probe_is_around_what_was_named(
    guest: Path, tmp_path: Path, wrapped: str, told: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "shop.py").write_text(
        "async def application(scope, receive, send): ...\nclass holder: app = staticmethod(application)\n"
    )
    (tmp_path / "ledger").mkdir()
    env = {WRAPPED_VARIABLE: wrapped, LEDGER_VARIABLE: str(tmp_path / "ledger")}
    assert run(guest, WRAPPING, tmp_path, **env) == told


def settings(**given: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"DATABASES": {}, "ALLOWED_HOSTS": [], "DEBUG": False, **given})


def test_change_when_a_database_is_none_then_it_stays_none_and_others_keep_how_they_are_used() -> None:
    made = settings(DATABASES={"default": {}, "shop": POSTGRES})
    change(made, Overrides(database_folder="/scratch"))
    assert made.DATABASES["default"] == {}
    shop = made.DATABASES["shop"]
    assert (shop["ENGINE"], shop["NAME"]) == (SQLITE, "/scratch/shop.sqlite3")
    assert shop["ATOMIC_REQUESTS"] is True
    assert "HOST" not in shop


def test_change_when_there_are_other_channel_layers_then_they_stay() -> None:
    made = settings(CHANNEL_LAYERS={"default": {"BACKEND": "a.A"}, "slow": {"BACKEND": "b.B"}})
    change(made, Overrides(channel_layers={"default": {"BACKEND": "c.C"}}))
    assert made.CHANNEL_LAYERS == {"default": {"BACKEND": "c.C"}, "slow": {"BACKEND": "b.B"}}


def test_change_when_somebody_tells_who_is_online_then_the_probe_asks_there_and_other_keys_stay() -> None:
    made = settings(LOADTEST={"PRESENCE": "own.online", "OTHER": 1})
    change(made, Overrides(presence="app.models:online"))
    assert made.LOADTEST == {"PRESENCE": "app.models:online", "OTHER": 1}


def test_change_when_passwords_are_to_be_quick_then_the_hasher_comes_first_and_the_apps_own_stay() -> None:
    made = settings(PASSWORD_HASHERS=["a.Slow", QUICK_HASHER])
    change(made, Overrides(has_quick_passwords=True))
    assert made.PASSWORD_HASHERS == [QUICK_HASHER, "a.Slow"]


def test_change_when_debugging_allows_every_name_of_this_machine_then_no_list_ends_that() -> None:
    made = settings(DEBUG=True)
    change(made, Overrides(allowed_host="127.0.0.1"))
    assert made.ALLOWED_HOSTS == []
