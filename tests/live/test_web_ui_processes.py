"""The web UI with several processes of Locust, behind a password: drops in all of them, and the figures of all."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from loadtest.report import read_tables
from loadtest.report.manifest import read_manifest

PASSWORD = "a-long-password"
PATIENCE_S = 40.0
"""For what takes some seconds on a quiet machine."""

pytestmark = pytest.mark.live


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUi:
    address: str
    results: Path

    def ask(self, path: str, *, password: str = PASSWORD, **fields: object) -> Any:
        """Return what a route answers; a post where there are fields."""
        given = b64encode(f"anyone:{password}".encode()).decode()
        data = urlencode(fields).encode() if fields else None
        request = Request(self.address + path, data=data, headers={"Authorization": f"Basic {given}"})
        with urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def wait_for(self, key: str, value: object) -> dict[str, Any]:
        """Return the state once it has that value there."""
        deadline = time.monotonic() + PATIENCE_S
        while (state := self.ask("/loadtest/state"))[key] != value and time.monotonic() < deadline:
            time.sleep(0.1)
        assert state[key] == value, state
        return dict(state)


@pytest.fixture(scope="module")
def web_ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUi]:
    results = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-m", "loadtest.cli", "ui", "--web-port", "0", "--web-host", "0.0.0.0"]
    command += ["--processes", "2", "--out", str(results)]
    env = {**os.environ, "LOADTEST_WEB_PASSWORD": PASSWORD, "TMPDIR": str(tmp_path_factory.mktemp("tmp"))}
    ui = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    assert ui.stdout is not None
    printed = re.search(r"http://0\.0\.0\.0(:\d+)", ui.stdout.readline())
    try:
        assert printed
        yield WebUi(address=f"http://127.0.0.1{printed[1]}", results=results)
    finally:
        ui.send_signal(signal.SIGINT)
        assert ui.wait(20) == 0


def test_web_ui_when_the_password_is_wrong_then_nobody_gets_in(web_ui: WebUi) -> None:
    with pytest.raises(HTTPError, match="401"):
        web_ui.ask("/loadtest/state", password="another-password")


def test_web_ui_when_users_are_shared_by_processes_then_drops_and_figures_are_of_all(web_ui: WebUi) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while web_ui.ask("/worker-count")["worker_count"] < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    form: dict[str, Any] = {
        "user_count": 20,
        "spawn_rate": 20,
        "scenario": "churn",
        "duration": 3,
        "drop_share": 0.2,
        "host": "",
    }
    assert web_ui.ask("/swarm", **form)["success"]
    (kind,) = web_ui.wait_for("counts", True)["drops"]
    assert web_ui.ask("/loadtest/drop", kind=kind, share=1)["success"]
    state = web_ui.wait_for("stage", "audited")
    folder = Path(state["folder"])
    drops = read_tables(folder).frame("drops")
    at_once = drops.group_by(drops["connection"] // (1 << 24), drops["t_s"].round(1)).len()
    assert set(at_once.filter(at_once["len"] > 3)["connection"]) == {1, 2}, "both have dropped theirs by the button"
    (row,) = read_tables(folder).frame("throughput").select("users", "offered").rows()
    assert row[0] == 20 and row[1] > 30, "20 users of both, for 3 s but while away: one alone sends 30"
    assert read_manifest(folder).state == "finished"
    rows = {one["key"]: one["data"] for one in web_ui.ask("/stats/requests")["extended_stats"]}
    assert sum(int(row["dropped"]) for row in rows["drops"]) == drops.height
