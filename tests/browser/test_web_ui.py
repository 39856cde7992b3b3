"""Locust's web UI as a person uses it: `ui`, the form, Start, the tabs, the buttons, the files, Ctrl-C.

The tests share one page and come one after the other, as a person's clicks do.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from loadtest.cli.exit_codes import FAILED
from loadtest.report import read_tables
from loadtest.report.manifest import read_manifest
from tests.browser.web_ui import WebUi, drops_of, form, running_web_ui
from tests.unit.command_line import ACCEPTED, said_to

PATIENCE_MS = 30_000
"""For what takes some seconds on a quiet machine: a server starts, a test ends and is audited."""
PLAN = """
scenarios = ["churn"]
layers = ["inmemory"]
consumers = ["async"]
users = 80
rate = 1
room_size = 20
trials = 1
duration = 0.5
warm_up = 0
settle = 0.5
pin = false
"""
"""What the comparison runs here: the load of the form as it stands, and no longer than it must."""
COMPLETE_MS = 60_000
"""The trial of the comparison and its report take some 10 s on a quiet machine."""
ROWS = (
    ("Drops", "rst"),
    ("Delivery", "delivered"),
    ("Server", "sync_thread_busy"),
    ("Left behind", "group members"),
    ("Validity", "late_ms_p99"),
)
"""Of each tab a row that it always has."""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def web_ui(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUi]:
    """A web UI; without a browser none is started."""
    plan = tmp_path_factory.mktemp("plan") / "plan.toml"
    plan.write_text(PLAN)
    with running_web_ui(tmp_path_factory.mktemp("results"), "--plan", str(plan), "--allow-contention") as running:
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, web_ui: WebUi) -> Iterator[Page]:
    """One page for all tests here, as a person has it; a complaint in its console, or in that of a page that one of its
    links opens, fails the last of them.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page = context.new_page()
    page.goto(web_ui.address)
    yield page
    context.close()
    assert complaints == []


def start(page: Page) -> None:
    form(page).get_by_role("button", name="Start").click()


def comparisons(web_ui: WebUi) -> set[Path]:
    return {manifest.parent for manifest in web_ui.results.glob("*-quick/manifest.json")}


def wait_for_drops(page: Page) -> None:
    expect(drops_of(page, "rst")).to_have_text(re.compile(r"[1-9]"), timeout=PATIENCE_MS)


def wait_for_audit(page: Page) -> None:
    expect(page.get_by_role("status")).to_contain_text("audited", timeout=PATIENCE_MS)


def see_each_tab(page: Page) -> None:
    for tab, cell in ROWS:
        page.get_by_role("tab", name=tab, exact=True).click()
        expect(page.get_by_role("cell", name=cell, exact=True)).to_be_visible()


def test_form_when_an_option_makes_no_sense_then_it_says_so_and_nothing_starts(page: Page) -> None:
    share = form(page).get_by_label("Share of the members dropped each second")
    as_it_was = share.input_value()
    share.fill("7")
    start(page)
    expect(page.get_by_text("--drop-share: Input should be less than or equal to 1")).to_be_visible()
    share.fill(as_it_was)


def test_form_when_a_scenario_is_chosen_then_its_load_is_filled_in_and_churn_is_the_first(page: Page) -> None:
    scenario = form(page).get_by_label("Scenario", exact=True)
    assert scenario.input_value() == "churn"
    scenario.select_option("echo")
    expect(form(page).get_by_label("Number of users")).to_have_value("50")
    expect(form(page).get_by_label("Members in each room")).to_have_value("1")
    expect(form(page).get_by_label("Load (messages")).to_have_value("0")
    expect(form(page).get_by_label("Duration")).to_have_value("30")
    expect(form(page).get_by_role("group", name="Ways to drop")).to_have_attribute("disabled", "")
    scenario.select_option("churn")
    expect(form(page).get_by_label("Number of users")).to_have_value("80")


def test_form_when_there_is_something_to_choose_then_each_choice_says_what_it_is(page: Page) -> None:
    for choice in ("Scenario", "Consumer", "Channel layer", "Server"):
        texts = form(page).get_by_label(choice, exact=True).locator("option").all_inner_texts()
        assert len(texts) > 1 and all(re.fullmatch(r"[\w-]+: .+", text) for text in texts), texts
    kinds = form(page).get_by_role("group", name="Ways to drop").locator("label")
    assert kinds.count() > 5
    assert all(len(text.split()) > 2 for text in kinds.all_text_contents())


def test_start_when_the_form_is_as_it_stands_then_drops_are_shown_and_the_button_drops_more(page: Page) -> None:
    start(page)
    wait_for_drops(page)
    see_each_tab(page)
    page.get_by_label("Percent of the members").fill("100")
    page.get_by_label("Way to drop").select_option("fin")
    with page.expect_response("**/loadtest/drop") as answer:
        page.get_by_role("button", name="Drop now").click()
    assert answer.value.json()["success"]
    expect(page.get_by_role("status")).to_have_text("100% of the members dropped by fin")
    page.get_by_role("button", name="Chart with drops").click()
    expect(page.locator(".lt-drawer svg .lt-mark").first).to_be_attached()


def test_stop_when_the_test_is_audited_then_the_button_has_dropped_all_and_the_verdict_is_the_reports(
    page: Page, web_ui: WebUi
) -> None:
    page.get_by_role("button", name="Stop and audit").click()
    wait_for_audit(page)
    drops = read_tables(web_ui.newest).frame("drops")
    fin = drops.filter(drops["drop"] == "fin")
    most_at_once = fin.group_by(fin["t_s"].round(1)).len()["len"].max()
    assert isinstance(most_at_once, int) and most_at_once > 40
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report", exact=True).click()
    report = opened.value
    expect(report).to_have_title(re.compile(web_ui.newest.name))
    is_valid = page.get_by_role("heading", name="Valid: the figures count").count()
    assert report.get_by_role("heading", name="Trials that are not valid").count() == 1 - is_valid
    report.close()


