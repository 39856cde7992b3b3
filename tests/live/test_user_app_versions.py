"""The oldest and the newest Python, Django and Channels that a project may have: a small audit in each.

With LOADTEST_SOAK only, where such a Python is on the PATH: packages are fetched for them.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.bench_process import Bench, manifest, table
from tests.live.test_user_app import PROJECT, options

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not os.environ.get("LOADTEST_SOAK"), reason="fetches packages; with LOADTEST_SOAK only"),
]

INSTALLED_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    pythons: tuple[str, ...]
    """The first one that is there counts."""
    packages: tuple[str, ...]
    server: str = "uvicorn"


OLDEST = Versions(
    pythons=("python3.10",),
    packages=("django~=4.2.0", "channels==4.0.0", "uvicorn==0.22.0", "websockets==11.0.3", "msgpack"),
)
OLDEST_DAPHNE = Versions(
    pythons=("python3.10",), packages=("django~=4.2.0", "channels==4.0.0", "daphne==4.0.0", "msgpack"), server="daphne"
)
NEWEST = Versions(
    pythons=("python3.14", "python3.13", "python3.12"),
    packages=("django>=6", "channels", "uvicorn", "websockets", "msgpack"),
)


@pytest.mark.parametrize("versions", [OLDEST, OLDEST_DAPHNE, NEWEST], ids=["oldest", "oldest-daphne", "newest"])
def test_audit_when_the_project_has_versions_of_its_own_then_it_finds_what_is_wrong_with_it(
    versions: Versions, tmp_path: Path
) -> None:
    python = environment(tmp_path / "venv", versions)
    app = ("--app", "teamchat.asgi", "--app-dir", PROJECT, "--python", python, "--servers", versions.server)
    with Bench("bench", *app, *options("/ws/chat/", "/ws/v1/chat/sync/"), "--out", tmp_path) as bench:
        assert bench.ended() == 0, bench.out + bench.err
    rows = {row["consumer"]: row for row in table(tmp_path / "latest", "disconnects").iter_rows(named=True)}
    clean, defect = rows["ChatConsumer"], rows["OldSyncChatConsumer"]
    assert clean["unknown"] == defect["unknown"] == 0
    assert clean["groups_left"] == clean["missed"]
    assert defect["groups_left"] == defect["dropped"] > 0
    assert manifest(tmp_path / "latest")["identity"]["target's channels"][0] == "4"


def environment(folder: Path, versions: Versions) -> Path:
    """Return the interpreter of a new environment with those packages; skip where there is no such Python."""
    there = [found for name in versions.pythons if (found := shutil.which(name)) and runs(found)]
    if not there:
        pytest.skip(f"there is no {' or '.join(versions.pythons)}")
    subprocess.run([there[0], "-m", "venv", folder], check=True, timeout=INSTALLED_S)
    python = folder / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *versions.packages]
    subprocess.run(pip, check=True, timeout=INSTALLED_S)
    return python


def runs(python: str) -> bool:
    """Tell whether it is a Python, and no placeholder for one."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
