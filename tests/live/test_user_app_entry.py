"""An app that lets in only who shows a token, comes from its own page, or speaks its subprotocol."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from loadtest.cli.main import main
from tests.live.bench_process import Bench, manifest, may_be_lost, table

pytestmark = pytest.mark.live

PROJECT = Path(__file__).with_name("projects") / "helpdesk"
ROOM_SIZE = 4
LOAD = (
    "--scenarios", "churn", "--users", "8", "--room-size", str(ROOM_SIZE), "--load", "fixed", "--trials", "1",
    "--duration", "2", "--drops", "rst", "--no-pin", "--allow-contention",
)  # fmt: skip
TOKEN = "swordfish-31"
AGENT = "/ws/agent/ticket/{room}/"
COOKIE = ("--cookie", "pool=swordfish-32")
SUBPROTOCOL = ("--subprotocol", "helpdesk.v2")

Audit = Callable[..., Bench]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Return what starts a bench of the project at a path."""

    def run(path: str, *options: str) -> Bench:
        app = ("--app", "helpdesk.asgi", "--app-dir", str(PROJECT), "--env", f"HELPDESK_TOKEN={TOKEN}")
        return Bench("bench", *app, "--path", path, *LOAD, *options, "--out", tmp_path / "out")

    return run


@pytest.fixture
def header_file(tmp_path: Path) -> Path:
    file = tmp_path / "headers"
    file.write_text(f"# of the load test\nAuthorization: Bearer {TOKEN}\n")
    return file


def test_audit_when_the_app_wants_a_token_then_it_is_shown_and_written_down_nowhere(
    audit: Audit, header_file: Path, tmp_path: Path
) -> None:
    run = tmp_path / "out" / "latest"
    with audit(AGENT, "--header-file", str(header_file), *COOKIE, *SUBPROTOCOL) as bench:
        bench.wait_until(generators)
        seen = generators()
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert "swordfish" not in bench.out + bench.err
    (row,) = table(run, "delivery").iter_rows(named=True)
    assert row["delivered"] > 0
    assert row["lost"] <= may_be_lost(run, ROOM_SIZE), row
    told = manifest(run)["target"]
    assert (told["header"], told["cookie"], told["subprotocol"]) == (["Authorization"], ["pool"], ["helpdesk.v2"])
    assert seen
    assert not any("swordfish" in line for line in seen)
    holding = [file for file in run.rglob("*") if file.is_file() and b"swordfish" in file.read_bytes()]
    assert holding == []


