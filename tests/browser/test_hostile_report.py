"""The report of a hostile run in a real browser: nothing of it runs, asks for anything, or breaks the layout."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page

from loadtest.report import write_report
from tests.unit.hostile_run import FORMULAS, HARM, WORD, shown, write_hostile_run

pytestmark = pytest.mark.browser

DRAWN = """[...document.querySelectorAll('figure:not([hidden]) .chart')].every(
  (box) => box.querySelector('svg') && box.dataset.drawn === `${Math.floor(box.clientWidth)}`)"""
"""Every chart, and at the width that it has now."""
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Control characters but line ends and tabs, what turns the direction of writing, and what has no width."""
TEXTS = """() => {
  const texts = [document.title, document.body.innerText];
  for (const one of document.querySelectorAll("body *")) {
    if (one.tagName !== "SCRIPT") for (const { value } of one.attributes) texts.push(value);
    if (one.children.length === 0 && one.tagName !== "SCRIPT") texts.push(one.textContent);
  }
  return texts.join("\\n");
}"""
"""All that the page has to say, also what is folded, hidden or in an attribute; not its scripts."""
ELSEWHERE = "img, image, iframe, frame, object, embed, video, audio, base, link, form:not(.vega-bindings), input, use"
"""Elements that load something, send something, or change where links lead; the page has none of them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_hostile_run(tmp_path_factory.mktemp("run"))
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    """The report, opened with the network there; any dialog, complaint, popup or request fails the last test."""
    happened: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.on("request", lambda request: happened.append(f"request {request.url[:200]}"))

    def dismiss(dialog: Dialog) -> None:
        happened.append(f"dialog {dialog.message}")
        dialog.dismiss()

    context.on("dialog", dismiss)
    context.on("weberror", lambda error: happened.append(str(error.error)))
    context.on("console", lambda message: happened.append(f"{message.type} {message.text}"))
    page = context.new_page()
    page.on("popup", lambda popup: happened.append(f"popup {popup.url}"))
    page.goto((folder / "report.html").as_uri())
    page.wait_for_function(DRAWN)
    yield page
    context.close()
    assert [what for what in happened if not what.startswith("request blob:")] == [f"request {page.url}"]


def test_report_page_of_a_hostile_run_when_opened_then_nothing_of_it_runs_or_loads(page: Page) -> None:
    assert page.evaluate("window.owned") is None
    assert page.locator(ELSEWHERE).count() == 0
    assert page.locator(".chart .failed").count() == 0
    handlers = "[...document.querySelectorAll('*')].filter(one => [...one.attributes].some(a => /^on/i.test(a.name)))"
    assert page.evaluate(f"{handlers}.length") == 0


def test_report_page_of_a_hostile_run_when_read_then_its_texts_are_there_and_nothing_is_in_them_unseen(
    page: Page,
) -> None:
    said = page.evaluate(TEXTS)
    assert set(UNSEEN.findall(said)) == set()
    lines = " ".join(said.split())
    assert [harm for harm in (*HARM, WORD) if " ".join(shown(harm).split()) not in lines] == []


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_report_page_of_a_hostile_run_when_narrow_or_wide_then_nothing_sticks_out(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(DRAWN)
    for details in (False, True):
        page.evaluate("open => document.querySelectorAll('details').forEach(one => { one.open = open })", details)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_report_page_of_a_hostile_run_when_it_has_links_then_they_lead_to_the_page_itself(page: Page) -> None:
    links = page.locator("[href], [xlink\\:href], [src], [action], [formaction]").evaluate_all(
        "found => found.map(one => one.href?.baseVal ?? one.href ?? one.src ?? '')"
    )
    assert len(links) > 5
    assert [link for link in links if not link.startswith(f"{page.url}#")] == []


def test_charts_of_a_hostile_run_when_their_data_is_asked_for_then_no_field_is_a_formula(page: Page) -> None:
    fields = [field for text in downloads(page) for row in csv.reader(io.StringIO(text)) for field in row]
    assert any(field.startswith(f"'{FORMULAS[0]}") for field in fields)
    assert [field for field in fields if field.startswith(tuple("=+-@\t\r")) and not is_number(field)] == []


def downloads(page: Page) -> Iterator[str]:
    """Each chart's data as its button gives it, whose name is that of a file in a folder."""
    for button in page.locator("figure:not([hidden]) > .csv").all():
        with page.expect_download() as found:
            button.click()
        assert re.fullmatch(r"[\w.-]{1,100}\.csv", found.value.suggested_filename)
        yield Path(found.value.path()).read_text(encoding="utf-8")


def is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
