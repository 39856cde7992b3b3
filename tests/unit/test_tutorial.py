"""The tutorials' consumers as values that a plan can have: what follows from the facts of their rows."""

from __future__ import annotations

import re

import pytest

from loadtest.bench.choices import choices_of
from loadtest.bench.fitting import fitted
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.profiles import make_plan
from loadtest.load import Job
from loadtest.load.talk import TUTORIAL as MESSAGE
from loadtest.targets.reference import ReferenceApp
from target_app.consumers import CONSUMERS
from target_app.planted import PLANTED
from target_app.tutorial import BY_NAME, PREFIX, TUTORIAL, Tutorial

OFFER = ReferenceApp().offer
EVERY_ROW = pytest.mark.parametrize("row", TUTORIAL, ids=lambda row: row.name)


def plan_of(*names: str, **given: object) -> Plan:
    given = {"scenarios": "churn", **given, "consumers": ",".join(names)}
    return fitted(make_plan(given, choices=choices_of(OFFER)), OFFER)


@EVERY_ROW
def test_row_when_its_route_is_asked_for_then_it_is_the_only_one_that_matches(row: Tutorial) -> None:
    asked = row.path.replace("{room}", "7").removeprefix("/")
    assert [other.name for other in TUTORIAL if re.search(other.pattern(), asked)] == [row.name]
    below = PREFIX if row.route.startswith(PREFIX) else ""
    assert re.search(row.pattern(below), asked.removeprefix(below))


@EVERY_ROW
def test_row_when_it_names_another_then_there_is_one_of_its_kind(row: Tutorial) -> None:
    assert row.name.endswith(f"-{row.kind}")
    assert not row.variant_of or BY_NAME[row.variant_of].kind == row.kind


def test_rows_when_listed_then_each_says_by_itself_what_it_is() -> None:
    says = [choice.value.summary for choice in choices_of(OFFER)["consumers"]]
    assert len(set(says)) == len(says)
    assert not [text for text in says if "the same" in text]


@EVERY_ROW
def test_row_when_listed_then_it_says_of_which_kind_it_is(row: Tutorial) -> None:
    assert re.split("[ ,]", row.summary)[0] == row.kind


def test_rows_when_named_then_no_other_consumer_has_the_name() -> None:
    others = {row.name for row in CONSUMERS} | {row.consumer(kind) for row in PLANTED for kind in row.kinds}
    assert not others & BY_NAME.keys()
    assert len(BY_NAME) == len(TUTORIAL)


def test_plan_when_a_tutorials_consumer_is_named_then_its_users_say_what_has_a_marker() -> None:
    assert plan_of("tutorial-offline-async").message == MESSAGE
    assert plan_of("tutorial-offline-async", message="{marker}").message == "{marker}"
    assert plan_of("async").message == ""


def test_plan_when_a_consumer_answers_the_sender_alone_then_the_plan_notes_it() -> None:
    (note,) = plan_of("tutorial-chat-sync", "tutorial-offline-sync").notes
    assert "tutorial-chat-sync is in a room of its own" in note and "offline" not in note
    assert plan_of("tutorial-offline-sync").notes == ()


@pytest.mark.parametrize("given", [{"work": "sleep:5"}, {"scenarios": "blocker"}])
def test_plan_when_it_wants_a_tutorials_handler_to_work_then_it_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(PlanError, match=r"tutorial-chat-sync"):
        plan_of("async", "tutorial-chat-sync", **given)


def test_plan_when_it_asks_for_every_consumer_or_names_none_then_those_of_tutorials_are_left_out() -> None:
    full = make_plan({"profile": "full"}, choices=choices_of(OFFER))
    assert full.consumers == tuple(row.name for row in CONSUMERS)
    assert make_plan({}, choices=choices_of(OFFER)).consumers == ("sync", "async")


def test_job_when_each_user_is_alone_then_rooms_are_of_one_and_all_else_is_the_same() -> None:
    job = Job(room_size=20, rate=3.0)
    assert job.with_each_alone() == Job(room_size=1, rate=3.0)
