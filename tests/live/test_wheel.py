"""The wheel: installed into an environment of its own, it runs the main job from an empty folder."""

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.live

PROJECT = Path(__file__).resolve().parents[2]
INSTALL = ("-m", "pip", "install", "--disable-pip-version-check", "--no-index", "--no-deps")
BENCH = ("--scenarios", "echo,churn", "--consumers", "async", "--layers", "inmemory", "--trials", "1", "--rate", "2",
         "--users", "20", "--duration", "2", "--no-twins", "--allow-contention")  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=PROJECT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment that has what the project depends on, and the project from the wheel alone."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", vars=paths))
    # pip reads no .pth file in a folder that a .pth file names: the project itself does not come along
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = Path(sysconfig.get_path("scripts", vars=paths)) / "python"
    run(str(python), *INSTALL, str(wheel), cwd=folder)
    return python.with_name("channels-loadtest")


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_wheel_when_built_then_its_one_top_level_name_is_loadtest(wheel: Path) -> None:
    top = {name.partition("/")[0] for name in ZipFile(wheel).namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"loadtest"}


def test_wheel_when_installed_then_bench_runs_from_an_empty_folder(command: Path, tmp_path: Path) -> None:
    code = "import loadtest.cures.guard, loadtest; print(loadtest.__file__)"
    where = run(str(command.with_name("python")), "-c", code, cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(command.parent.parent), "it is not the project's folder that is tested"
    assert list(tmp_path.iterdir()) == []
    run(str(command), "bench", *BENCH, "--out", "runs", cwd=tmp_path)
    (folder,) = [path for path in (tmp_path / "runs").iterdir() if not path.is_symlink()]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["done"] == manifest["planned"] == 2
    assert (folder / "report.html").exists()
