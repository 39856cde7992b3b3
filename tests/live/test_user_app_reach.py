"""An app that does not give a message back to its sender, or to nobody, or later than one may think."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.live.bench_process import Bench, may_be_lost, table
from tests.live.test_user_app_bad_input import Run, bench

__all__ = ["bench"]
pytestmark = pytest.mark.live

PROJECT = Path(__file__).with_name("projects") / "whiteboard"
MEMBERS = 8
LOAD = (
    "--scenarios", "churn", "--users", str(MEMBERS), "--room-size", str(MEMBERS), "--load", "fixed", "--rate", "4",
    "--trials", "1", "--duration", "2", "--drops", "rst", "--no-pin", "--allow-contention",
)  # fmt: skip
STROKE = ("--message", '{"stroke": "{marker}"}')
LOBBY = ("--join", '{"board": {room}}', "--message", '{"text": "{marker}"}')

Refused = Callable[..., str]


def audit(out: Path, *paths: str, options: Sequence[str]) -> str:
    """Run a bench of the project at these paths; return what it printed."""
    named = (word for path in paths for word in ("--path", path))
    app = ("--app", "whiteboard.asgi", "--app-dir", str(PROJECT), *named, *LOAD, *options)
    with Bench("bench", *app, "--verbose", "--out", out) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        return bench.out + bench.err


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit of those who pass nothing on; where it is."""
    out = tmp_path_factory.mktemp("saved")
    audit(out, "/ws/saved/", "/ws/saved/sync/", options=("--reaches", "nobody"))
    return out


@pytest.fixture(scope="module")
def lobby(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An audit of those whose joining is not answered; where it is, and what was printed."""
    out = tmp_path_factory.mktemp("lobby")
    return out, audit(out, "/ws/lobby/", "/ws/lobby/forgetful/", options=LOBBY)


@pytest.fixture
def refused(bench: Run) -> Refused:
    """Return what begins a bench that gets no further than to its priming, and is not answered: what it said."""

    def run(path: str, *options: str) -> str:
        code, said = bench("--path", path, *LOAD, *options, app="whiteboard.asgi", folder=PROJECT)
        assert code == 4
        return said

    return run


def row(out: Path, name: str, consumer: str | None = None) -> dict[str, Any]:
    rows = table(out / "latest", name).iter_rows(named=True)
    (found,) = (row for row in rows if consumer in (None, row["consumer"]))
    return found


def test_audit_when_messages_go_to_others_only_then_no_sender_is_expected_to_get_its_own(
    tmp_path: Path,
) -> None:
    audit(tmp_path, "/ws/board/{room}/pen/", options=(*STROKE, "--reaches", "others"))
    delivery, throughput = row(tmp_path, "delivery"), row(tmp_path, "throughput")
    assert delivery["delivered"] > 0
    assert delivery["duplicated"] == 0
    assert delivery["lost"] <= may_be_lost(tmp_path / "latest", MEMBERS)
    assert throughput["latency_ms_p50"] < float("inf")


def test_audit_when_messages_go_to_others_and_that_is_not_said_then_exit_4_and_the_option_that_says_it(
    refused: Refused,
) -> None:
    said = refused("/ws/board/{room}/pen/", *STROKE)
    assert "the marker of a message did not come back" in said
    assert 'another user got it, as \'{"stroke": "LT' in said
    assert "where that is meant, say --reaches others" in said


@pytest.mark.parametrize(("consumer", "stays"), [("SavedConsumer", False), ("SyncSavedConsumer", True)])
def test_audit_when_the_app_sends_by_itself_only_then_what_drops_leave_is_counted(
    saved: Path, consumer: str, stays: bool
) -> None:
    drops, delivery = row(saved, "disconnects", consumer), row(saved, "delivery", consumer)
    assert drops["dropped"] > 0
    assert drops["groups_left"] == (drops["dropped"] if stays else drops["missed"])
    assert delivery["expected"] == delivery["lost"] == delivery["unknown"] == 0


def test_audit_when_the_app_passes_nothing_on_and_that_is_not_said_then_exit_4_and_the_option_that_says_it(
    refused: Refused,
) -> None:
    said = refused("/ws/saved/")
    assert "nothing came; another user did not get it either" in said
    assert "--reaches nobody" in said


@pytest.mark.parametrize("reaches", ["others", "nobody"])
def test_audit_when_a_message_reaches_more_than_was_said_then_exit_4_and_that_is_said(
    refused: Refused, reaches: str
) -> None:
    said = refused("/ws/lobby/", *LOBBY, "--reaches", reaches)
    assert "the marker of a message came back to its sender" in said
    assert f"leave out --reaches {reaches}" in said


def test_audit_when_joining_takes_a_while_and_is_not_answered_then_nothing_is_called_lost(
    lobby: tuple[Path, str],
) -> None:
    out, said = lobby
    delivery = row(out, "delivery", "LobbyConsumer")
    assert delivery["delivered"] > 0
    assert delivery["joining"] > 0, "what is said in the 0.2 s until the app has handled a join"
    assert delivery["unknown"] >= delivery["joining"]
    assert delivery["lost"] <= may_be_lost(out / "latest", MEMBERS)
    assert "before anything told that the receiver had joined" in " ".join(said.split()), (
        "whatever lines it is folded to"
    )


def test_audit_when_joining_is_not_answered_and_messages_are_lost_all_the_same_then_they_are_counted(
    lobby: tuple[Path, str],
) -> None:
    assert row(lobby[0], "delivery", "ForgetfulLobbyConsumer")["lost"] > 0
