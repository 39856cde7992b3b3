"""An app of a stranger's, audited by one command: nothing of it is touched, and what is wrong with it is found."""

import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from loadtest.ledger import Event
from tests.live.bench_process import Bench, assert_tidy, manifest, may_be_lost, table

pytestmark = pytest.mark.live

PROJECT = Path(__file__).with_name("projects") / "teamchat"
CLEAN = ("ChatConsumer", "SyncChatConsumer")
COMMAND = "daphne -v 1 -p {port} teamchat.asgi:application"
DEFECT = ("OldChatConsumer", "OldSyncChatConsumer")
PATHS = ("/ws/chat/", "/ws/chat/sync/", "/ws/v1/chat/", "/ws/v1/chat/sync/")
TALK = {
    "--join": '{"command": "join", "room": "team{room}"}',
    "--expect": '"event": "joined"',
    "--message": '{"command": "say", "text": "{marker}"}',
}
LOAD = {
    "--scenarios": "churn", "--users": "16", "--room-size": "8", "--load": "fixed", "--trials": "1", "--duration": "2",
    "--drops": "rst",
}  # fmt: skip


def files_of(project: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in project.rglob("*") if path.is_file()}


def options(*paths: str, **changed: str) -> list[str]:
    named = {**TALK, **LOAD, **changed}
    return [*(word for path in paths for word in ("--path", path)), *(word for pair in named.items() for word in pair)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """An audit of all its consumers; the run's folder, and what was printed."""
    out, before = tmp_path_factory.mktemp("out"), files_of(PROJECT)
    app = ("--app", "teamchat.asgi:application", "--app-dir", PROJECT, "--env", "TEAMCHAT_SECRET_KEY=swordfish")
    with Bench("bench", *app, *options(*PATHS), "--verbose", "--out", out) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert files_of(PROJECT) == before, "the project is as it was"
        yield out / "latest", bench.out, bench.err


def test_audit_when_an_app_has_several_paths_then_each_is_a_consumer_of_its_kind(run: tuple[Path, str, str]) -> None:
    assert set(table(run[0], "disconnects")["consumer"]) == {*CLEAN, *DEFECT}
    consumers = {value["name"]: value for value in manifest(run[0])["values"]["consumer"]}
    assert {name: value["kind"] for name, value in consumers.items()} == {
        "ChatConsumer": "async", "SyncChatConsumer": "sync", "OldChatConsumer": "async", "OldSyncChatConsumer": "sync",
    }  # fmt: skip
    assert consumers["ChatConsumer"]["summary"] == "rooms.consumers.ChatConsumer at /ws/chat/"


def test_audit_when_a_consumer_leaves_its_group_only_at_1000_then_what_stays_is_counted(
    run: tuple[Path, str, str],
) -> None:
    for row in table(run[0], "disconnects").filter(pl.col("consumer").is_in(DEFECT)).iter_rows(named=True):
        assert row["dropped"] > 0
        assert row["groups_left"] == row["dropped"], row


def test_audit_when_a_consumer_cleans_up_then_nothing_stays_but_of_what_was_missed(run: tuple[Path, str, str]) -> None:
    """Channels itself may miss a disconnect, whatever the consumer does (django/channels#1466)."""
    for row in table(run[0], "disconnects").filter(pl.col("consumer").is_in(CLEAN)).iter_rows(named=True):
        assert row["dropped"] > 0
        assert row["unknown"] == 0
        assert row["groups_left"] == row["missed"], row


def test_audit_when_messages_are_commands_then_each_is_known_again_at_every_member(run: tuple[Path, str, str]) -> None:
    """A message is lost where acknowledging it to a sender that is gone raises, before it is passed on to the room."""
    for row in table(run[0], "delivery").iter_rows(named=True):
        assert row["delivered"] > row["expected"] / 2
        assert row["lost"] <= may_be_lost(run[0], int(LOAD["--room-size"]), row["consumer"]), row
        assert row["duplicated"] == 0, row


def test_audit_when_the_app_does_not_tell_who_is_online_then_the_table_says_so(run: tuple[Path, str, str]) -> None:
    assert "the app does not tell" in run[1]
    assert "no reason was recorded" not in run[1]


def test_audit_when_the_app_has_a_database_then_it_wrote_to_another_one_and_that_was_said(
    run: tuple[Path, str, str],
) -> None:
    assert "the app writes to SQLite files that are thrown away, not to its databases default" in run[2]
    assert not (PROJECT / "teamchat.sqlite3").exists()


def test_audit_when_it_is_done_then_the_manifest_says_what_was_measured_without_secrets(
    run: tuple[Path, str, str],
) -> None:
    told = manifest(run[0])
    assert told["target"]["app"] == "teamchat.asgi:application"
    assert told["target"]["env"] == ["TEAMCHAT_SECRET_KEY"]
    assert "swordfish" not in (run[0] / "manifest.json").read_text()
    assert told["identity"]["layer configured"].startswith("channels.layers.InMemoryChannelLayer 4.")


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """An audit by two processes on another layer, with a command before it: the run's folder, and what that wrote."""
    folder = tmp_path_factory.mktemp("changed")
    program = f"from rooms.models import Visit; open({str(folder / 'visits')!r}, 'w').write(str(Visit.objects.count()))"
    before = shlex.join(["python", "manage.py", "shell", "-c", program])
    app = (
        "--app",
        "teamchat.asgi",
        "--app-dir",
        PROJECT,
        "--layers",
        "redis-pubsub",
        "--before",
        before,
        "--workers",
        "2",
    )
    with Bench("bench", *app, *options("/ws/v1/chat/"), "--out", folder / "out") as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
    yield folder / "out" / "latest", folder / "visits"


def test_audit_when_two_processes_serve_the_app_on_a_layer_that_is_named_then_both_are_audited_as_one(
    changed: tuple[Path, Path],
) -> None:
    run, _ = changed
    (drops,) = table(run, "disconnects").iter_rows(named=True)
    assert (drops["workers"], drops["layer"]) == (2, "redis-pubsub")
    assert (drops["unknown"], drops["groups_left"]) == (0, drops["dropped"])
    (ledger,) = run.glob("trials/*/1/server.parquet")
    assert pl.read_parquet(ledger).filter(event=int(Event.SCOPE))["pid"].n_unique() == 2
    (delivery,) = table(run, "delivery").iter_rows(named=True)
    assert delivery["delivered"] > 0


def test_audit_when_a_layer_is_named_then_it_takes_the_place_of_the_apps_own(changed: tuple[Path, Path]) -> None:
    run, _ = changed
    assert set(table(run, "delivery")["layer"]) == {"redis-pubsub"}
    assert manifest(run)["identity"]["layer redis-pubsub"].startswith("channels_redis 4.")


def test_audit_when_commands_are_run_before_then_in_the_project_and_on_the_databases_of_the_test(
    changed: tuple[Path, Path],
) -> None:
    assert changed[1].read_text() == "0"
    assert not (PROJECT / "teamchat.sqlite3").exists()


TUTORIAL = PROJECT.with_name("tutorial")
BY_HAND = ("--app", "mysite.asgi:application", "--app-dir", TUTORIAL, "--path", "/ws/chat/{room}/")


def short() -> list[str]:
    return [word for pair in LOAD.items() for word in pair]


def test_audit_when_the_app_is_the_tutorials_chat_then_app_and_path_are_all_that_has_to_be_said(
    tmp_path: Path,
) -> None:
    with Bench("bench", *BY_HAND, *short(), "--broker", "private", "--out", tmp_path) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert "DEBUG is on in the app's settings" in bench.err
    (row,) = table(tmp_path / "latest", "delivery").iter_rows(named=True)
    assert row["consumer"] == "ChatConsumer"
    assert row["layer"] == "configured-private"
    assert row["delivered"] > 0
    assert row["duplicated"] == 0
    assert row["lost"] <= may_be_lost(tmp_path / "latest", int(LOAD["--room-size"])), row


def test_audit_when_the_broker_of_the_app_is_not_there_then_exit_4_and_the_option_for_another_one(
    tmp_path: Path,
) -> None:
    with Bench("bench", *BY_HAND, *short(), "--out", tmp_path) as bench:
        assert bench.ended() == 4
        assert "nobody answers at 127.0.0.1:6390, where the app's settings have the broker of its channel" in bench.err
        assert "say --broker private for one of our own" in bench.err
        assert_tidy(bench)


def test_audit_when_databases_and_command_are_the_users_own_then_they_are_used_and_that_is_said(tmp_path: Path) -> None:
    project = shutil.copytree(PROJECT, tmp_path / "teamchat", ignore=shutil.ignore_patterns("__pycache__"))
    own = ("--database", "as-is", "--before", "python manage.py migrate", "--command", COMMAND)
    with Bench("bench", "--app", "teamchat.asgi", *own, *options("/ws/chat/"), "--out", tmp_path, cwd=project) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert_tidy(bench)
        assert "THE APP WRITES TO ITS OWN DATABASES: default (django.db.backends.sqlite3 " in bench.err
    with closing(sqlite3.connect(project / "teamchat.sqlite3")) as database:
        (visits,) = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'rooms_visit'").fetchone()
    assert visits >= int(LOAD["--users"])
    (row,) = table(tmp_path / "latest", "disconnects").iter_rows(named=True)
    assert row["server"] == "daphne"
    assert row["dropped"] > 0
    assert row["groups_left"] == row["missed"]
    told = manifest(tmp_path / "latest")
    assert told["identity"]["server daphne"].startswith("4.")
    assert told["target"]["command"] == shlex.join(COMMAND.split())


def test_audit_when_messages_are_acknowledged_then_no_acknowledgement_is_taken_for_one(tmp_path: Path) -> None:
    receipt = {"--message": '{"command": "say", "text": "{marker}", "receipt": true}', "--ack": '"stored"'}
    app = ("--app", "teamchat.asgi", "--app-dir", PROJECT)
    with Bench("bench", *app, *options("/ws/chat/sync/", **receipt), "--out", tmp_path) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
    (row,) = table(tmp_path / "latest", "delivery").iter_rows(named=True)
    assert row["delivered"] > 0
    assert row["duplicated"] == 0
    assert row["lost"] <= may_be_lost(tmp_path / "latest", int(LOAD["--room-size"])), row


@pytest.mark.parametrize("form", ["bytes", "msgpack"])
def test_audit_when_bodies_are_binary_then_messages_are_known_again(tmp_path: Path, form: str) -> None:
    app = ("--app", "teamchat.asgi", "--app-dir", PROJECT, "--message-form", form)
    said = {"--message": '{"say": "{marker}"}', "--join": '{"room": {room}}', "--expect": "in room"}
    with Bench("bench", *app, *options(f"/ws/binary/{form}/", **said), "--out", tmp_path) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
    (row,) = table(tmp_path / "latest", "delivery").iter_rows(named=True)
    assert row["delivered"] > 0
    assert row["duplicated"] == 0
    assert row["lost"] <= may_be_lost(tmp_path / "latest", int(LOAD["--room-size"])), row
