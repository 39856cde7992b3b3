"""A server that runs elsewhere: what its address and its options make, and what a plan cannot ask of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.choices import choices_of
from loadtest.bench.fitting import fitted
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.profiles import make_plan
from loadtest.cli.app_options import resumed_target, target_of
from loadtest.contract.elsewhere import TOKEN_VARIABLE
from loadtest.load.entry import Entry
from loadtest.load.talk import TUTORIAL
from loadtest.targets.address import Address, NoAddress, read_address
from loadtest.targets.elsewhere import Elsewhere
from loadtest.targets.watching import Unwatched

ADDRESS = Address(url="wss://chat.example.com/ws/chat/{room}/")


def elsewhere(address: Address = ADDRESS, **given: Any) -> Elsewhere:
    return Elsewhere(address=address, watcher=Unwatched(address=address), **given)


def plan_for(target: Elsewhere, **given: Any) -> Plan:
    return fitted(make_plan(given, choices=choices_of(target.offer)), target.offer)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("https://example.com/ws/", "no WebSocket address"),
        ("wss://example.com:port/ws/", "no WebSocket address"),
        ("wss:///ws/", "no WebSocket address"),
        ("wss://example.com/ws /", "no WebSocket address"),
        ("ws://127.0.0.1 :80/ws/", "no WebSocket address"),
        ("wss://example.com", "path of a consumer is missing"),
        ("wss://me:secret@example.com/ws/", "no user"),
    ],
)
def test_address_when_it_is_none_then_it_is_said_why_without_repeating_it(text: str, problem: str) -> None:
    with pytest.raises(NoAddress, match=problem) as refused:
        read_address(text)
    assert "secret" not in str(refused.value)


def test_address_when_it_is_one_then_place_pages_and_name_are_of_it() -> None:
    address = read_address("wss://chat.example.com/ws/chat/{room}/?v=2")
    assert address.place == ("chat.example.com", 443)
    assert address.pages == "https://chat.example.com"
    assert address.name == "ws-chat-room"
    assert address.of_first_user == "wss://chat.example.com/ws/chat/0/?v=2"
    assert read_address("ws://[::1]:8000/ws/").place == ("::1", 8000)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"target": "wss://a/ws/", "app": "a.asgi", "path": ["/"]}, "leave out --app, --path"),
        ({"target": "wss://a/ws/", "before": ["x"]}, "nothing to start here; leave out --before"),
        ({"target": "http://a/ws/"}, "--target: that is no WebSocket address"),
        ({"target": "wss://a/ws/", "insecure": True, "ca_file": Path("ca.pem")}, "leave one of them out"),
        ({"target": "wss://a/ws/", "ca_file": Path("/no/such.pem")}, "--ca-file: /no/such.pem cannot be read"),
        ({"insecure": True}, "--insecure is for a server that runs elsewhere; name it with --target"),
    ],
)
def test_target_when_options_make_no_sense_then_it_is_said_which(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError) as refused:
        target_of(given)
    assert problem in str(refused.value)


def test_plan_when_the_server_is_elsewhere_then_it_churns_at_the_scenarios_own_rate() -> None:
    plan = plan_for(elsewhere())
    assert (plan.servers, plan.layers, plan.consumers) == (("elsewhere",), ("configured",), ("ws-chat-room",))
    assert (plan.scenarios, plan.load, plan.message) == (("churn",), ("fixed",), TUTORIAL)
    assert any("the load is that of the scenario" in note for note in plan.notes)
    assert any("server of your own only" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"servers": "daphne"}, "servers: daphne cannot be used here: the server runs elsewhere"),
        ({"layers": "redis"}, "layers: redis cannot be used here: the server runs elsewhere"),
        ({"server_ping": "1/1"}, "server_ping: the server runs elsewhere"),
        ({"port": 80}, "port: the server runs elsewhere"),
        ({"drops": "rst,server-pause"}, "drops: server-pause is not possible: the server runs elsewhere"),
        ({"load": "30%"}, "give --rate instead"),
        ({"work": "sleep:5"}, "only the reference app"),
    ],
)
def test_plan_when_it_wants_of_a_server_elsewhere_what_cannot_be_then_it_is_refused(
    given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(PlanError) as refused:
        plan_for(elsewhere(), **given)
    assert problem in str(refused.value)


def test_plan_when_drops_are_silent_then_the_servers_pings_are_left_alone_and_settling_is_spoken_of() -> None:
    plan = plan_for(elsewhere(), drops="zombie")
    assert plan.server_ping is None
    assert any("has 5 s to notice zombie" in note for note in plan.notes)


def test_origin_when_there_are_secrets_then_names_alone_are_kept() -> None:
    entry = Entry(headers=("X-Key: swordfish",), cookies={"sid": "swordfish"}, ca_file="/ca.pem")
    origin = elsewhere(entry=entry).offer.origin
    assert (origin["header"], origin["cookie"], origin["ca_file"]) == (["X-Key"], ["sid"], "/ca.pem")
    assert "swordfish" not in str(origin)


def test_resume_when_the_run_had_the_probe_then_its_token_has_to_be_given_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    origin = {**elsewhere().offer.origin, "probe": True}
    with pytest.raises(PlanError, match=f"give its token again, as {TOKEN_VARIABLE}"):
        resumed_target(origin, {})
    with pytest.raises(PlanError, match="leave out --target"):
        resumed_target(origin, {"target": "wss://other.example.com/ws/"})


def test_resume_when_the_run_had_headers_then_they_have_to_be_given_again() -> None:
    origin = elsewhere(entry=Entry(headers=("X-Key: swordfish",))).offer.origin
    with pytest.raises(PlanError, match="the run had X-Key from --header or --header-file"):
        resumed_target(origin, {})


@pytest.mark.parametrize("token", ["short", "with a blank in it...", "ünïcödé-letters-in-it"])
def test_token_when_it_can_be_guessed_or_stand_in_no_header_then_it_is_refused_and_not_repeated(
    token: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    with pytest.raises(PlanError, match="no token of 16 or more letters and digits") as refused:
        target_of({"target": "wss://a/ws/", "probe_token_file": file})
    assert token not in str(refused.value)
