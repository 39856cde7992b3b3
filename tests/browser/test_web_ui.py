"""Locust's web UI on the reference stack, as a person uses it: `ui`, a form, Start, the tables, Stop, Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

PROJECT = Path(__file__).resolve().parent.parent.parent
MARK = "LOADTEST_TEST_WEB_UI"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(browser: Browser) -> Iterator[str]:
    """The address of a web UI; without a browser none is started."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "loadtest.cli", "ui", "--web-port", str(port)]
    ui = subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, env={**os.environ, MARK: str(port)}
    )  # fmt: skip
    assert ui.stdout is not None
    lines = []
    for line in ui.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    printed = re.search(r"http://127\.0\.0\.1:\d+", "".join(lines))
    try:
        assert printed, f"no address was printed: {lines}"
        yield printed[0]
    finally:
        ui.send_signal(signal.SIGINT)
        assert ui.wait(20) == 0
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


@pytest.fixture
def page(page: Page, address: str) -> Page:
    page.goto(address)
    return page


def _fill(page: Page, **fields: str) -> None:
    page.get_by_text("Custom parameters").click()
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " ").capitalize(), exact=False).first.fill(value)


def test_start_form_when_an_option_makes_no_sense_then_it_says_so_and_nothing_starts(page: Page) -> None:
    _fill(page, drop_share="7")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("--drop-share: Input should be less than or equal to 1")).to_be_visible()


def test_start_form_when_churn_is_started_then_its_rows_come_and_it_can_be_stopped(page: Page) -> None:
    for other in ("BroadcastUser", "EchoUser"):
        page.get_by_role("row", name=other).get_by_role("checkbox").uncheck()
    page.get_by_label("Number of users (peak concurrency)").fill("20")
    page.get_by_label("Ramp up (users started/second)").fill("20")
    page.get_by_role("button", name="Start").click()
    for row in ("delivered", "open", "drop rst"):
        expect(page.get_by_role("cell", name=row, exact=True)).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("STOPPED")).to_be_visible(timeout=20_000)
