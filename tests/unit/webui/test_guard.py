"""The guard: loopback unless told otherwise, and then only with a password."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from loadtest.webui.beside_locust.guard import PASSWORD, NoPassword, guard, is_loopback


def web_ui(host: str) -> Any:
    app = Flask("web")
    app.add_url_rule("/", view_func=lambda: "in", methods=["GET", "POST"])
    return SimpleNamespace(host=host, app=app)


@pytest.fixture(autouse=True)
def no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD, raising=False)


def test_host_when_none_is_given_then_it_is_loopback() -> None:
    ui = web_ui("")
    guard(ui)
    assert ui.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "is_it"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("*", False),
     ("::", False), ("10.0.0.7", False), ("localhost.example.com", False)],
)  # fmt: skip
def test_loopback_when_asked_then_names_and_wildcards_are_not_taken_for_it(host: str, is_it: bool) -> None:
    assert is_loopback(host) is is_it


@pytest.mark.parametrize("password", ["", "short"])
def test_host_when_it_is_open_to_others_then_it_wants_a_password(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, password)
    with pytest.raises(NoPassword, match=f"set {PASSWORD}"):
        guard(web_ui("0.0.0.0"))


@pytest.mark.parametrize(
    ("given", "status"), [(None, 401), (("x", "wrong-password"), 401), (("x", "right-password"), 200)]
)
def test_request_when_there_is_a_password_then_only_who_knows_it_gets_in(
    given: tuple[str, str] | None, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, "right-password")
    ui = web_ui("0.0.0.0")
    guard(ui)
    assert ui.app.test_client().get("/", auth=given).status_code == status


@pytest.mark.parametrize(
    ("site", "status"), [(None, 200), ("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)]
)
def test_request_when_a_page_of_another_site_makes_it_then_it_is_refused(site: str | None, status: int) -> None:
    ui = web_ui("")
    guard(ui)
    headers = {} if site is None else {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}
    assert ui.app.test_client().post("/", headers=headers).status_code == status
    assert ui.app.test_client().get("/", headers=headers).status_code == status


def test_request_when_a_link_on_another_site_makes_it_then_the_page_opens_and_nothing_starts() -> None:
    ui = web_ui("")
    guard(ui)
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert ui.app.test_client().get("/", headers=link).status_code == 200
    assert ui.app.test_client().post("/", headers=link).status_code == 403, "a form of that page was sent"
