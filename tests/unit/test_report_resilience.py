"""The resilience grid, the causes, the examples: what each says of the drops, and that unknown is never good or bad."""

from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.plan import Trial
from loadtest.checks.disconnects.causes import NOT_RECORDED, causes_of, words_of
from loadtest.checks.disconnects.table import MISSED
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.dimensions import CellKey, Value
from loadtest.figures.evidence import trial_folder
from loadtest.report.cells import cells_of, examples_of
from loadtest.report.charts import detection_charts
from loadtest.report.manifest import Manifest
from loadtest.report.printed import left_of_1000, printed_tables
from loadtest.report.resilience import ALL_KINDS, Field, Grid, grids
from loadtest.report.show_command import show_command
from loadtest.report.summary import Summary, summarise
from loadtest.report.tables import Tables
from tests.unit.loaded_folder import LOADS, loaded_tables
from tests.unit.report_folder import invented_tables, key_row

MANIFEST = Manifest(
    format=1,
    name="x",
    started_utc="",
    state="finished",
    planned=1,
    done=1,
    values={"consumer": (Value(name="sync"), Value(name="async"))},
)


def summary_of(*disconnects: dict[str, Any], **rows: list[dict[str, Any]]) -> Summary:
    return summarise(Tables.from_rows({"disconnects": list(disconnects), **rows}), MANIFEST)


def row(
    dropped: int, called: int | None, missed: int | None = 0, unknown: int | None = 0, **more: Any
) -> dict[str, Any]:
    key = key_row(consumer=more.pop("consumer", "sync"), scenario="churn", drop=more.pop("drop", "rst"))
    return {**key, "dropped": dropped, "disconnect_called": called, "missed": missed, "unknown": unknown, **more}


def only_field(summary: Summary) -> Field:
    (grid,) = grids(summary)
    ((_, (field,)),) = grid.rows
    return field


def test_grid_has_a_row_a_kind_a_column_a_consumer_and_all_kinds_below() -> None:
    (grid,) = grids(summarise(invented_tables(), MANIFEST))
    assert [kind for kind, _ in grid.rows] == ["close", "fin", "midframe", "rst", ALL_KINDS]
    assert grid.places == (("inmemory", 2), ("redis", 2), ("redis-pubsub", 2))
    assert grid.consumers == ("sync", "async") * 3
    assert all(len(fields) == 6 for _, fields in grid.rows)


def test_field_of_one_missed_in_thousands_is_not_rounded_to_all() -> None:
    field = only_field(summary_of(row(5000, 4999, 1)))
    assert (field.shade, field.share) == ("most", ">99.9 %")


@pytest.mark.parametrize(
    ("called", "shade", "share"),
    [(200, "all", "100 %"), (199, "most", "99.5 %"), (100, "half", "50 %"), (0, "fewest", "0 %")],
)
def test_field_has_the_shade_and_number_of_its_share(called: int, shade: str, share: str) -> None:
    field = only_field(summary_of(row(200, called, 200 - called)))
    assert (field.shade, field.share) == (shade, share)


def test_field_is_grey_where_the_unknown_could_change_its_shade() -> None:
    field = only_field(summary_of(row(100, 90, 0, 10)))
    assert (field.shade, field.is_hatched, field.below) == ("unknown", True, "10 unknown")
    field = only_field(summary_of(row(100, 60, 30, 10)))
    assert (field.shade, field.is_hatched) == ("half", True)


def test_field_of_drops_nobody_could_look_up_is_unknown() -> None:
    field = only_field(summary_of(row(12, None, None, None)))
    assert (field.share, field.shade, field.is_hatched) == ("?", "unknown", True)


def test_field_of_drops_inside_the_upgrade_says_that_no_application_ran() -> None:
    field = only_field(summary_of(row(0, 0, never_reached=7)))
    assert (field.shade, field.below) == ("none", "7 never reached")
    assert any("no application ever ran" in line for line in field.tip)


