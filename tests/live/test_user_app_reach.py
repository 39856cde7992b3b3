"""An app that does not give a message back to its sender, or to nobody, or later than one may think."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.bench_process import Bench, table

pytestmark = pytest.mark.live

PROJECT = Path(__file__).with_name("projects") / "whiteboard"
LOAD = (
    "--scenarios", "churn", "--users", "8", "--room-size", "8", "--load", "fixed", "--rate", "4", "--trials", "1",
    "--duration", "2", "--drops", "rst", "--no-pin", "--allow-contention",
)  # fmt: skip
STROKE = ("--message", '{"stroke": "{marker}"}')
LOBBY = ("--join", '{"board": {room}}', "--message", '{"text": "{marker}"}')

Audit = Callable[..., tuple[int, str]]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Return what runs a bench of the project at a path: its exit code, and what it printed."""

    def run(path: str, *options: str) -> tuple[int, str]:
        app = ("--app", "whiteboard.asgi", "--app-dir", str(PROJECT), "--path", path, *LOAD, *options)
        with Bench("bench", *app, "--out", tmp_path) as bench:
            return bench.ended_valid(), bench.out + bench.err

    return run


def row(out: Path, name: str) -> dict[str, Any]:
    (found,) = table(out / "latest", name).iter_rows(named=True)
    return found


def test_audit_when_messages_go_to_others_only_then_no_sender_is_expected_to_get_its_own(
    audit: Audit, tmp_path: Path
) -> None:
    code, said = audit("/ws/board/{room}/pen/", *STROKE, "--reaches", "others")
    assert code == 0, said
    delivery, throughput = row(tmp_path, "delivery"), row(tmp_path, "throughput")
    assert delivery["delivered"] > 0
    assert delivery["lost"] == delivery["duplicated"] == 0
    assert throughput["latency_ms_p50"] < float("inf")


def test_audit_when_messages_go_to_others_and_that_is_not_said_then_exit_4_and_the_option_that_says_it(
    audit: Audit,
) -> None:
    code, said = audit("/ws/board/{room}/pen/", *STROKE)
    assert code == 4
    assert "the marker of a message did not come back" in said
    assert 'another user got it, as \'{"stroke": "LT' in said
    assert "where that is meant, say --reaches others" in said


@pytest.mark.parametrize(("path", "stays"), [("/ws/saved/", False), ("/ws/saved/sync/", True)])
def test_audit_when_the_app_sends_by_itself_only_then_what_drops_leave_is_counted(
    audit: Audit, tmp_path: Path, path: str, stays: bool
) -> None:
    code, said = audit(path, "--reaches", "nobody")
    assert code == 0, said
    drops, delivery = row(tmp_path, "disconnects"), row(tmp_path, "delivery")
    assert drops["dropped"] > 0
    assert drops["groups_left"] == (drops["dropped"] if stays else drops["missed"])
    assert delivery["expected"] == delivery["lost"] == delivery["unknown"] == 0


def test_audit_when_the_app_passes_nothing_on_and_that_is_not_said_then_exit_4_and_the_option_that_says_it(
    audit: Audit,
) -> None:
    code, said = audit("/ws/saved/")
    assert code == 4
    assert "nothing came; another user did not get it either" in said
    assert "--reaches nobody" in said


@pytest.mark.parametrize("reaches", ["others", "nobody"])
def test_audit_when_a_message_reaches_more_than_was_said_then_exit_4_and_that_is_said(
    audit: Audit, reaches: str
) -> None:
    code, said = audit("/ws/lobby/", *LOBBY, "--reaches", reaches)
    assert code == 4
    assert "the marker of a message came back to its sender" in said
    assert f"leave out --reaches {reaches}" in said


def test_audit_when_joining_takes_a_while_and_is_not_answered_then_nothing_is_called_lost(
    audit: Audit, tmp_path: Path
) -> None:
    code, said = audit("/ws/lobby/", *LOBBY)
    assert code == 0, said
    delivery = row(tmp_path, "delivery")
    assert delivery["delivered"] > 0
    assert delivery["joining"] > 0, "what is said in the 0.2 s until the app has handled a join"
    assert delivery["unknown"] >= delivery["joining"]
    assert delivery["lost"] == 0
    assert "before anything told that the receiver had joined" in " ".join(said.split()), (
        "whatever lines it is folded to"
    )


def test_audit_when_joining_is_not_answered_and_messages_are_lost_all_the_same_then_they_are_counted(
    audit: Audit, tmp_path: Path
) -> None:
    code, said = audit("/ws/lobby/forgetful/", *LOBBY)
    assert code == 0, said
    assert row(tmp_path, "delivery")["lost"] > 0
