"""The tutorials' consumers on the page in a real browser, as tutorials test them."""

import os
from pathlib import Path

import pytest

from tests.browser.conftest import CHROMIUM
from tests.live.tutorial_tests import run_django_tests

pytestmark = pytest.mark.browser


def test_tutorials_when_tested_with_a_live_server_and_a_browser_then_all_pass(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH; install chromium to run the browser tests")
    # Playwright's synchronous API runs an event loop in the thread of the test, where Django asks the database
    env = {"CHROMIUM": CHROMIUM, "DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
    run_django_tests("tests.live.tutorial.browser", tmp_path, {**os.environ, **env})
