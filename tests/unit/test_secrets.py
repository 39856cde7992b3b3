"""What may be secret: addresses of Redis and of databases, which are parsed once and never repeated."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.brokers.redis_url import check_address, redacted
from loadtest.cli.new_run import typed_command
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.database import prepare_database, without_secrets
from tests.unit.command_line import nothing_starts, said_to

SECRET = "hunter2"
MANY = settings(max_examples=1000 if os.environ.get("LOADTEST_SOAK") else 150, derandomize=True, database=None)

NOT_UNDERSTOOD = [
    *(f"redis://:{SECRET}#x@h:6379/0", f"redis://:{SECRET}?x@h", f"redis://:{SECRET}/x@h", f"redis://:1/{SECRET}@h"),
    *(f"redis://u:1?{SECRET}@h", f"redis://:x@{SECRET}@h", f"u:{SECRET}@h:6379", f"h:6379/{SECRET}"),
    *(f"http://u:{SECRET}@h", f"redis:/u:{SECRET}@h", f"redis://h/{SECRET}", f"redis://h?nonsense={SECRET}"),
    *(f"redis://h?db={SECRET}&password={SECRET}", f"redis://h?{SECRET}", f"redis://h:{SECRET}", f"redis://[{SECRET}"),
    *(f"unix://{SECRET}/tmp/s", f"unix://u:{SECRET}@h/tmp/s", f"unix:{SECRET}", f"redis://u: {SECRET}@h", SECRET),
]


@pytest.fixture(autouse=True)
def _nothing_starts() -> Iterator[None]:
    with nothing_starts():
        yield


@pytest.mark.parametrize("url", NOT_UNDERSTOOD)
@pytest.mark.parametrize("command", ["bench", "capacity", "ui", "selftest"])
def test_redis_url_when_it_is_not_understood_then_exit_2_and_nothing_of_it_is_repeated(command: str, url: str) -> None:
    said = said_to(command, "--redis-url", url)
    assert said.code == 2
    assert said.is_one_message
    assert said.is_plain
    assert "--redis-url (or LOADTEST_REDIS_URL): " in said.err
    assert SECRET not in said.err + said.out


def test_redis_url_when_it_is_of_the_environment_and_not_understood_then_it_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOADTEST_REDIS_URL", f"redis://:{SECRET}#x@h")
    said = said_to("bench")
    assert said.code == 2
    assert SECRET not in said.err


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"redis://u:{SECRET}@h:6380/3", "redis://***@h:6380/3"),
        (f"rediss://:{SECRET}%23%2F@h", "rediss://***@h:6379/0"),
        (f"redis://{SECRET}@h", "redis://***@h:6379/0"),
        (f"redis://h?password={SECRET}&db=2", "redis://***@h:6379/2"),
        (f"unix://u:{SECRET}@/tmp/s?db=1", "unix://***@/tmp/s?db=1"),
        ("unix:///tmp/s", "unix:///tmp/s?db=0"),
        ("redis://h", "redis://h:6379/0"),
    ],
)
def test_redis_url_when_shown_then_it_says_where_it_leads_to_and_nothing_else(url: str, shown: str) -> None:
    assert check_address(url) == url
    assert redacted(url) == shown


@MANY
@given(st.text(":/?#@%[]&=.\\ a1", max_size=6), st.text(":/?#@%[]&=.\\ a1", max_size=6))
def test_redis_url_when_a_secret_is_anywhere_behind_its_user_then_it_is_not_shown(before: str, after: str) -> None:
    url = f"redis://u:{before}{SECRET}{after}@h:6379/0"
    assert SECRET not in redacted(url)
    try:
        check_address(url)
    except ValueError as error:
        assert SECRET not in str(error)


@pytest.mark.parametrize("url", [*NOT_UNDERSTOOD, f"redis://u:{SECRET}@h", f"redis://h?password={SECRET}"])
@pytest.mark.parametrize("form", ["--redis-url={}", "--redis-url {}"])
def test_command_when_it_is_kept_then_no_secret_is_in_it(monkeypatch: pytest.MonkeyPatch, form: str, url: str) -> None:
    option, _, value = form.partition(" ")
    monkeypatch.setattr("sys.argv", ["x", "bench", option.format(url), *([url] if value else [])])
    assert SECRET not in typed_command()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--env", f"DATABASE_URL=postgres://u:{SECRET}@h/db"],
        [f"--env=DATABASE_URL=postgres://u:{SECRET}@h/db"],
        ["--header", f"Authorization: Bearer {SECRET}"],
        ["--cookie", f"sessionid={SECRET}"],
        ["--login-url", f"http://u:x@{SECRET}@h/login/"],
    ],
)
def test_command_when_it_is_kept_then_no_value_of_a_secret_option_is_in_it(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["x", "bench", *arguments])
    assert SECRET not in typed_command()


@pytest.mark.parametrize("url", [f"postgres://u:{SECRET}/x@h/db", f"nonsense://u:{SECRET}@h/db", f"u:{SECRET}@h"])
def test_database_url_when_it_is_not_understood_then_nothing_of_it_is_repeated(tmp_path: object, url: str) -> None:
    with pytest.raises(EnvironmentFailed, match="DATABASE_URL is no address of a database") as failed:
        prepare_database(tmp_path, url)  # type: ignore[arg-type]
    assert SECRET not in str(failed.value)


def test_errors_of_a_database_when_told_then_its_password_is_not_in_them() -> None:
    url = f"postgres://u:{SECRET}%2F@h/db"
    told = without_secrets(f"cannot connect to {url} as u with {SECRET}/ or {SECRET}%2F", url)
    assert SECRET not in told
    assert told.startswith("cannot connect to ***")
