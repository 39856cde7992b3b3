"""The self-test's own logic: what is chosen, what is true, and what is called found, not found or a false alarm."""

import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from loadtest.bench.plan import PlanError
from loadtest.cli import selftest as command
from loadtest.cli.main import app
from loadtest.layers import LAYERS
from loadtest.ledger.reader import SCHEMA
from loadtest.ledger.record import Event, Phase, message_id
from loadtest.selftest import Case, Outcome, choose_cases
from loadtest.selftest.cases import BARE_LAYER, CONTROLS
from loadtest.selftest.expected import EXPECTED, Planting, at_most, exactly, nothing_wrong
from loadtest.selftest.figures import left_figure, read_figures
from loadtest.selftest.truth import SentMessage, Truth, read_truth
from loadtest.selftest.verdicts import Verdict, judge
from target_app import planted
from target_app.planted import PLANTED, find_planted
from tests.unit.checks.histories import A, client, joined, phases, records

DEFAULT_LAYERS = {layer.name for layer in LAYERS.values() if layer.default}
TRUTH = Truth(
    opened={1: "room-0", 2: "room-0", 3: "room-1"},
    dropped={1: "close", 2: "rst"},
    dropped_ns={1: 1_000_000_000, 2: 1_000_000_000},
    sent=(SentMessage(sender=3, sequence=3, room="room-1", sent_ns=2_000_000_000, counts=True),),
    received=Counter({3: 1}),
)


def test_planted_when_listed_then_each_has_a_file_of_its_own_and_what_must_be_found() -> None:
    files = {path.stem.replace("_", "-") for path in Path(planted.__file__).parent.glob("*.py")} - {"--init--", "rates"}
    assert {row.name for row in PLANTED} == files == set(EXPECTED)


def test_planted_when_looked_up_by_consumer_then_defect_and_kind_are_told() -> None:
    assert find_planted("group-kept-async") == (PLANTED[0], "async")
    assert find_planted("async") is None


def test_cases_when_no_layers_are_named_then_every_consumer_comes_once_and_every_layer_is_used() -> None:
    cases = [case for case in choose_cases() if case.consumer != BARE_LAYER]
    assert len({case.consumer for case in cases}) == len(cases)
    assert {case.layer for case in cases} == DEFAULT_LAYERS
    assert {case.consumer for case in cases} >= {*CONTROLS, "lost-sync", "lost-async"}


def test_cases_when_layers_are_named_then_every_consumer_comes_on_each() -> None:
    cases = choose_cases(layers=["inmemory", "redis"])
    assert len(cases) == len(set(cases)) == 2 * len({case.consumer for case in cases})


@pytest.mark.parametrize(
    ("only", "consumers"),
    [
        (["lost"], {"lost-sync", "lost-async"}),
        (["lost-sync", "async"], {"lost-sync", "async"}),
        (["bare-layer"], {"bare-layer"}),
    ],
)
def test_cases_when_some_are_named_then_only_these(only: list[str], consumers: set[str]) -> None:
    assert {case.consumer for case in choose_cases(only=only)} == consumers


def test_cases_when_a_name_is_unknown_then_it_is_refused() -> None:
    with pytest.raises(KeyError):
        choose_cases(only=["nonsense"])


def test_cases_when_made_into_trials_then_each_has_a_load_that_a_plan_allows() -> None:
    for case in choose_cases():
        if case.consumer != BARE_LAYER:
            assert case.load.drops_of(case.trial.cell)


def judged(consumer: str, **wrong: float | None) -> tuple[Verdict, tuple[str, ...]]:
    """Judge figures that are right but for those named."""
    found = find_planted(consumer)
    right = nothing_wrong(TRUTH) | (
        EXPECTED[found[0].name](Planting(kind=found[1], layer="inmemory", truth=TRUTH)) if found else {}
    )
    figures: dict[str, float | None] = {name: range.low for name, range in right.items()}
    outcome = judge(Case(consumer=consumer, layer="inmemory"), TRUTH, figures | wrong)
    return outcome.verdict, outcome.says


@pytest.mark.parametrize("consumer", [row.consumer(kind) for row in PLANTED for kind in row.kinds])
def test_verdict_when_all_figures_are_right_then_found(consumer: str) -> None:
    assert judged(consumer)[0] == "found"


@pytest.mark.parametrize("consumer", CONTROLS)
def test_verdict_when_nothing_is_planted_and_nothing_said_then_clean(consumer: str) -> None:
    assert judged(consumer)[0] == "clean"


def test_verdict_when_one_connection_too_few_is_found_then_not_found() -> None:
    assert judged("group-kept-sync", groups_left=1) == ("not found", ("groups_left 1, must be 2",))


