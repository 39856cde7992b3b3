"""The report in a real browser, offline: every chart is drawn and nothing complains."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from loadtest.report import Tables, write_csv, write_report
from loadtest.report.capacity import write_capacity_report
from tests.unit.capacity_runs import QueueServer, carry_out  # these stand with the unit tests
from tests.unit.loaded_folder import LOADS, write_loaded_folder
from tests.unit.report_folder import write_folder

pytestmark = pytest.mark.browser

DRAWN = "[...document.querySelectorAll('figure:not([hidden]) .chart')].every(box => box.querySelector('svg'))"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_folder(tmp_path_factory.mktemp("run"))
    write_report(folder)
    return folder / "report.html"


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture(
    scope="module", params=[("light", 1280), ("dark", 1280), ("light", 400)], ids=["light", "dark", "phone"]
)  # fmt: skip
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[Page]:
    """The report, opened once for each, with the network off; any complaint in the console fails the last test."""
    scheme, width = request.param
    errors: list[str] = []
    page = opened(browser, report, errors, scheme=scheme, width=width)
    yield page
    page.context.close()
    assert errors == []


def opened(
    browser: Browser, report: Path, errors: list[str], *, scheme: Literal["light", "dark"] = "light", width: int = 1280
) -> Page:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None)
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.goto(report.as_uri())
    return page


def test_report_page_draws_every_chart_and_does_not_overflow(page: Page) -> None:
    page.wait_for_function(DRAWN)
    assert page.locator("figure:not([hidden]) .chart svg").count() == 2 + 1 + 3 + 1 + 3 + 3
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".chart .failed").count() == 0


def test_report_page_charts_have_marks(page: Page) -> None:
    page.wait_for_function(DRAWN)
    bars = page.locator("#throughput figure").first.locator(".mark-rect path")
    assert bars.count() >= 6


def test_report_page_detection_has_a_tick_for_each_drop(page: Page) -> None:
    page.wait_for_function(DRAWN)
    ticks = page.locator("#detection figure").first.locator(".mark-rect path, .mark-tick path")
    assert ticks.count() > 300


def test_report_page_grid_tells_the_figures_of_a_field_and_hides_them_again(page: Page) -> None:
    field = page.locator("td.field.hatched").first
    field.scroll_into_view_if_needed()
    field.hover()
    bubble = page.locator(".bubble")
    expect(bubble).to_contain_text("unknown")
    box = bubble.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.evaluate("innerWidth")
    page.keyboard.press("Escape")
    expect(bubble).to_be_hidden()


def test_report_page_answers_name_the_command_for_their_example(page: Page, report: Path) -> None:
    command = page.locator(".answer .example code").first.inner_text()
    assert command.startswith("channels-loadtest show ")
    assert str(report.parent) in command


def test_report_page_timeline_chooser_shows_the_chosen_one(page: Page) -> None:
    page.wait_for_function(DRAWN)
    page.locator(".chooser").select_option(index=2)
    page.wait_for_function(DRAWN)
    assert "redis-pubsub" in page.locator("#timeline figure:not([hidden]) figcaption").inner_text()


def test_report_page_of_an_empty_run_opens_without_complaint(
    browser: Browser, tmp_path: Path, errors: list[str]
) -> None:
    write_folder(tmp_path, scenarios=(), state="interrupted")
    write_csv(Tables.empty(), tmp_path)
    write_report(tmp_path)
    page = opened(browser, tmp_path / "report.html", errors)
    assert "no trial was finished" in page.locator("#found").inner_text()
    page.context.close()
    assert errors == []


def test_report_page_of_several_loads_has_no_grid_wider_than_the_page(
    browser: Browser, tmp_path: Path, errors: list[str]
) -> None:
    write_report(write_loaded_folder(tmp_path))
    page = opened(browser, tmp_path / "report.html", errors)
    grids = page.locator("#resilience .grids > .scroll")
    assert grids.count() == len(LOADS)
    assert all(grids.evaluate_all("found => found.map(one => one.scrollWidth <= one.clientWidth)"))
    page.context.close()
    assert errors == []


def test_capacity_page_when_opened_offline_then_every_chart_is_drawn(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: list[str]
) -> None:
    folder, _ = carry_out(tmp_path, QueueServer(), monkeypatch, searches=2)
    write_capacity_report(folder)
    page = opened(browser, folder / "report.html", errors)
    page.wait_for_function(DRAWN)
    expect(page.locator("figure svg")).to_have_count(2)
    page.context.close()
    assert errors == []
