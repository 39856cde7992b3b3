"""The report in a real browser, offline: every chart is drawn and nothing complains."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from loadtest.report import Tables, write_csv, write_report

sys.path.append(str(Path(__file__).parents[1] / "unit"))  # the invented run folder stands with the unit tests
from report_folder import write_folder

pytestmark = pytest.mark.browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DRAWN = "[...document.querySelectorAll('figure:not([hidden]) .chart')].every(box => box.querySelector('svg'))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH; install chromium to test the report's page")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_folder(tmp_path_factory.mktemp("run"))
    write_report(folder)
    return folder / "report.html"


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture(params=[("light", 1280), ("dark", 1280), ("light", 400)], ids=["light", "dark", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, report: Path, errors: list[str]) -> Iterator[Page]:
    """The report with the network off; any complaint in the console fails the test."""
    scheme, width = request.param
    page = opened(browser, report, errors, scheme=scheme, width=width)
    yield page
    page.context.close()
    assert errors == []


def opened(browser: Browser, report: Path, errors: list[str], *, scheme: str = "light", width: int = 1280) -> Page:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None)
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.goto(report.as_uri())
    return page


def test_report_page_draws_every_chart_and_does_not_overflow(page: Page):
    page.wait_for_function(DRAWN)
    assert page.locator("figure:not([hidden]) .chart svg").count() == 3 + 3 + 3 + 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".chart .failed").count() == 0


def test_report_page_charts_have_marks(page: Page):
    page.wait_for_function(DRAWN)
    bars = page.locator("#throughput figure").first.locator(".mark-rect path")
    assert bars.count() >= 6


def test_report_page_timeline_chooser_shows_the_chosen_one(page: Page):
    page.wait_for_function(DRAWN)
    page.locator(".chooser").select_option(index=2)
    page.wait_for_function(DRAWN)
    assert "redis-pubsub" in page.locator("#timeline figure:not([hidden]) figcaption").inner_text()


def test_report_page_redraws_when_the_colour_scheme_changes(browser: Browser, report: Path, errors: list[str]):
    page = opened(browser, report, errors)
    page.wait_for_function(DRAWN)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "[...document.querySelectorAll('#throughput .chart')].every(b => /dark/.test(b.dataset.drawn))"
    )
    page.wait_for_function(DRAWN)
    page.context.close()
    assert errors == []


def test_report_page_of_an_empty_run_opens_without_complaint(browser: Browser, tmp_path: Path, errors: list[str]):
    write_folder(tmp_path, scenarios=(), state="interrupted")
    write_csv(Tables.empty(), tmp_path)
    write_report(tmp_path)
    page = opened(browser, tmp_path / "report.html", errors)
    assert "no trial was finished" in page.locator("#found").inner_text()
    page.context.close()
    assert errors == []
