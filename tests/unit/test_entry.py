"""Entry: with what users open their connections, and that nobody else reads it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.generator import job_of, write_job, written_entry
from loadtest.bench.plan import PlanError
from loadtest.cli.app_options import redacted_variables, resumed_target
from loadtest.cli.entry_options import entry_of, login_of
from loadtest.load import Load
from loadtest.load.entry import Entry, read_entry, write_entry
from loadtest.users.handshaking import handshake_of
from tests.unit.plans import make_plan

ENTRY = Entry(
    headers=("Authorization: Bearer swordfish",),
    cookies={"pool": "a"},
    sessions=({"sessionid": "one"}, {"sessionid": "two"}),
    origin="https://help.example.com",
    subprotocols=("v2",),
)


def test_entry_when_it_is_written_then_its_owner_alone_reads_it_and_it_is_the_same(tmp_path: Path) -> None:
    write_entry(ENTRY, tmp_path / "entry.json")
    assert stat.S_IMODE((tmp_path / "entry.json").stat().st_mode) == 0o600
    assert read_entry(tmp_path / "entry.json") == ENTRY


def test_entry_when_it_is_shown_then_no_secret_is() -> None:
    assert "swordfish" not in repr(ENTRY)
    assert "one" not in repr(ENTRY)


@pytest.mark.parametrize(("user", "session"), [(0, "one"), (1, "two"), (2, "one")])
def test_entry_when_users_are_signed_in_then_each_has_the_cookies_of_its_own_session(user: int, session: str) -> None:
    assert ENTRY.of_user(user) == [("Authorization", "Bearer swordfish"), ("Cookie", f"pool=a; sessionid={session}")]


def test_handshake_when_there_is_an_entry_then_it_is_in_it_beside_the_loads_own_headers() -> None:
    load = Load(host="ws://test", header=("X-Own: 1",))
    handshake = handshake_of(load, 7, entry=ENTRY, user=1)
    assert handshake["headers"][1:] == [("X-Own", "1"), *ENTRY.of_user(1)]
    assert handshake["origin"] == "https://help.example.com"
    assert handshake["subprotocols"] == ("v2",)


def test_job_when_there_is_an_entry_then_it_names_its_file_and_holds_nothing_of_it(tmp_path: Path) -> None:
    plan = make_plan({"load": "fixed"})
    job = job_of(plan, plan.trials_in_order()[0], folder=tmp_path)
    path = written_entry(ENTRY, tmp_path / "locust.job.json")
    assert path is not None
    text = write_job(job.at("ws://test", path), tmp_path).read_text()
    assert str(path) in text
    assert "swordfish" not in text


def test_job_when_nothing_is_shown_then_there_is_no_file(tmp_path: Path) -> None:
    assert written_entry(Entry(), tmp_path / "locust.job.json") is None


def test_options_when_a_file_has_headers_then_they_are_taken_but_for_comments(tmp_path: Path) -> None:
    (tmp_path / "headers").write_text("# ours\n\nAuthorization: Bearer x\n")
    entry = entry_of({"header_file": tmp_path / "headers", "header": ["X-Own: 1"], "cookie": ["a=b=c"]})
    assert entry.headers == ("Authorization: Bearer x", "X-Own: 1")
    assert entry.cookies == {"a": "b=c"}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"header": ["Authorization swordfish"]}, "--header: 'Authorization...' is no header"),
        ({"header": ["Origin: https://swordfish"]}, "has an option of its own; use --origin"),
        ({"header": ["Cookie: a=swordfish"], "cookie": ["b=1"]}, "give them all by --cookie"),
        ({"cookie": ["swordfish"]}, "--cookie: write NAME=VALUE, got '...'"),
        ({"cookie": ["a=sword fish"]}, "--cookie: write NAME=VALUE, got 'a=...'"),
        ({"origin": "help.example.com"}, "--origin: 'help.example.com' is no origin"),
        ({"subprotocol": ["a b"]}, "--subprotocol: 'a b' is no subprotocol"),
        ({"header_file": Path("/no/such")}, "--header-file /no/such cannot be read"),
    ],
)
def test_options_when_they_make_no_sense_then_it_is_said_without_a_secret(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError) as refused:
        entry_of(given)
    assert problem in str(refused.value)
    assert "swordfish" not in str(refused.value)


def test_command_when_it_has_headers_and_cookies_then_their_values_are_not_kept() -> None:
    command = ["bench", "--header", "A: secret", "--header=B: secret", "--cookie", "c=secret", "--cookie", "secret"]
    kept = redacted_variables(command)
    assert kept == ["bench", "--header", "A:...", "--header=B:...", "--cookie", "c=...", "--cookie", "..."]


@pytest.mark.parametrize(
    ("had", "problem"),
    [
        ({"header": ["Authorization"]}, "the run had Authorization from --header or --header-file; give it again"),
        ({"cookie": ["pool"]}, "the run had pool from --cookie; give it again"),
    ],
)
def test_resume_when_something_was_shown_and_is_not_given_again_then_it_is_named(
    had: dict[str, Any], problem: str
) -> None:
    with pytest.raises(PlanError) as refused:
        resumed_target({"app": "a.asgi", "app_dir": "/", "env": [], **had}, {})
    assert problem in str(refused.value)


def test_login_when_a_file_has_accounts_then_they_are_read_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("# ours\nann:a:b\nbob: swordfish\n")
    login = login_of({"login_url": "/login/", "users_file": tmp_path / "users"})
    assert login is not None
    assert [(account.name, account.password) for account in login.accounts] == [("ann", "a:b"), ("bob", " swordfish")]
    assert "swordfish" not in repr(login)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read"),
        ("", "has nobody in it"),
        ("ann:1\nswordfish\n:swordfish", "not NAME:PASSWORD in entry 2, 3"),
    ],
)
def test_login_when_its_file_makes_no_sense_then_it_is_said_without_a_secret(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    if text is not None:
        (tmp_path / "users").write_text(text)
    with pytest.raises(PlanError) as refused:
        login_of({"login_url": "/login/", "users_file": tmp_path / "users"})
    assert problem in str(refused.value)
    assert "swordfish" not in str(refused.value)


def test_login_when_there_are_users_and_no_page_then_it_is_asked_for() -> None:
    with pytest.raises(PlanError, match="give --login-url, the page with the form, too"):
        login_of({"users_file": Path("users")})