def test_folder_when_the_test_is_audited_then_report_and_show_read_it(web_ui: WebUi) -> None:
    folder = str(web_ui.newest)
    manifest = read_manifest(web_ui.newest)
    assert (manifest.state, manifest.done) == ("finished", 1)
    dropped = read_tables(web_ui.newest).frame("drops")["connection"][0]
    for command in (["report", folder], ["show", folder, str(dropped)]):
        said = said_to(*command)
        assert said.code == ACCEPTED and said.out, said.err


def test_comparison_when_it_has_a_plan_then_its_progress_and_its_report_are_shown_and_the_test_is_its_partner(
    page: Page, web_ui: WebUi
) -> None:
    tested = web_ui.newest
    page.get_by_role("button", name="Run the comparison").click()
    expect(page.get_by_role("heading", name="The comparison runs")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".lt-drawer pre")).to_contain_text("1 trial", timeout=PATIENCE_MS)
    expect(page.get_by_text("The comparison has ended (exit code 0)")).to_be_visible(timeout=COMPLETE_MS)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report of the comparison").click()
    report = opened.value
    (run,) = comparisons(web_ui)
    expect(report).to_have_title(re.compile(run.name))
    expect(report.get_by_role("cell", name="async", exact=True).first).to_be_attached()
    report.close()
    compared = said_to("compare", "--force", str(tested), str(run))  # the test was stopped when it suited
    assert compared.code in (ACCEPTED, FAILED) and "missed" in compared.out, compared.err


def test_files_when_downloaded_then_each_is_that_of_the_folder(page: Page, web_ui: WebUi) -> None:
    page.get_by_role("tab", name="Download Data").click()
    links = page.get_by_role("link", name=re.compile(r"^Download \w+\.csv$"))
    names = [name.removeprefix("Download ") for name in links.all_inner_texts()]
    assert {*names} == {path.name for path in web_ui.newest.glob("*.csv")}
    for name in names:
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download {name}", exact=True).click()
        assert Path(download.value.path()).read_bytes() == (web_ui.newest / name).read_bytes()


def test_tabs_when_the_test_is_audited_then_each_has_its_rows(page: Page) -> None:
    see_each_tab(page)
    page.get_by_role("tab", name="Left behind", exact=True).click()
    expect(page.get_by_role("cell", name="group members", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="known when all connections are gone")).to_have_count(0)


def test_new_test_when_consumer_layer_and_work_are_others_then_a_drop_is_missed_and_opens_its_story(
    page: Page, web_ui: WebUi
) -> None:
    before = web_ui.newest
    page.get_by_role("button", name="New").click()
    form(page).get_by_label("Consumer").select_option("sync")
    form(page).get_by_label("Channel layer").select_option("redis")
    form(page).get_by_label("Number of users").fill("20")
    form(page).get_by_label("Load (messages").fill("2")
    form(page).locator("input[name=drop_kind][value=fin]").uncheck()
    form(page).get_by_label("Share of the members dropped each second").fill("1")
    form(page).get_by_text("More", exact=True).click()
    form(page).get_by_label("handler-work").fill("sleep:30")
    start(page)
    wait_for_drops(page)
    page.get_by_role("button", name=re.compile(r"^Missed drops \([1-9]")).click(timeout=PATIENCE_MS)
    with page.expect_popup() as opened:
        page.locator(".lt-drawer").get_by_role("link", name=re.compile(r"^\d+$")).first.click()
    story = opened.value
    expect(story.get_by_text(re.compile("^DROPPED: "))).to_be_visible()
    expect(story.get_by_text("scope reached the application")).to_be_visible()
    story.close()
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_for_audit(page)
    assert web_ui.newest != before
    (measured,) = read_tables(web_ui.newest).frame("throughput").select("layer", "consumer", "users").rows()
    assert measured == ("redis", "sync", 20)
    plan = read_manifest(web_ui.newest).plan
    assert plan["rate"] == 2 and "rst" in plan["drops"] and "fin" not in plan["drops"]


def test_new_test_when_it_is_stopped_before_anything_counts_then_another_server_ran_and_nothing_is_audited(
    page: Page, web_ui: WebUi
) -> None:
    before = web_ui.newest
    page.get_by_role("button", name="New").click()
    form(page).get_by_label("Server", exact=True).select_option("daphne")
    form(page).get_by_label("Ramp up").fill("1")
    start(page)
    page.get_by_role("button", name="Stop", exact=True).click(timeout=PATIENCE_MS)
    expect(page.get_by_role("status")).to_contain_text("abandoned: ", timeout=PATIENCE_MS)
    assert web_ui.newest != before
    manifest = read_manifest(web_ui.newest)
    assert (manifest.state, manifest.done) == ("interrupted", 0)
    assert "server daphne" in manifest.identity


def test_comparison_when_it_is_stopped_then_the_bench_ends(page: Page, web_ui: WebUi) -> None:
    before = comparisons(web_ui)
    page.get_by_role("button", name="Run the comparison").click()
    expect(page.get_by_role("heading", name="The comparison runs")).to_be_visible(timeout=PATIENCE_MS)
    while not comparisons(web_ui) - before:  # it has no folder before its first trial begins
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Stop the comparison").click()
    expect(page.get_by_text("The comparison has ended")).to_be_visible(timeout=PATIENCE_MS)
    (run,) = comparisons(web_ui) - before
    assert read_manifest(run).state == "interrupted"