def test_field_tells_all_its_figures_to_the_pointer() -> None:
    more: dict[str, Any] = {
        "causes": {"send to the gone client raised": 2, "not noticed": 1},
        "noticed": 9,
        "queues_left": 1,
    }
    tip = only_field(summary_of(row(10, 7, 3, **more))).tip
    assert tip[0] == "10 connections dropped"
    assert "7 had disconnect() called, 3 missed, 0 unknown" in tip
    assert "cause: send to the gone client raised (2)" in tip
    assert "9 noticed by the server" in tip
    assert "1 still had messages queued for them" in tip


def test_causes_add_up_to_the_missed_also_where_some_are_not_recorded() -> None:
    summary = summary_of(row(10, 4, 6, causes={"connect() still running": 2, "a: b": 1}))
    causes = causes_of(summary.cells)
    assert causes == {"connect() still running": 2, "a: b": 1, NOT_RECORDED: 3}
    assert words_of("a: b").full == "a: b"


def test_invented_causes_and_drops_agree_with_disconnects() -> None:
    tables = invented_tables(consumers=("sync", "async", "sync-guarded"))
    for cell in cells_of(tables):
        if cell.has(DISCONNECTS):
            missed = cell.total(MISSED).total or 0
            assert causes_of([cell]).total() == missed
            assert NOT_RECORDED not in causes_of([cell])
    assert tables.frame("drops").height == tables.frame("disconnects")["dropped"].sum()


def test_example_names_the_trial_as_the_bench_does_and_a_drop_of_its_own_trial() -> None:
    cell = CellKey(server="uvicorn", workers=1, layer="redis", consumer="sync", scenario="churn", drop="close:4001")
    assert trial_folder(cell, 3) == Trial(cell=cell, number=3, seed=1).folder
    own = {**cell.as_row(), "trial": 3}
    tables = Tables.from_rows({"throughput": [own], "drops": [{**own, "connection": 8, "verdict": "called"}]})
    assert examples_of(tables).drops["planned"].to_list() == ["close:4001"]


def test_example_of_a_drop_whose_trial_was_not_saved_is_none() -> None:
    key = key_row(scenario="churn", drop="rst")
    assert examples_of(Tables.from_rows({"drops": [{**key, "connection": 8}]})).drops.is_empty()


def test_show_command_names_the_folder_as_it_can_be_typed_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert show_command(tmp_path / "results" / "a", "t/1:5") == "channels-loadtest show results/a t/1:5"
    assert show_command(Path("/elsewhere/a"), "t/1:5") == "channels-loadtest show /elsewhere/a t/1:5"


def test_left_of_1000_leaves_out_drops_of_which_it_is_not_known() -> None:
    table = left_of_1000(summary_of(row(40, 30, 10, groups_left=10), row(60, 60, drop="fin", groups_left=None)))
    shown = dict(zip([h.text for h in table.headings], [t.text for t in table.rows[0]], strict=True))
    assert shown["dropped"] == "100"
    assert shown["groups"] == "250 (10)"
    assert shown["queues"] == "?"


def test_disconnects_table_says_how_many_no_application_ran_for_only_if_there_are_such() -> None:
    with_some, without = summary_of(row(5, 5, never_reached=2)), summary_of(row(5, 5, never_reached=0))
    heads = [
        [h.text for t in printed_tables(s) if t.name == "disconnects by kind" for h in t.headings]
        for s in (with_some, without)
    ]
    assert "no app" in heads[0]
    assert "no app" not in heads[1]


def test_detection_chart_of_a_cell_that_missed_all_has_its_count() -> None:
    summary = summary_of(row(24, 0, 24))
    (chart,) = detection_charts(summary)
    assert "24 missed" in str(chart.spec)


def test_detection_charts_leave_out_times_below_zero() -> None:
    rows = [{**key_row(scenario="churn", drop="rst"), "connection": n, "verdict": "called", "detect_ms": ms}
            for n, ms in enumerate((-3.0, 2.5))]  # fmt: skip
    tables = Tables.from_rows(
        {"throughput": [key_row(scenario="churn", drop="rst")], "drops": rows, "disconnects": [row(2, 2)]}
    )
    (chart,) = detection_charts(summarise(tables, MANIFEST))
    assert "'ms': 2.5" in str(chart.spec)
    assert "-3.0" not in str(chart.spec)


