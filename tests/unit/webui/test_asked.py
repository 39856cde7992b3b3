"""What the form asks for becomes a plan of one trial, by the bench's own rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.generator import job_of
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.scenarios import SCENARIOS
from loadtest.dimensions import CONSUMER, LAYER, SCENARIO
from loadtest.load import LONGEST_S, Job
from loadtest.targets.reference import ReferenceApp
from loadtest.webui.stage.asked import elsewhere_options, opened_as_asked, plan_of, read_asked
from loadtest.webui.stage.offered import WATCHED_S, offered

FILES = [row.locustfile for row in SCENARIOS.values()]


def asked(job: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    return {
        "locustfile": str(SCENARIOS["churn"].locustfile),
        "server": "uvicorn",
        "layer": "inmemory",
        "users": "80",
        "duration": "30",
        "job": job or {},
        **others,
    }


def plan(job: dict[str, Any] | None = None, **others: Any) -> Plan:
    return plan_of(read_asked(asked(job, **others)), ReferenceApp().offer, port=8123)


def test_plan_when_the_form_is_as_it_stands_then_it_is_one_trial_of_that_cell() -> None:
    made = plan({"consumer": "sync", "rate": 2, "room_size": 5, "drop_kind": "rst,fin", "drop_share": 0.1})
    (trial,) = made.trials_in_order()
    assert {trial.cell[CONSUMER], trial.cell[LAYER], trial.cell[SCENARIO]} == {"sync", "inmemory", "churn"}
    assert (made.users, made.rate, made.room_size, made.duration, made.port) == (80, 2, 5, 30, 8123)
    assert made.drops_of(trial.cell) == ("rst", "fin")
    assert job_of(made, trial, folder=Path("/x")).drop_share == 0.1


def test_plan_when_no_length_is_given_then_it_runs_until_somebody_stops_it() -> None:
    assert plan(duration=0).duration == LONGEST_S


def test_plan_when_contention_is_allowed_in_the_form_then_the_trial_counts_all_the_same() -> None:
    assert not plan().allow_contention
    assert plan(allow_contention="true").allow_contention


def test_job_when_connections_are_opened_in_a_way_of_ones_own_then_locust_is_told_so() -> None:
    own = {"origin": "https://a.example", "subprotocol": ("chat",), "insecure": True, "compression": True}
    asked = Job.model_validate({**own, "header": ("X-A: b",), "rate": 7})
    job = opened_as_asked(Job(rate=2), asked)
    assert {name: getattr(job, name) for name in own} == own
    assert (job.rate, job.header) == (2, ()), "a load is the plan's, and headers may be secret"


def test_server_elsewhere_when_nothing_is_said_of_its_connections_then_it_is_its_address_alone() -> None:
    assert elsewhere_options("wss://a.example/ws/", Job()) == {"target": "wss://a.example/ws/"}


def test_plan_when_a_drop_is_silent_then_the_server_pings_often_enough_to_notice_it() -> None:
    assert plan({"drop_kind": "zombie"}).pings == (1, 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"layer": "post"}, "unknown layer 'post'"),
        ({"server": "apache"}, "unknown server 'apache'"),
        ({"users": "0"}, "users: "),
        ({"duration": "-1"}, "duration: "),
        ({"job": {"consumer": "none-such"}}, "unknown consumer 'none-such'"),
        ({"job": {"drop_kind": "shout"}}, "unknown drop 'shout'"),
    ],
)
def test_plan_when_something_cannot_be_had_then_it_says_what_there_is(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        plan(**wrong)


def test_offer_when_told_then_every_choice_has_a_line_and_every_scenario_its_load() -> None:
    told = offered(ReferenceApp().offer, FILES)
    assert [one["name"] for one in told["scenarios"]] == [*SCENARIOS]
    for scenario in told["scenarios"]:
        own = SCENARIOS[scenario["name"]]
        assert (scenario["users"], scenario["rate"], scenario["room_size"]) == (own.users, own.rate, own.room_size)
        assert scenario["duration"] >= WATCHED_S
    for field in ("scenarios", "consumer", "layer", "server", "drop_kind"):
        assert all(one["says"] and "\n" not in one["says"] for one in told[field]), field


def test_offer_when_a_locustfile_says_no_load_then_it_is_no_scenario(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('"""Mine."""\n')
    assert offered(ReferenceApp().offer, [tmp_path / "mine.py"])["scenarios"] == []
