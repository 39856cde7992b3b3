"""The reference app's page in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from loadtest.layers import LAYERS
from loadtest.servers import SERVERS
from loadtest.targets import Setting
from loadtest.targets.reference import ReferenceApp
from loadtest.targets.reference import RunningReference as Target
from target_app.consumers import CONSUMERS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("app")
    setting = Setting(server=SERVERS["uvicorn"], layer=LAYERS["inmemory"], folder=folder)
    with ReferenceApp().prepare(folder).start(setting) as app:
        yield app


@pytest.fixture
def page(page: Page, target: Target) -> Iterator[Page]:
    """The app's page, opened; every request to elsewhere fails the test."""
    elsewhere: list[str] = []
    address = target.url.replace("ws:", "http:")
    page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith(address) else None)
    page.goto(address)
    yield page
    assert [url for url in elsewhere if not url.startswith("data:")] == []


@pytest.mark.parametrize("consumer", [row.name for row in CONSUMERS if not row.variant_of])
def test_page_when_a_message_is_sent_to_echo_then_it_comes_back_and_closing_works(page: Page, consumer: str) -> None:
    page.get_by_label("Consumer").select_option(consumer)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("status")).to_have_text("open")
    page.get_by_label("Message", exact=True).fill("<b>hello</b>")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#log .in")).to_contain_text("<b>hello</b>")
    expect(page.locator("#log .in")).to_contain_text(" ms)")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("status")).to_have_text("closed")
    expect(page.locator("#log li").last).to_contain_text("code 1000")


def test_page_when_two_are_in_a_room_then_both_see_each_message(page: Page, browser: Browser) -> None:
    other = browser.new_page()
    other.goto(page.url)
    for each in (page, other):
        each.get_by_label("Consumer").select_option("async")
        each.get_by_label("Route").select_option("room")
        each.get_by_label("Room", exact=True).fill("tea")
        each.get_by_role("button", name="Open").click()
        expect(each.get_by_role("status")).to_have_text("open")
    page.get_by_label("Message", exact=True).fill("from one")
    page.keyboard.press("Enter")
    for each in (page, other):
        expect(each.locator("#log .in .text")).to_have_text("from one")
    other.close()


def test_page_when_the_room_name_is_not_allowed_then_no_socket_is_opened(page: Page) -> None:
    page.get_by_label("Route").select_option("room")
    page.get_by_label("Room", exact=True).fill("a room")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("status")).to_have_text("closed")
    assert page.locator("#log li").count() == 0


def test_page_when_the_server_refuses_then_it_says_so_and_can_be_used_again(page: Page) -> None:
    page.evaluate("document.getElementById('work').add(new Option('nonsense', 'nonsense'))")
    page.get_by_label("Work per message").select_option("nonsense")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("status")).to_have_text("failed")
    page.get_by_label("Work per message").select_option("orm")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("status")).to_have_text("open")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
def test_page_when_narrow_or_wide_then_nothing_sticks_out(page: Page, scheme: str, width: int, tmp_path: Path) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    page.get_by_label("Route").select_option("room")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("status")).to_have_text("open")
    for message in ("Hello", "A long message: " + "word" * 60):
        page.get_by_label("Message", exact=True).fill(message)
        page.keyboard.press("Enter")
    expect(page.locator("#log .in")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / f"{scheme}-{width}.png")