def test_grid_of_each_scenario_stands_alone() -> None:
    other = {**row(5, 5), "scenario": "burst"}
    found: list[Grid] = grids(summary_of(row(5, 5), other))
    assert sorted(grid.title for grid in found) == ["burst", "churn"]


def test_grid_of_each_load_stands_alone_with_how_busy_it_was() -> None:
    found = grids(summarise(loaded_tables(), MANIFEST))
    assert {grid.title for grid in found} == {f"churn, {load} load" for load in LOADS}
    assert all(grid.places == (("inmemory", 2), ("redis", 2), ("redis-pubsub", 2)) for grid in found)
    (grid,) = [grid for grid in found if grid.title == "churn, 80% load"]
    assert [float(text.text) for text in grid.busy] == pytest.approx([0.8, 0.36] * 3, rel=0.05)


def test_field_of_trials_that_are_not_valid_is_unknown_and_not_empty() -> None:
    own = key_row(scenario="churn", drop="rst")
    summary = summary_of(row(10, 4, 6), throughput=[{**own, "valid": "no"}])
    field = only_field(summary)
    assert (field.share, field.below, field.shade) == ("?", "no valid trial", "unknown")
    (table,) = [table for table in printed_tables(summary) if table.name == "disconnects by kind"]
    shown = dict(zip([heading.text for heading in table.headings], table.rows[0], strict=True))
    assert {shown[name].text for name in ("dropped", "called", "missed", "unknown")} == {"?"}
    assert any("left out of every figure" in note for note in table.notes)


def test_disconnects_table_prints_noticed_called_and_what_was_left_each_under_its_name() -> None:
    left: dict[str, Any] = dict.fromkeys(("groups_left", "queues_left", "tasks_left", "presence_left"), 0)
    own = key_row(scenario="churn", drop="rst")
    times: list[dict[str, Any]] = [{"verdict": "called", "detect_ms": float(ms)} for ms in range(1, 9)]
    singles = [{**own, **time, "connection": n} for n, time in enumerate([*times, {"verdict": "missed"}] * 5)]
    counts = row(45, 40, 5, noticed=44, **left, subscriptions_left=4)
    summary = summary_of(counts, throughput=[own], drops=singles)
    together, by_kind = (table for table in printed_tables(summary) if table.name.startswith("disconnects"))
    shown = dict(zip([h.text for h in by_kind.headings], [text.text for text in by_kind.rows[0]], strict=True))
    assert (shown["noticed"], shown["called"], shown["missed"]) == ("44", "40", "5")
    assert (shown["missed share"], shown["call ms"]) == ("11 % (4.8–23)", "5.0/>8.0")
    assert shown["left"] == "0/0/0/0/4"
    assert "groups/queues/tasks/presence/subscriptions" in together.caption


def test_throughput_table_prints_broker_and_failed_openings_only_if_there_are_such() -> None:
    own = {**key_row(), "received": 500, "users": 9, "valid": "yes"}
    some = summary_of(throughput=[{**own, "broker_cpu_s": 0.5, "open_failed": 2}])
    (table,) = printed_tables(some)
    shown = dict(zip([heading.text for heading in table.headings], [text.text for text in table.rows[0]], strict=True))
    assert (shown["broker ms/1k"], shown["not opened"]) == ("1,000", "2")
    (table,) = printed_tables(summary_of(throughput=[{**own, "open_failed": 0}]))
    assert not {"broker ms/1k", "not opened"} & {heading.text for heading in table.headings}


def test_throughput_table_has_no_question_mark_for_a_layer_without_a_broker() -> None:
    own = {"received": 500, "valid": "yes", "broker_cpu_s": None}
    rows = [{**key_row(layer="inmemory"), **own}, {**key_row(layer="redis"), **own, "broker_cpu_s": 0.5}]
    (table,) = printed_tables(summary_of(throughput=rows))
    column = [heading.text for heading in table.headings].index("broker ms/1k")
    assert [row[column].text for row in table.rows] == ["·", "1,000"]
