"""The README's pictures, from real runs: `make screenshots` takes them anew with Chromium and writes docs/pictures/.

A picture is a row of PICTURES: what is opened, and which part of it is taken.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, sync_playwright

from loadtest.report.folder import read_folder
from loadtest.report.html import render
from loadtest.report.summary import summarise
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.web_ui import form, running_web_ui

PROJECT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = PROJECT / "docs" / "pictures"
REFERENCE: Final = PROJECT / "results" / "reference"
SCREEN: Final = ViewportSize(width=1280, height=800)
"""GitHub shows a README some 900 px wide: text on a wider screen could not be read in it."""
DROPPED: Final = 100
"""Of each way to drop, until a picture is taken of them: enough for a p99."""
ROOM_FOR_CHARTS: Final = ViewportSize(width=1280, height=940)
PATIENCE_MS: Final = 60_000
BELOW: Final = 12
"""Pixels that a picture has below what it shows."""
QUALITY: Final = 0.85
"""Of WebP: letters stay sharp, at a third of the size of a PNG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of docs/pictures: its file, and what takes it as a PNG."""

    file: str
    take: Callable[[Page], bytes]


def main() -> None:
    """Take every picture anew."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for picture in PICTURES:
            page = browser.new_page(viewport=SCREEN, color_scheme="light")
            taken = compressed(picture.take(page), browser)
            (FOLDER / picture.file).write_bytes(taken)
            print(f"{(FOLDER / picture.file).relative_to(PROJECT)}: {len(taken) / 1000:.0f} kB")
        browser.close()


def report_first_screen(page: Page) -> bytes:
    """The first screen of the default bench's report."""
    manifest, tables = read_folder(REFERENCE)
    with tempfile.TemporaryDirectory() as folder:
        html = Path(folder) / "report.html"
        html.write_text(render(REFERENCE, tables, summarise(tables, manifest)), encoding="utf-8")
        page.goto(html.as_uri())
        page.wait_for_function("document.querySelectorAll('#overview svg[aria-hidden]').length === 2")
        end = page.locator("#answers").bounding_box()
        assert end is not None
        whole = FloatRect(x=0, y=0, width=SCREEN["width"], height=end["y"] + end["height"] + BELOW)
        return page.screenshot(full_page=True, clip=whole)


def drops_tab(page: Page) -> bytes:
    """The tab Drops of a test that runs in the web UI: sync consumers at half of the load that the form has."""
    with tempfile.TemporaryDirectory() as results, running_web_ui(Path(results)) as web_ui:
        page.set_viewport_size(ROOM_FOR_CHARTS)
        page.goto(web_ui.address)
        form(page).get_by_label("Consumer").select_option("sync")
        form(page).get_by_label("Load (messages").fill("0.5")
        form(page).get_by_label("Duration").fill("0")  # the picture is of a test that runs
        form(page).get_by_role("button", name="Start").click()
        page.get_by_role("button", name="Chart with drops").click()
        page.wait_for_function(
            """least => [...document.querySelectorAll("#root tbody tr")].some(
                row => row.cells[0].textContent === "rst" && Number(row.cells[1].textContent) >= least)""",
            arg=DROPPED,
            timeout=PATIENCE_MS,
        )
        return page.screenshot()


def compressed(png: bytes, browser: Browser) -> bytes:
    """The picture as WebP, which the browser makes of it."""
    page = browser.new_page()
    found = page.evaluate(
        """async ([bytes, quality]) => {
            const image = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
            const canvas = new OffscreenCanvas(image.width, image.height);
            canvas.getContext("2d").drawImage(image, 0, 0);
            const blob = await canvas.convertToBlob({ type: "image/webp", quality });
            return [...new Uint8Array(await blob.arrayBuffer())];
        }""",
        [list(png), QUALITY],
    )
    page.close()
    return bytes(found)


PICTURES: Final = (
    Picture(file="report.webp", take=report_first_screen),
    Picture(file="web_ui.webp", take=drops_tab),
)

if __name__ == "__main__":
    main()
