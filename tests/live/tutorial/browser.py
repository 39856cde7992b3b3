"""The tutorials' consumers on the app's page, tested as tutorials test them: ChannelsLiveServerTestCase and a browser.

Run by tests/browser/test_tutorial.py, as `manage.py test tests.live.tutorial.browser`, where there is a Chromium.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import psutil
from channels.testing import ChannelsLiveServerTestCase
from daphne.testing import DaphneProcess
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.test import TransactionTestCase
from playwright.sync_api import Browser, Page, expect, sync_playwright

from target_app.presence.models import Presence
from target_app.tutorial import TUTORIAL

if TYPE_CHECKING:
    from playwright.sync_api import Locator

ANSWER_S = 20.0
EXPECTED = {"echo": "hello", "chat": "Echo: hello", "received": "Received: hello", "no_connect": "hello"}


class UnsharedDaphne(DaphneProcess):
    """Daphne, forked where no connection to the database is open.

    SQLite's locks do not outlive a fork, and what it knows of them does: a server that inherits a connection takes
    locks for held that are not. In WAL mode the test then removes the log that the server goes on writing to.
    """

    def start(self) -> None:
        connections.close_all()
        super().start()


class AsTaught(ChannelsLiveServerTestCase):
    """What tutorials derive from; the app has no static files."""

    host = "127.0.0.1"
    serve_static = False


class LiveTestCase(AsTaught):
    """The same with a database of its own."""

    ProtocolServerProcess = UnsharedDaphne


class OnThePage(LiveTestCase):
    """A person picks a consumer, connects, sends and sees."""

    browser: Browser

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()  # the server first: a fork of the browser's connection would be no good either
        try:
            chromium = cls.enterClassContext(sync_playwright()).chromium
            cls.browser = chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
        except BaseException:
            super().tearDownClass()  # or else the server is waited for at the end, for ever
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        cls.browser.close()
        super().tearDownClass()

    def setUp(self) -> None:
        self.page = self.new_page()

    def new_page(self) -> Page:
        """Open the app's page in a window of its own: one behind another is slow, a second for each click."""
        page = self.browser.new_page()
        self.addCleanup(page.close)
        page.goto(self.live_server_url)
        return page

    def pick(self, name: str, page: Page | None = None) -> None:
        """Press Open for that consumer."""
        page = page or self.page
        page.get_by_label("Consumer").select_option(name)
        page.get_by_role("button", name="Open").click()

    def open(self, name: str, page: Page | None = None) -> None:
        self.pick(name, page)
        expect((page or self.page).get_by_role("status")).to_have_text("open")

    def say(self, text: str, page: Page | None = None) -> None:
        (page or self.page).get_by_label("Message", exact=True).fill(text)
        (page or self.page).keyboard.press("Enter")

    def last(self) -> Locator:
        return self.page.locator("#log li").last

    def close(self, page: Page | None = None) -> None:
        (page or self.page).get_by_role("button", name="Close").click()
        expect((page or self.page).get_by_role("status")).to_have_text("closed")

    def wait_until_online(self, count: int) -> None:
        """Wait until the server has written so many into the database that the test has too."""
        until = time.monotonic() + ANSWER_S
        while (online := Presence.objects.filter(online=True).count()) != count and time.monotonic() < until:
            self.page.wait_for_timeout(10)
        self.assertEqual(online, count)

    def test_page_when_a_consumer_is_picked_then_its_answers_are_seen(self) -> None:
        for row in (row for row in TUTORIAL if row.module in EXPECTED):
            with self.subTest(row.name):
                self.open(row.name)
                if row.module == "chat":
                    expect(self.last()).to_contain_text("Connected")
                self.say("hello")
                expect(self.last()).to_contain_text(EXPECTED[row.module])
                expect(self.last()).to_contain_text(" ms)")
                self.close()

    def test_page_when_two_are_in_a_room_then_both_see_each_message_and_are_online_until_they_leave(self) -> None:
        both = (self.page, self.new_page())
        for row in (row for row in TUTORIAL if not row.answers_alone):
            with self.subTest(row.name):
                for page in both:
                    self.open(row.name, page)
                self.wait_until_online(2)
                self.say(row.name)
                for page in both:
                    expect(page.locator("#log .in .text").last).to_have_text(row.name)
                for page in both:
                    self.close(page)
                self.wait_until_online(0)

    def test_page_when_the_consumer_fails_then_only_the_hooked_one_says_so(self) -> None:
        for name, said in (("tutorial-error-async", 0), ("tutorial-error-hook-sync", 1)):
            with self.subTest(name):
                self.open(name)
                self.page.get_by_label("send it as plain text").check()
                self.say("no JSON")
                expect(self.last()).to_contain_text("code 1011")
                expect(self.page.locator("#log .in")).to_have_count(said)

    def test_page_when_a_consumer_wants_a_user_then_signing_in_lets_one_in(self) -> None:
        get_user_model().objects.create_user("ann", password="secret of ann")
        self.pick("tutorial-signed-in-async")
        expect(self.page.get_by_role("status")).to_have_text("failed")
        self.page.get_by_role("link", name="Sign in").click()
        self.page.get_by_label("Username").fill("ann")
        self.page.get_by_label("Password").fill("secret of ann")
        self.page.get_by_role("button", name="Sign in").click()
        self.open("tutorial-signed-in-async")
        expect(self.page.get_by_text("Signed in as ann")).to_be_visible()
        self.say("hello")
        expect(self.last()).to_contain_text("ann: hello")
        self.close()
        self.page.get_by_role("button", name="Sign out").click()
        self.pick("tutorial-signed-in-async")
        expect(self.page.get_by_role("status")).to_have_text("failed")


class Inherited(TransactionTestCase):
    """What a server has open when it has started, before anybody asks it for anything."""

    def test_server_when_the_test_has_its_database_open_then_channels_own_gets_it_and_ours_does_not(self) -> None:
        self.assertEqual(self.open_in_server_of(LiveTestCase), set())
        self.assertEqual(self.open_in_server_of(AsTaught), {"", "-wal", "-shm"})

    def open_in_server_of(self, case: Any) -> set[str]:
        """Start and stop a server as a test case of that class does; return which files of the database it had open."""
        Presence.objects.create(channel=case.__name__, online=False)
        case.setUpClass()
        try:
            paths = [file.path for file in psutil.Process(case._server_process.pid).open_files()]
        finally:
            case.tearDownClass()
        database = str(connection.settings_dict["NAME"])
        return {path.removeprefix(database) for path in paths if path.startswith(database)}
