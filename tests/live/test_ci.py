"""The workflow for CI: its steps run in their order, as a runner runs them, in a copy of a stranger's project.

With LOADTEST_SOAK only, for it installs what a runner installs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml  # type: ignore[import-untyped]

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not os.environ.get("LOADTEST_SOAK"), reason="fetches packages; with LOADTEST_SOAK only"),
]

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "docs" / "ci"
PROJECT = Path(__file__).with_name("projects") / "teamchat"
STEP_S = 400.0
REQUIREMENTS = "django~=5.2\nchannels~=4.3\nuvicorn\nwebsockets\nmsgpack\n"
TALK = (
    'join = [\'{"command": "join", "room": "team{room}"}\']\nexpect = \'"event": "joined"\'\n'
    'message = \'{"command": "say", "text": "{marker}"}\'\n'
)


class Runner:
    """A folder as a runner has it, and what its steps leave in the files by which they talk to it."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.project, self.temporary = folder / "project", folder / "temp"
        self.summary, self._path = folder / "summary.md", folder / "path"
        shutil.copytree(PROJECT, self.project, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(CI / "loadtest.toml", self.project / "loadtest.toml")
        self.temporary.mkdir()
        self._path.touch()
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        files = {"GITHUB_STEP_SUMMARY": self.summary, "GITHUB_PATH": self._path, "RUNNER_TEMP": self.temporary}
        self._env = {**kept, **pip, **env, **{name: str(file) for name, file in files.items()}}

    def run(self, steps: list[dict[str, Any]]) -> dict[str, int]:
        """Run what steps run, as bash -e; after one that failed only those that always run. Return their exit codes."""
        codes: dict[str, int] = {}
        for step in (step for step in steps if "run" in step):
            if not any(codes.values()) or step.get("if") == "always()":
                codes[step["name"]] = self._run(step["run"])
        return codes

    def _run(self, script: str) -> int:
        path = [*reversed(self._path.read_text().split()), str(Path(sys.executable).parent), "/usr/bin", "/bin"]
        env = {**self._env, "PATH": os.pathsep.join(path)}
        return subprocess.run(["bash", "-e", "-c", script], cwd=self.project, env=env, timeout=STEP_S).returncode


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("path", "broken"), [("/ws/chat/", False), ("/ws/v1/chat/", True)], ids=["clean", "defect"])
def test_workflow_when_its_steps_run_then_a_defect_fails_the_job_and_both_reports_are_there(
    tmp_path: Path, path: str, broken: bool
) -> None:
    (job,) = yaml.safe_load((CI / "loadtest.yml").read_text())["jobs"].values()
    runner = Runner(tmp_path, {**job["env"], "APP": "teamchat.asgi:application", "CONSUMER": path, "TOOL": str(ROOT)})
    (runner.project / "requirements.txt").write_text(REQUIREMENTS)
    plan = runner.project / "loadtest.toml"
    plan.write_text(TALK + plan.read_text())

    codes = runner.run(job["steps"])

    assert codes.pop("Drop connections") == (1 if broken else 0)
    assert set(codes.values()) == {0}
    assert f"| {'broken' if broken else 'kept'} | `groups_left > 10` |" in runner.summary.read_text()
    suite = ElementTree.parse(runner.temporary / "runs" / "junit.xml").getroot()
    assert suite.get("tests") == "4"
    assert suite.get("failures") == ("1" if broken else "0")
