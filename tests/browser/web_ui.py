"""Locust's web UI as a process that is started by `channels-loadtest ui`, and its form as a person fills it in."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page

from loadtest.servers import HOST
from loadtest.stack.ports import free_port

MARK = "LOADTEST_TEST_WEB_UI"
_END_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUi:
    """A web UI that runs, and where its tests come."""

    address: str
    results: Path

    @property
    def newest(self) -> Path:
        """The folder of its newest test."""
        return max(self.results.glob("*-ui*"), key=lambda folder: folder.stat().st_mtime_ns)


@contextmanager
def running_web_ui(results: Path, *options: str) -> Iterator[WebUi]:
    """Start the command with these options, and end it as Ctrl-C does; it is to leave no process behind."""
    port = free_port(HOST)
    command = [sys.executable, "-m", "loadtest.cli", "ui", "--web-port", str(port), "--out", str(results), *options]
    ui = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, MARK: str(port)})
    try:
        assert ui.stdout is not None
        printed = []
        for line in ui.stdout:
            printed.append(line)
            if "Ctrl-C" in line:
                break
        address = re.search(r"http://127\.0\.0\.1:\d+", "".join(printed))
        assert address, f"no address was printed: {printed}"
        yield WebUi(address=address[0], results=results)
    finally:
        ui.send_signal(signal.SIGINT)
        assert ui.wait(_END_S) == 0
        assert not _marked(port)


def _marked(port: int) -> list[str]:
    """Return the command lines of the processes that descend from the command."""
    mark = f"{MARK}={port}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def form(page: Page) -> Locator:
    """Return our form: Locust's own is there too, and hidden."""
    return page.locator("form.lt-form")


def drops_of(page: Page, kind: str) -> Locator:
    """Return the number of drops of that kind in the tab Drops."""
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=kind, exact=True))
    return row.get_by_role("cell").nth(1)
