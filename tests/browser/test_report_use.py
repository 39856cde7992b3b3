"""The report as a person uses it: its first screen, sorting, folding, theme, data as CSV, paper; and axe-core."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loadtest.report import read_tables, write_report
from loadtest.report.charts import overview_charts, throughput_charts
from loadtest.report.charts.chart import Chart
from loadtest.report.manifest import read_manifest
from loadtest.report.summary import Summary, summarise
from tests.unit.report_folder import write_folder

pytestmark = pytest.mark.browser

DRAWN = (
    "[...document.querySelectorAll('figure:not([hidden]) .chart')].every(box => box.querySelector('svg[aria-hidden]'))"
)
SCREEN = ViewportSize(width=1600, height=900)
LIGHT, DARK = "rgb(251, 251, 250)", "rgb(20, 23, 26)"
SERIOUS = ("serious", "critical")
LOOKED_AT = {"exclude": [[".chart svg"]]}
"""All but the inside of the charts, which is hidden from whoever cannot see it: their boxes say it in words."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_folder(tmp_path_factory.mktemp("run"))
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def opened(browser: Browser, folder: Path) -> Iterator[Page]:
    """The report, opened once, offline, with its charts drawn; any complaint in its console fails the tests."""
    complaints: list[str] = []
    context = browser.new_context(viewport=SCREEN, offline=True, color_scheme="light")
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.goto((folder / "report.html").as_uri())
    page.wait_for_function(DRAWN)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """The same, as it was opened: in the light theme, on a screen of its first size."""
    yield opened
    opened.emulate_media(media="screen", color_scheme="light")
    opened.get_by_label("Theme").select_option("")
    opened.set_viewport_size(SCREEN)


def summary_of(folder: Path) -> Summary:
    return summarise(read_tables(folder), read_manifest(folder))


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def label_colour(page: Page) -> str:
    """Of the text on an axis of a chart."""
    return str(page.evaluate("getComputedStyle(document.querySelector('#throughput .role-axis-label text')).fill"))


def test_first_screen_when_it_is_opened_then_it_has_the_answers_and_the_picture_side_by_side(page: Page) -> None:
    for part in (page.locator(".answer").last, page.locator("#overview figure").last):
        box = part.bounding_box()
        assert box is not None
        assert 0 < box["y"] < box["y"] + box["height"] <= SCREEN["height"]
    left, right = page.locator(".answer").first.bounding_box(), page.locator("#overview").bounding_box()
    assert left is not None and right is not None
    assert left["x"] + left["width"] < right["x"]
    assert right["x"] + right["width"] > SCREEN["width"] * 0.9


def test_answer_when_its_link_is_clicked_then_the_evidence_is_in_sight(page: Page) -> None:
    link = page.locator(".answer a[href='#left']")
    link.click()
    expect(page.locator("#left h2")).to_be_in_viewport()
    page.evaluate("scrollTo(0, 0)")


def column(page: Page, place: int, rows: str = "tbody tr:not([hidden])") -> list[str]:
    return page.locator(f"#tables table >> nth=0 >> {rows} >> td:nth-child({place})").all_inner_texts()


def test_table_when_a_heading_is_clicked_then_its_rows_are_sorted_by_it_and_then_the_other_way(page: Page) -> None:
    heads = page.locator("#tables table >> nth=0 >> thead th")
    names = heads.all_inner_texts()
    place = names.index("p50 ms")
    heads.nth(place).click()
    up = [float(text.replace(",", "")) for text in column(page, place + 1)]
    assert up == sorted(up) and len(set(up)) > 2
    expect(heads.nth(place)).to_have_attribute("aria-sort", "ascending")
    heads.nth(place).press("Enter")
    down = [float(text.replace(",", "")) for text in column(page, place + 1)]
    assert down == up[::-1]
    heads.nth(names.index("layer")).click()
    layers = column(page, names.index("layer") + 1)
    assert layers == sorted(layers)
    expect(heads.nth(place)).not_to_have_attribute("aria-sort", "descending")


def test_table_when_it_is_long_then_it_is_folded_until_asked_for(page: Page) -> None:
    button = page.get_by_role("button", name="Show all 24 rows")
    table = page.locator("table.folds")
    assert table.locator("tbody tr").count() == 24
    assert table.locator("tbody tr:visible").count() == 16
    button.click()
    assert table.locator("tbody tr:visible").count() == 24
    page.get_by_role("button", name="Show fewer rows").click()
    assert table.locator("tbody tr:visible").count() == 16


def test_list_when_it_is_folded_then_a_click_opens_it(page: Page) -> None:
    details = page.locator("#found details").first
    assert details.get_attribute("open") is None
    expect(details.locator("li").first).to_be_hidden()
    details.locator("summary").click()
    expect(details.locator("li").first).to_be_visible()
    details.locator("summary").click()


def test_theme_when_it_is_chosen_then_page_and_charts_follow_it_and_not_the_system(page: Page) -> None:
    assert background(page) == LIGHT
    light = label_colour(page)
    page.get_by_label("Theme").select_option("dark")
    assert background(page) == DARK
    assert label_colour(page) != light
    page.emulate_media(color_scheme="dark")
    page.get_by_label("Theme").select_option("light")
    assert (background(page), label_colour(page)) == (LIGHT, light)
    page.get_by_label("Theme").select_option("")
    assert background(page) == DARK


def downloaded(page: Page, chart: Chart) -> list[dict[str, str]]:
    with page.expect_download() as found:
        page.locator(f".csv[data-name='{chart.name}']").click()
    download = found.value
    assert download.suggested_filename.endswith(".csv")
    return list(csv.DictReader(io.StringIO(Path(download.path()).read_text(encoding="utf-8"))))


def test_chart_when_its_data_is_asked_for_then_the_csv_has_what_the_run_has(page: Page, folder: Path) -> None:
    summary = summary_of(folder)
    for chart in (overview_charts(summary)[0], throughput_charts(summary)[0]):
        ((_, drawn),) = chart.spec["datasets"].items()
        rows = downloaded(page, chart)
        assert list(rows[0]) == list(chart.columns.values())
        assert [list(row.values()) for row in rows] == [
            [_as_text(row.get(field)) for field in chart.columns] for row in drawn
        ]
    messages = {(row["layer_or_drop"], row["consumer"]): float(row["messages_per_s"]) for row in rows}
    frame = read_tables(folder).frame("throughput").filter(layer="redis", consumer="sync", scenario="echo")
    assert min(frame["messages_per_s"]) <= messages["redis", "sync"] <= max(frame["messages_per_s"])


def _as_text(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def test_charts_when_there_are_some_then_each_has_its_data_as_csv(page: Page) -> None:
    assert page.locator("figure").count() == page.locator("figure > .csv").count() > 10


def test_paper_when_the_dark_page_is_printed_then_it_is_light_with_every_row_and_without_buttons(page: Page) -> None:
    page.get_by_label("Theme").select_option("dark")
    page.emulate_media(media="print")
    assert background(page) == "rgb(255, 255, 255)"
    expect(page.locator("nav")).to_be_hidden()
    expect(page.locator(".csv").first).to_be_hidden()
    assert page.locator("table.folds tbody tr:visible").count() == 24
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF") and len(pdf) > 50_000


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 390)])
def test_axe_when_it_looks_at_the_page_then_it_finds_no_serious_fault(page: Page, theme: str, width: int) -> None:
    page.get_by_label("Theme").select_option(theme)
    page.set_viewport_size({"width": width, "height": 900})
    found = Axe().run(page, context=LOOKED_AT, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
