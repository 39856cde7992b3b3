"""Fitting: a plan becomes one that can be carried out on a target, by what the target offers alone."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.choices import choices_of
from loadtest.bench.fitting import fitted
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.profiles import make_plan
from loadtest.contract.inspection import FoundPath, Inspection
from loadtest.installed import Installed
from loadtest.load.talk import TUTORIAL
from loadtest.servers import SERVERS
from loadtest.targets import Offer
from loadtest.targets.project import Project
from loadtest.targets.reference import ReferenceApp
from loadtest.targets.user_app import UserApp

PACKAGES = {"channels": "4.1.0", "daphne": "4.1.2", "django": "4.2.16", "uvicorn": "0.30.0"}


def app(*paths: str, kinds: tuple[str, ...] = ("async",), packages: dict[str, str] = PACKAGES, **found: Any) -> UserApp:
    places = [
        FoundPath(path=path, consumer="shop.consumers.Chat", kind=kind)
        for path, kind in zip(paths, kinds * len(paths), strict=False)
    ]
    project = Project(
        application="shop.asgi:application",
        folder=Path("/shop"),
        paths=paths,
        python="/venv/bin/python",
        env={"TOKEN": "secret"},
    )
    return UserApp(project=project, found=Inspection(python="3.10.1", packages=packages, paths=places, **found))


def plan_for(offer: Offer, **given: Any) -> Plan:
    return fitted(make_plan(given, choices=choices_of(offer)), offer)


def test_plan_when_the_app_is_a_users_own_then_its_consumers_churn_on_its_own_layer() -> None:
    plan = plan_for(app("/ws/chat/{room}/").offer)
    assert plan.consumers == ("Chat",)
    assert plan.layers == ("configured",)
    assert plan.scenarios == ("churn",)
    assert plan.message == TUTORIAL
    assert plan.load == ("30%", "80%"), "the profile is the same"


def test_workers_when_the_apps_layer_stays_inside_one_process_then_several_are_refused() -> None:
    packages = {**PACKAGES, "websockets": "15.0", "channels-redis": "4.2.0"}
    offer = app("/ws/chat/{room}/", packages=packages, layer="channels.layers.InMemoryChannelLayer").offer
    with pytest.raises(PlanError, match=r"workers: the app's layer, channels.*, stays .*; give --layers redis"):
        plan_for(offer, workers="2")
    assert plan_for(offer, workers="2", layers="redis").workers == (2,)
    shared = app("/ws/chat/{room}/", packages=packages, layer="channels_redis.core.RedisChannelLayer").offer
    assert plan_for(shared, workers="2").workers == (2,)


def test_plan_when_the_app_is_the_reference_app_then_fitting_changes_nothing() -> None:
    offer = ReferenceApp().offer
    plan = make_plan({}, choices=choices_of(offer))
    assert fitted(plan, offer) == plan
    assert plan.notes == ()


def test_consumers_when_two_paths_have_the_same_class_then_the_path_tells_them_apart() -> None:
    assert [value.name for value in app("/ws/a/", "/ws/b/").offer.consumers] == ["Chat-ws-a", "Chat-ws-b"]
    assert [value.name for value in app("/a/b/", "/a-b/").offer.consumers] == ["Chat-a-b-1", "Chat-a-b-2"]


def test_server_when_uvicorn_speaks_no_websocket_there_then_the_next_one_is_the_default_and_it_is_said_why() -> None:
    offer = app("/ws/{room}/").offer
    assert plan_for(offer).servers == ("daphne",)
    with pytest.raises(PlanError, match="uvicorn speaks no WebSocket there: websockets is not installed for /venv/bin"):
        plan_for(offer, servers="uvicorn")


def test_server_when_it_is_older_than_its_command_line_then_it_is_refused() -> None:
    packages = {"uvicorn": "0.20.0", "websockets": "11.0", "daphne": "4.0.0"}
    installed = Installed(python="/p", packages=packages)
    assert SERVERS["uvicorn"].unavailable(installed) == (
        "uvicorn 0.20.0 is too old; 0.22 is the first one that can be used"
    )
    assert SERVERS["daphne"].unavailable(installed) is None


def test_server_when_a_command_of_the_users_own_starts_it_then_it_is_the_only_one() -> None:
    own = app("/ws/{room}/")
    offer = replace(own, project=replace(own.project, command=("gunicorn", "-b", "127.0.0.1:{port}"))).offer
    assert plan_for(offer).servers == ("gunicorn",)
    with pytest.raises(PlanError, match="unknown server 'daphne'; there are gunicorn"):
        plan_for(offer, servers="daphne")
    with pytest.raises(PlanError, match="server_ping: the drops zombie are silent, so that only the server's pings"):
        plan_for(offer, drops="rst,zombie")
    assert plan_for(offer, drops="rst,zombie", server_ping="5/5").server_ping == "5/5"


def test_layer_when_its_package_is_not_in_the_apps_interpreter_then_it_is_refused() -> None:
    with pytest.raises(PlanError, match="/venv/bin/python -m pip install channels_redis"):
        plan_for(app("/ws/{room}/").offer, layers="redis")


@pytest.mark.parametrize("given", [{}, {"message": "{marker}"}, {"join": ("in",), "expect": "in"}])
def test_rooms_when_nothing_tells_one_from_another_then_all_users_are_in_one_and_it_is_said(
    given: dict[str, Any],
) -> None:
    plan = plan_for(app("/ws/lobby/").offer, users=30, **given)
    assert plan.room_size == 30
    assert any("all 30 users are in one room" in note for note in plan.notes)
    with pytest.raises(PlanError, match="there is one room only"):
        plan_for(app("/ws/lobby/").offer, users=30, room_size=5, **given)
    assert plan_for(app("/ws/lobby/").offer, users=30, room_size=1, **given).room_size == 1


@pytest.mark.parametrize("given", [{"message": "{room} {marker}"}, {"join": ("in {room}",), "expect": "in"}])
def test_rooms_when_what_users_say_tells_them_apart_then_they_are_as_large_as_the_scenarios(
    given: dict[str, Any],
) -> None:
    plan = plan_for(app("/ws/lobby/").offer, **given)
    assert plan.room_size is None
    assert plan.notes == ()


@pytest.mark.parametrize(
    ("push", "room_size", "note"),
    [
        ("POST /{room}/ {marker}", None, None),
        ("POST /{room}/{user}/ {marker}", None, None),
        ("POST /{user}/ {marker}", 1, "each user is in a room of its own, for --push names a {user}"),
        ("POST / {marker}", 30, "all 30 users are in one room, for --push has no {room} in it"),
    ],
)
def test_rooms_when_something_else_has_the_app_send_then_they_are_who_gets_it_whatever_the_path(
    push: str, room_size: int | None, note: str | None
) -> None:
    for path in ("/ws/{room}/", *(["/ws/lobby/"] if note else [])):
        plan = plan_for(app(path).offer, users=30, push=push)
        assert plan.room_size == room_size
        assert list(plan.notes) == ([note] if note else [])
        assert plan.message == "", "users say nothing"
    if note:
        with pytest.raises(PlanError, match=r"room_size: .*leave it out"):
            plan_for(app("/ws/{room}/").offer, users=30, push=push, room_size=5)


def test_rooms_when_a_push_names_one_and_users_are_in_none_then_it_is_refused() -> None:
    with pytest.raises(PlanError, match="and neither --path nor --join has one, so users are in none"):
        plan_for(app("/ws/lobby/").offer, push="POST /{room}/ {marker}")
    joining = plan_for(app("/ws/lobby/").offer, push="POST /{room}/ {marker}", join=("in {room}",), expect="in")
    assert joining.room_size is None


def test_plan_when_the_reference_app_is_to_be_pushed_then_it_is_refused() -> None:
    with pytest.raises(PlanError, match="push: it is for an app of your own that the bench starts"):
        plan_for(ReferenceApp().offer, scenarios="churn", push="POST / {marker}")


def test_plan_when_members_join_and_wait_for_nothing_then_it_is_said_what_that_makes_of_lost() -> None:
    plan = plan_for(app("/ws/lobby/").offer, join=("in {room}",))
    assert any(note.startswith("what a member misses between its --join and the first message") for note in plan.notes)


def test_plan_when_work_is_asked_of_an_own_app_then_it_is_refused() -> None:
    with pytest.raises(PlanError, match="only the reference app can be told"):
        plan_for(app("/ws/{room}/").offer, work="sleep:5")


def test_plan_when_a_scenario_needs_the_reference_app_then_it_is_not_among_the_choices() -> None:
    with pytest.raises(PlanError, match="unknown scenario 'blocker'"):
        plan_for(app("/ws/{room}/").offer, scenarios="blocker")


def test_notes_when_the_app_has_a_database_then_they_say_where_it_writes() -> None:
    databases = {"default": "django.db.backends.postgresql shop"}
    (note,) = app("/ws/{room}/", databases=databases).offer.notes
    assert note.startswith("the app writes to SQLite files that are thrown away, not to its databases default (django")


def test_notes_when_the_layer_is_outside_of_the_process_then_they_say_that_it_is_written_to() -> None:
    (note,) = app("/ws/{room}/", layer="channels_redis.core.RedisChannelLayer").offer.notes
    assert note.startswith("on the layer configured it uses channels_redis.core.RedisChannelLayer as its settings have")
    assert app("/ws/{room}/", layer="channels.layers.InMemoryChannelLayer").offer.notes == ()


def test_notes_when_the_interpreter_is_the_tools_own_then_they_say_which_versions_that_has() -> None:
    own = app("/ws/{room}/")
    ours = replace(own, project=replace(own.project, python=sys.executable))
    (note,) = ours.offer.notes
    assert note.startswith("the app runs in this tool's own environment, with django 4.2.16 and channels 4.1.0;")


def test_origin_when_the_environment_has_values_then_only_their_names_are_told() -> None:
    origin = app("/ws/{room}/").offer.origin
    assert origin["env"] == ["TOKEN"]
    assert "secret" not in str(origin)


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        (Installed(packages={}), "daphne is not installed; pip install 'x[servers]'"),
        (Installed(python="/p", packages={}), "daphne is not installed for /p; /p -m pip install daphne"),
        (Installed(packages={"daphne": "4"}), None),
    ],
)
def test_installed_when_a_package_is_missing_then_it_says_what_installs_it(installed: Installed, said: str) -> None:
    assert installed.lacks("daphne", wanted="'x[servers]'") == said


@pytest.mark.parametrize(("accounts", "users"), [(None, 80), (80, 80), (7, 7)])
def test_users_when_each_can_be_signed_in_then_the_plan_is_as_it_was(accounts: int | None, users: int) -> None:
    offer = replace(app("/ws/chat/{room}/").offer, accounts=accounts)
    assert plan_for(offer, users=users).users == users


def test_users_when_there_are_more_than_can_be_signed_in_then_the_plan_is_refused() -> None:
    offer = replace(app("/ws/chat/{room}/").offer, accounts=7)
    with pytest.raises(PlanError, match="there are 80, each with a session of its own, and accounts for 7 in"):
        plan_for(offer)