def test_verdict_when_the_cause_is_another_then_not_found() -> None:
    wrong = {"missed: send to the gone client raised": 0, "missed: handler busy": 2}
    assert judged("send-raises-async", **wrong)[0] == "not found"


def test_verdict_when_something_else_is_reported_too_then_a_false_alarm() -> None:
    assert judged("lost-sync", presence_left=1) == ("false alarm", ("presence_left 1, must be 0",))
    assert judged("sync", missed=1)[0] == "false alarm"
    assert judged("async", **{left_figure("threads"): 1})[0] == "false alarm"


def test_verdict_when_a_figure_is_not_known_then_it_is_no_good() -> None:
    assert judged("group-kept-sync", groups_left=None) == ("not found", ("groups_left not known, must be 2",))
    assert judged("sync", tasks_left=None)[0] == "false alarm"


def test_range_when_written_then_in_words() -> None:
    assert [str(exactly(3)), str(at_most(3))] == ["3", "at most 3"]


def test_truth_when_a_ledger_is_read_then_it_says_what_the_generator_did() -> None:
    one, two, message = 1 << 24 | 1, 1 << 24 | 2, message_id(1 << 24 | 1, 4)
    truth = read_truth(
        ledger(
            (Event.OPENING, one, 0, 0, "room-0"),
            (Event.OPENED, one, 0, 101, None),
            (Event.OPENING, two, 0, 0, "room-0"),
            (Event.OPEN_FAILED, two, 0, 500, "refused"),
            (Event.SENT, one, message_id(one, 3), 0, None),
            (Event.PHASE, 0, 0, Phase.STEADY, None),
            (Event.SENT, one, message, 0, None),
            (Event.RECEIVED, one, message_id(one, 3), 0, None),
            (Event.RECEIVED, one, message, 0, None),
            (Event.DROPPED, one, 0, 0, "rst"),
        )
    )
    assert (truth.opened, truth.dropped) == ({one: "room-0"}, {one: "rst"})
    assert [(sent.sequence, sent.counts) for sent in truth.sent] == [(3, False), (4, True)]
    assert truth.received == {one: 1}
    assert truth.members("room-0") == 1
    assert not truth.is_spoken_to(one, after_ns=0)


def ledger(*lines: tuple[Event, int, int, int, str | None]) -> pl.DataFrame:
    rows = [(time_ns, connection, value, 0, code, event, 1, text)
            for time_ns, (event, connection, value, code, text) in enumerate(lines, 1)]  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def outcome_of(verdict: Verdict) -> Outcome:
    return Outcome(case=Case(consumer="lost-sync", layer="redis"), verdict=verdict, says=("lost 3, must be 4",))


@pytest.mark.parametrize(("verdict", "code"), [("found", 0), ("not found", 1), ("false alarm", 1), ("failed", 1)])
def test_command_when_done_then_its_exit_code_says_whether_all_was_right(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verdict: Verdict, code: int
) -> None:
    monkeypatch.setattr(command, "run_cases", lambda *_, **__: iter([outcome_of(verdict)]))
    monkeypatch.setattr("loadtest.stack.lock.tempfile.gettempdir", lambda: str(tmp_path))
    result = CliRunner().invoke(app, ["selftest"])
    assert result.exit_code == code, result.output
    assert verdict in result.output and "lost-sync" in result.output


def test_command_when_names_are_unknown_then_all_are_named() -> None:
    result = CliRunner().invoke(app, ["selftest", "--layers", "paper", "--only", "nonsense,lost"])
    assert isinstance(result.exception, PlanError)
    assert "'paper'" in str(result.exception) and "'nonsense'" in str(result.exception)


def test_command_when_asked_for_a_list_then_every_defect_is_in_it() -> None:
    output = CliRunner().invoke(app, ["selftest", "--list"]).output
    assert all(row.name in output and row.defect in output for row in PLANTED)


def test_bare_layer_when_imported_then_it_brings_nothing_of_the_bench_into_the_target() -> None:
    assert "target_app.bare_layer" not in sys.modules  # it runs in a process of its own


def test_figures_when_a_trial_is_read_then_every_one_that_is_expected_of_a_case_is_there() -> None:
    trial = records(client(phases(), joined(100, A)), drops=("rst",))
    read = read_figures(trial)
    named = [nothing_wrong(TRUTH)]
    named += [EXPECTED[row.name](Planting(kind=kind, layer=layer, truth=TRUTH))
              for row in PLANTED for kind in row.kinds for layer in LAYERS]  # fmt: skip
    assert {name for expected in named for name in expected} <= read.keys()


def test_verdict_when_a_figure_is_misspelt_then_it_raises_and_is_not_taken_for_none() -> None:
    with pytest.raises(KeyError):
        judge(Case(consumer="sync", layer="inmemory"), TRUTH, {})
