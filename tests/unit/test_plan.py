"""The plan: checked as a whole, complete, interleaved, and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, product
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.main import get_command

from loadtest.bench.choices import every_of, names_of, values_in
from loadtest.bench.generator import duration_of, job_of, users_of
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.profiles import EVERY, PROFILES
from loadtest.bench.scenarios import SCENARIOS
from loadtest.cli.main import app
from loadtest.cli.plan_options import default_of, is_repeated
from loadtest.dimensions import CONSUMER, DROP, LAYER, LOAD, MIXED_DROPS, NO_DROP, SCENARIO, WORKERS
from loadtest.drops import DROPS
from loadtest.figures.twins import is_twin, round_of, twin_pairs
from loadtest.load import SMALLEST_PAYLOAD, Load, help_of
from tests.unit.plans import CHOICES, make_plan

EVERY_KEY: dict[str, Any] = {
    "profile": "standard", "consumers": ("async",), "layers": ("redis",), "locustfile": (), "scenarios": ("churn",),
    "drops": ("rst", "fin"), "servers": ("uvicorn",), "workers": (1, 2),
    "users": 7, "rate": 1.5, "arrivals": "poisson", "room_size": 3,
    "payload_size": 100, "load": ("fixed",), "load_of": "own", "twins": False, "work": "sleep:5",
    "blocker_work": "sleep:50", "message": '{"say": "{marker}"}', "join": ('{"room": {room}}',),
    "message_form": "msgpack", "expect": "joined", "ack": "stored", "reaches": "others",
    "ping_message": '{"ping": {user}}', "ping_every": 2.5, "push": "",  # which goes with no message
    "drop_share": 0.5, "offline": 0.25, "warm_up": 0.0, "duration": 1.0,
    "drain": 2.0, "settle": 3.0, "server_ping": "5/6", "mix_drops": False, "trials": 2, "repeats": 3,
    "seed": 9, "port": 8123,
    "fail_on": ("missed_share > 0.05", "layer=redis: lost > 0"),
    "pin": False, "allow_contention": True,
}  # fmt: skip


def problems(given: dict[str, Any], plan_file: Path | None = None) -> str:
    with pytest.raises(PlanError) as refused:
        make_plan(given, plan_file)
    return str(refused.value)


def test_plan_when_nothing_is_given_then_it_is_the_quick_default() -> None:
    plan = make_plan({})
    assert plan.profile == "quick"
    assert plan.consumers == ("sync", "async")
    assert plan.layers == ("inmemory", "redis", "redis-pubsub")
    assert plan.scenarios == ("echo", "churn")
    assert plan.load == ("30%", "80%")
    assert plan.drops == ("close", "fin", "midframe", "rst")
    assert plan.trials == 3
    of_scenarios = {"echo": 2, "churn": 2 * 3 * 2}
    assert Counter(cell[SCENARIO] for cell in plan.cells()) == of_scenarios
    assert len(plan.trials_in_order()) == 3 * (sum(of_scenarios.values()) + len(of_scenarios)), "and a twin of each"
    assert "redis-stock" not in plan.layers


def test_plan_when_every_key_is_given_then_every_key_holds() -> None:
    assert EVERY_KEY.keys() == set(Plan.model_fields)
    assert make_plan(EVERY_KEY).model_dump() == EVERY_KEY


def test_workers_when_there_are_several_then_a_layer_inside_one_process_is_left_out_and_that_is_noted() -> None:
    plan = make_plan({"workers": "1,2", "layers": "inmemory,redis", "consumers": "sync", "load": "fixed"})
    assert [(cell[WORKERS], cell[SCENARIO], cell[LAYER]) for cell in plan.cells()] == [
        (1, "echo", "inmemory"), (1, "churn", "inmemory"), (1, "churn", "redis"),
        (2, "echo", "redis"), (2, "churn", "redis"),
    ]  # fmt: skip
    assert plan.notes == ("the layer inmemory stays inside one process, and was left out with 2 workers",)
    assert [value.name for value in values_in(CHOICES, plan.chosen)["workers"]] == ["1", "2"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"workers": "2", "servers": "daphne"}, "workers: daphne runs 1 at most, got 2; leave the server or the"),
        ({"workers": "2", "layers": "inmemory"}, "workers: inmemory stays inside one process; 2 workers need another"),
        ({"workers": "0"}, "workers.0: "),
        ({"workers": ""}, "workers: name at least one number of processes"),
    ],
)
def test_workers_when_they_cannot_be_had_then_it_is_said_why(given: dict[str, Any], said: str) -> None:
    assert problems(given).startswith(said)


def test_plan_file_when_it_tells_notes_then_they_are_refused_as_any_other_key(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('notes = ["all is well"]\n')
    message = problems({}, tmp_path / "plan.toml")
    assert message.startswith("notes: unknown key") and message.count("notes") == 1


def test_plan_when_everything_is_wrong_then_all_of_it_is_named_at_once() -> None:
    message = problems(
        {
            "consumers": "sync,typo1",
            "layers": "typo2",
            "scenarios": "typo3",
            "drops": "rst,typo4",
            "servers": "typo5",
            "rate": -1,
            "users": 0,
            "duration": 0,
            "trials": 0,
            "work": "coffee",
            "profile": "slow",
            "typo6": 1,
        }
    )
    lines = [line.partition(":")[0] for line in message.splitlines()]
    assert Counter(lines) == Counter(
        ("consumers", "layers", "scenarios", "drops", "servers", "rate", "users", "duration", "trials", "work",
         "profile", "typo6")
    )  # fmt: skip
    assert all(f"typo{number}" in message for number in range(1, 7))
    assert "-1" in message and "coffee" in message


@pytest.mark.parametrize("key", sorted(CHOICES))
def test_plan_when_a_name_is_unknown_then_those_there_are_are_named(key: str) -> None:
    message = problems({key: "typo"})
    assert all(name in message for name in names_of(CHOICES[key]))


@pytest.mark.parametrize("key", sorted(CHOICES))
def test_plan_when_a_list_is_empty_then_that_is_refused(key: str) -> None:
    assert f"{key}: name at least one of" in problems({key: ""})


@pytest.mark.parametrize("key", ["rate", "duration", "warm_up", "drain", "settle", "offline", "drop_share"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5])
def test_plan_when_a_number_makes_no_sense_then_that_is_refused(key: str, value: float) -> None:
    assert problems({key: value}).startswith(f"{key}: ")


def test_plan_when_the_payload_is_too_small_for_a_message_then_that_is_refused() -> None:
    assert make_plan({"payload_size": SMALLEST_PAYLOAD}).payload_size == SMALLEST_PAYLOAD
    assert "payload_size" in problems({"payload_size": SMALLEST_PAYLOAD - 1})


def test_plan_when_a_name_is_given_twice_then_it_counts_once() -> None:
    plan = make_plan({"consumers": "sync, sync", "layers": ["inmemory", "inmemory"], "drops": "rst,rst"})
    assert (plan.consumers, plan.layers, plan.drops) == (("sync",), ("inmemory",), ("rst",))


def test_plan_when_options_and_a_file_differ_then_the_options_win(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text('layers = ["redis"]\nconsumers = ["sync"]\ntrials = 7\nrate = 3\n')
    plan = make_plan({"consumers": "async", "rate": 0.0, "trials": None}, path)
    assert (plan.layers, plan.consumers, plan.rate, plan.trials) == (("redis",), ("async",), 0.0, 7)


@pytest.mark.parametrize("profile", PROFILES)
def test_plan_when_a_profile_is_chosen_then_its_values_hold_where_nothing_else_is_given(
    profile: str, tmp_path: Path
) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(f'profile = "{profile}"\ntrials = 2\n')
    plan = make_plan({}, path)
    assert plan.trials == 2
    assert {key: getattr(plan, key) for key in PROFILES[profile] if key != "trials"} == {
        key: every_of(CHOICES[key]) if value == EVERY else value
        for key, value in PROFILES[profile].items()
        if key != "trials"
    }


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot read"),
        (b"layers = [", "not TOML"),
        (b"\xff\xfe", "not UTF-8 text"),
        (b"layer = 'redis'", "unknown key"),
    ],
)
def test_plan_when_its_file_cannot_be_read_then_one_clear_message_says_so(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    path = tmp_path / "plan.toml"
    if content is not None:
        path.write_bytes(content)
    assert why in problems({}, path)


@pytest.mark.parametrize(("profile", "least"), [("quick", 200), ("standard", 1000)])
def test_profile_when_members_are_dropped_then_a_cell_has_enough_drops_for_a_narrow_interval(
    profile: str, least: int
) -> None:
    plan = make_plan({"profile": profile, "scenarios": "churn"})
    trial = plan.trials_in_order()[0]
    drops = users_of(plan, trial) * plan.drop_share * duration_of(plan, trial) * plan.trials
    assert drops - 3 * sqrt(drops) > least, "three standard deviations of a Poisson count"


def test_plan_when_its_file_is_a_folder_then_one_clear_message_says_so(tmp_path: Path) -> None:
    assert "cannot read the plan" in problems({}, tmp_path)


def test_order_when_made_then_each_cell_is_there_once_a_round_and_rounds_follow_each_other() -> None:
    plan = make_plan({"trials": 4})
    cells, twins = set(plan.cells()), set(plan.twin_cells())
    rounds = [list(trials) for _, trials in groupby(plan.trials_in_order(), key=lambda trial: trial.seed)]
    assert len(rounds) == 4
    for number, trials in enumerate(rounds, 1):
        assert Counter(trial.number for trial in trials) == {number: len(cells), number + 4: len(twins)}
        assert {trial.cell for trial in trials if trial.number == number} == cells
        assert {trial.cell for trial in trials if trial.number == number + 4} == twins
    assert len({tuple(trial.cell for trial in trials) for trials in rounds}) == 4, "each round has an order of its own"


def test_twins_when_planned_then_they_are_one_cell_of_each_scenario_and_stand_anywhere_in_the_round() -> None:
    plan = make_plan({"scenarios": "echo,churn", "load": "30%,80%", "trials": 9})
    assert [(cell[SCENARIO], cell[LAYER], cell[CONSUMER], cell[LOAD]) for cell in plan.twin_cells()] == [
        ("echo", "inmemory", "async", "fixed"),
        ("churn", "inmemory", "async", "80%"),
    ]
    of_rounds = [list(trials) for _, trials in groupby(plan.trials_in_order(), key=lambda trial: trial.seed)]
    places = {tuple(is_twin(trial.number, trials=9) for trial in trials) for trials in of_rounds}
    assert len(places) > 1
    pairs = Counter((trial.cell, round_of(trial.number, trials=9)) for trial in plan.trials_in_order())
    doubled = {pair for pair, count in pairs.items() if count == 2}
    assert doubled == set(product(plan.twin_cells(), range(1, 10)))


@pytest.mark.parametrize("given", [{"twins": False}, {"trials": 1}])
def test_twins_when_they_are_not_wanted_or_the_round_is_the_only_one_then_there_are_none(given: dict[str, Any]) -> None:
    assert make_plan(given).twin_cells() == ()


def test_twin_pairs_when_listed_then_they_are_the_numbers_that_the_plan_gave() -> None:
    plan = make_plan({"scenarios": "echo", "consumers": "async", "trials": 3})
    assert {number for pair in twin_pairs(3) for number in pair} == {trial.number for trial in plan.trials_in_order()}
    assert twin_pairs(3) == [(1, 4), (2, 5), (3, 6)]


def test_order_when_the_seed_is_the_same_then_it_is_the_same_and_else_it_is_another() -> None:
    assert make_plan({"seed": 5}).trials_in_order() == make_plan({"seed": 5}).trials_in_order()
    assert make_plan({"seed": 5}).trials_in_order() != make_plan({"seed": 6}).trials_in_order()


def test_trials_when_listed_then_each_has_a_folder_of_its_own_and_each_round_a_seed() -> None:
    plan = make_plan({"profile": "standard"})
    order = plan.trials_in_order()
    assert len({trial.folder for trial in order}) == len(order)
    assert len({trial.seed for trial in order}) == plan.trials


def test_drops_when_mixed_then_one_cell_has_all_and_else_each_kind_has_its_own() -> None:
    mixed, separate = (make_plan({"scenarios": "churn", "layers": "inmemory", "consumers": "sync", "load": "fixed",
                                  "mix_drops": mix})
                       for mix in (True, False))  # fmt: skip
    (cell,) = mixed.cells()
    assert cell[DROP] == MIXED_DROPS
    assert mixed.drops_of(cell) == mixed.drops
    assert [cell[DROP] for cell in separate.cells()] == list(separate.drops)
    assert [separate.drops_of(cell) for cell in separate.cells()] == [(drop,) for drop in separate.drops]


def test_drops_when_only_one_is_planned_then_it_is_not_called_a_mixture() -> None:
    plan = make_plan({"scenarios": "churn", "drops": "fin"})
    assert {cell[DROP] for cell in plan.cells()} == {"fin"}


def test_drops_when_a_scenario_drops_nothing_then_its_cells_say_so() -> None:
    plan = make_plan({})
    for cell in plan.cells():
        assert (cell[DROP] == NO_DROP) == (not SCENARIOS[cell[SCENARIO]].drops)
        assert bool(plan.drops_of(cell)) == SCENARIOS[cell[SCENARIO]].drops


def test_drops_when_all_are_asked_for_then_those_that_cannot_be_done_are_left_out_with_a_note() -> None:
    plan = make_plan({"drops": "all"})
    impossible = {name for name, drop in DROPS.items() if drop.unavailable()}
    assert set(plan.drops) == {*DROPS, "sigkill"} - impossible
    assert all(any(name in note for note in plan.notes) for name in impossible)


def test_plan_when_written_to_a_manifest_and_read_back_then_it_is_the_same() -> None:
    plan = make_plan({"drops": "rst", "layers": "redis", "rate": 2, "seed": 4, "profile": "standard"})
    assert make_plan(plan.model_dump(mode="json")) == plan


def test_bench_when_its_options_are_listed_then_every_key_of_a_plan_is_one_with_its_own_help() -> None:
    command: Any = get_command(app)
    options = {option.name: option for option in command.commands["bench"].params}
    keys = {name: field for name, field in Plan.model_fields.items() if name != "notes"}
    own_app = [
        "app",
        "app_dir",
        "path",
        "python",
        "settings",
        "env",
        "env_file",
        "command",
        "before",
        "database",
        "online",
        "broker",
    ]
    own_app += ["header", "header_file", "cookie", "origin", "subprotocol", "login_url", "users_file"]
    own_app += ["target", "ca_file", "insecure", "probe_token_file"]
    others = ["plan", "out", "like", "resume", "metrics_port", "verbose", "quiet", "as_json", *own_app, "redis_url"]
    assert list(options) == [*keys, *others, *({"help"} & options.keys())]
    for name, field in keys.items():
        assert help_of(field)
        assert options[name].help == f"{help_of(field)} (default: {default_of(name, field, PROFILES)})"
        assert options[name].default is None, "what is not given is left to the plan's file and profile"


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("profile", "quick"),
        ("users", "the scenario's own"),
        ("duration", "the scenario's own; standard: 9.5; full: 20"),
        ("scenarios", "echo,broadcast,churn; quick: echo,churn"),
        ("load", "fixed; quick: 30%,80%; standard: 30%,50%,80%,95%; full: 20%,30%,40%,50%,60%,70%,80%,90%,95%"),
        ("rate", "the scenario's own"),
        ("server_ping", "the server's own"),
        ("consumers", "sync,async; full: every"),
        ("drops", "close,fin,midframe,rst"),
        ("mix_drops", "yes; full: no"),
        ("trials", "3; standard: 5; full: 10"),
    ],
)
def test_bench_when_its_options_are_listed_then_each_says_its_default_and_that_of_other_profiles(
    key: str, default: str
) -> None:
    assert default_of(key, Plan.model_fields[key], PROFILES) == default


@pytest.mark.parametrize("key", ["rate", "payload_size", "room_size", "drop_share", "offline", "seed"])
def test_plan_and_load_when_they_have_the_same_key_then_limits_and_text_are_the_same(key: str) -> None:
    in_plan, in_load = Plan.model_fields[key], Load.model_fields[key]
    assert help_of(in_plan) == help_of(in_load)
    for value in (-1, 0, 0.5, 46, 47, 2**20, 2**20 + 1):
        refused = []
        for model, others in ((Plan, {}), (Load, {"host": "ws://h"})):
            try:
                model.model_validate({key: value, **others})
                refused.append(False)
            except ValidationError:
                refused.append(True)
        assert refused[0] == refused[1], value


@pytest.mark.parametrize("key", ["load", "layers", "consumers", "scenarios", "drops"])
def test_option_when_a_key_is_a_list_then_one_option_takes_it_by_comma(key: str) -> None:
    assert not is_repeated(Plan.model_fields[key])
    assert is_repeated(Plan.model_fields["fail_on"])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"scenarios": "echo,churn"}, "with echo each sender waits until its own message has come back"),
        ({"scenarios": "churn", "rate": 0}, "with a rate of 0 each sender waits until its own message has come back"),
        ({"scenarios": "churn", "room_size": 1}, "there are no others in rooms of one"),
    ],
)
def test_plan_when_senders_wait_for_what_reaches_others_only_then_it_is_refused(
    given: dict[str, Any], problem: str
) -> None:
    assert problem in problems({"reaches": "others", **given})


PUSH = 'POST /alerts/{room}/ {"text": "{marker}"}'


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"message": "{marker}"}, "push: users only listen then, and say nothing; leave out the message"),
        ({"reaches": "nobody"}, "push: users only listen then, and say nothing"),
        ({"scenarios": "echo,churn"}, "push: with echo each user waits for its own message, and here it says none"),
        ({"rate": 0}, "push: a rate of 0 pushes nothing"),
        ({"push": "POST /alerts/ hello"}, "push: there is no {marker} in 'POST /alerts/ hello'"),
        ({"push": "notify {marker}", "load": "30%"}, "push: a command cannot be run often enough for the load 30%"),
        ({"ping_every": 0}, "ping_every: Input should be greater than 0"),
    ],
)
def test_plan_when_something_does_not_go_with_a_push_then_it_is_refused(given: dict[str, Any], problem: str) -> None:
    assert problem in problems({"scenarios": "churn", "push": PUSH, **given})


def test_plan_when_there_is_a_push_and_a_ping_then_talk_and_job_have_them() -> None:
    plan = make_plan({"scenarios": "churn", "push": PUSH, "ping_message": "ping", "ping_every": 5, "rate": 2})
    assert (plan.talk.push, plan.talk.ping) == (PUSH, "ping")
    job = job_of(plan, plan.trials_in_order()[0], folder=Path("/trial"))
    assert (job.push, job.ping_message, job.ping_every) == (PUSH, "ping", 5)
    assert job.talk.pinging(room=1, user=2) == "ping"


def test_plan_when_messages_reach_nobody_then_its_talk_says_so() -> None:
    assert make_plan({"scenarios": "churn", "reaches": "nobody"}).talk.reaches == "nobody"