def generators() -> list[str]:
    """Return the command lines of all generators that run on this machine."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended
            continue
    return [line for line in found if " -m locust --headless " in line]


def test_audit_when_no_token_is_shown_then_exit_4_and_that_it_was_refused(audit: Audit) -> None:
    with audit(AGENT, *COOKIE, *SUBPROTOCOL) as bench:
        assert bench.ended() == 4
        assert "the connection was refused before a consumer of Channels began" in bench.err


def test_audit_when_the_app_chooses_no_subprotocol_then_exit_4_before_a_trial_is_run(audit: Audit) -> None:
    """Clients that asked for one end such a connection, so that every trial would be without members."""
    with audit("/ws/members/ticket/{room}/", "--login-url", "/accounts/login/", *SUBPROTOCOL) as bench:
        assert bench.ended() == 4
        assert "chose none of the subprotocols helpdesk.v2" in bench.err


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        (
            "https://help.example.com",
            "cannot be opened: HTTP 403 in answer to the opening handshake; no route fits",
        ),
        ("https://evil.example.com", "the connection was refused before a consumer of Channels began"),
    ],
)
def test_audit_when_an_origin_is_named_then_the_app_sees_that_one(audit: Audit, origin: str, refused: str) -> None:
    """From its own page a connection gets as far as to the consumer, which wants somebody who is signed in."""
    with audit("/ws/ticket/{room}/", "--origin", origin) as bench:
        assert bench.ended() == 4
        assert refused in bench.err


def test_header_when_it_makes_no_sense_then_exit_2_and_its_value_is_not_repeated(audit: Audit) -> None:
    with audit(AGENT, "--header", f"Authorization=Bearer {TOKEN}", "--cookie", TOKEN) as bench:
        assert bench.ended() == 2
        assert "--header: 'Authorization...' is no header; write 'Name: value'" in bench.err
        assert "--cookie: write NAME=VALUE, got '...'" in bench.err
        assert TOKEN not in bench.err


def test_audit_when_it_is_cut_short_then_it_goes_on_once_what_is_not_kept_of_it_is_given_again(
    audit: Audit, header_file: Path, tmp_path: Path
) -> None:
    run = tmp_path / "out" / "latest"
    shown = ("--header-file", str(header_file), *COOKIE)
    with audit(AGENT, *shown, *SUBPROTOCOL, "--trials", "2", "--no-twins") as bench:
        bench.wait_until(lambda: (run / "throughput.csv").exists() and table(run, "throughput").height > 0)
        bench.process.terminate()
        assert bench.ended() == 130
    assert "swordfish" not in json.dumps(manifest(run))
    env = ("--env", f"HELPDESK_TOKEN={TOKEN}")
    with Bench("bench", "--resume", run, *shown) as bench:
        assert bench.ended() == 2
        assert "the run had HELPDESK_TOKEN from --env or --env-file; give it again" in bench.err
    with Bench("bench", "--resume", run, *env) as bench:
        assert bench.ended() == 2
        assert "the run had Authorization from --header or --header-file; give it again" in bench.err
    with Bench("bench", "--resume", run, *env, *shown) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
    assert manifest(run)["state"] == "finished"
    assert sorted(table(run, "throughput")["trial"]) == [1, 2], "of the same app"


MAKE_USERS = (
    "from django.contrib.auth.models import User; "
    "[User.objects.create_user(f'user{n}', password=f'secret-{n}') for n in range(8)]"
)
CUSTOMER = ("--before", f'python manage.py shell -c "{MAKE_USERS}"', "--login-url", "/accounts/login/")


ACCOUNTS = "\n".join(f"user{number}:secret-{number}" for number in range(8))


def users_file(folder: Path, text: str = ACCOUNTS) -> tuple[str, str]:
    (folder / "users").write_text(text)
    return "--users-file", str(folder / "users")


def test_audit_when_users_sign_in_and_none_are_named_then_they_are_made_and_each_has_a_session_of_its_own(
    audit: Audit, tmp_path: Path
) -> None:
    """At a path whose middleware refuses whoever is not signed in."""
    run = tmp_path / "out" / "latest"
    with audit("/ws/members/ticket/{room}/", "--login-url", "/accounts/login/") as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert "users who can sign in are made in the scratch database" in bench.err
    (row,) = table(run, "delivery").iter_rows(named=True)
    assert row["delivered"] > 0
    assert row["lost"] <= may_be_lost(run, ROOM_SIZE), row
    (opened,) = table(run, "throughput").iter_rows(named=True)
    assert opened["open_failed"] == 0
    assert manifest(run)["target"]["login_url"] == "/accounts/login/"
    holding = [file for file in run.rglob("*") if file.is_file() and b"sessionid" in file.read_bytes()]
    assert holding == []


@pytest.mark.parametrize(
    ("page", "accounts", "code", "problem"),
    [
        ("/accounts/login/", "user0:wrong\n" * 8, 4, "'user0' could not sign in at http://127.0.0.1:"),
        ("/accounts/login/", "user0:secret-0", 2, "there are 8, each with a session of its own, and accounts for 1"),
        ("/login/", "user0:secret-0\n" * 8, 4, "/login/: it answered HTTP 404"),
    ],
)
def test_audit_when_signing_in_fails_then_it_is_said_why_without_a_password(
    audit: Audit, tmp_path: Path, page: str, accounts: str, code: int, problem: str
) -> None:
    with audit("/ws/ticket/{room}/", *CUSTOMER, "--login-url", page, *users_file(tmp_path, accounts)) as bench:
        assert bench.ended() == code, bench.out + bench.err
        assert problem in bench.err
        assert "secret-0" not in bench.err
        assert "wrong" not in bench.err


def users(monkeypatch: pytest.MonkeyPatch, what: str, *options: str | Path) -> int:
    """Run `channels-loadtest users` in this process; return its exit code."""
    app = ("--app", "helpdesk.asgi", "--env", f"HELPDESK_TOKEN={TOKEN}")
    monkeypatch.setattr("sys.argv", ["channels-loadtest", "users", what, *app, *map(str, options)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def handlers() -> Iterator[None]:
    """Give the signals back that the command takes over."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def names_in(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as opened:
        return [name for (name,) in opened.execute("SELECT username FROM auth_user")]


@pytest.mark.usefixtures("handlers")
def test_users_when_made_in_the_apps_own_database_then_they_alone_are_removed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(PROJECT, tmp_path / "helpdesk", ignore=shutil.ignore_patterns("__pycache__"))
    alice = "from django.contrib.auth.models import User; User.objects.create_user('alice', password='wonderland')"
    for command in (("migrate", "-v0"), ("shell", "-c", alice)):
        subprocess.run(
            [sys.executable, "manage.py", *command], cwd=folder, env={**os.environ, "HELPDESK_TOKEN": TOKEN}, check=True
        )
    database, file = folder / "helpdesk.sqlite3", tmp_path / "users.txt"
    scratch = ("--app-dir", folder, "--users-file", file)
    assert users(monkeypatch, "create", *scratch, "--count", "2") == 2, "whose database is not said"
    assert "say --database as-is if that is meant" in capsys.readouterr().err
    own = (*scratch, "--database", "as-is")

    assert users(monkeypatch, "create", *own, "--count", "2") == 0
    assert f"MAKING USERS IN THE APP'S OWN DATABASE: default (django.db.backends.sqlite3 {database})" in (
        capsys.readouterr().out
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    made = [line.partition(":")[0] for line in file.read_text().splitlines()]
    assert sorted(names_in(database)) == sorted([*made, "alice"])

    (tmp_path / "theirs").write_text("alice:wonderland\n")
    assert users(monkeypatch, "remove", *own[:3], tmp_path / "theirs", *own[4:]) == 2, "she was not made by us"
    assert users(monkeypatch, "remove", *own) == 0
    assert names_in(database) == ["alice"]
    assert not file.exists()
