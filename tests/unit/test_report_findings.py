"""Findings: each sentence says what the tables say, how sure it is, and nothing more."""

import dataclasses
from typing import Any

from loadtest.dimensions import CellKey, Value
from loadtest.figures.finding import Finding
from loadtest.report.manifest import Manifest, TroubledTrial
from loadtest.report.old_runs import values_of_old_run
from loadtest.report.summary import summarise
from loadtest.report.tables import Tables
from tests.unit.report_folder import invented_manifest, invented_tables, key_row

MANIFEST = Manifest(
    format=1,
    name="x",
    started_utc="",
    state="finished",
    planned=3,
    done=3,
    values={
        "consumer": (Value(name="sync"), Value(name="async"), Value(name="sync-guarded", variant_of="sync")),
        "scenario": (Value(name="echo", kind="closed loop"),),
        "layer": (Value(name="redis-stock", ends_connections="redis-py 8 gives up a read"),),
    },
)


def findings_of(manifest: Manifest = MANIFEST, **rows: list[dict[str, Any]]) -> tuple[Finding, ...]:
    return summarise(Tables.from_rows(rows), manifest).findings


def texts(findings: tuple[Finding, ...], topic: str) -> list[str]:
    return [finding.text for finding in findings if finding.topic.name == topic]


def speed(
    consumer: str, figures: list[float | None], *, valid: str = "yes", scenario: str = "echo"
) -> list[dict[str, Any]]:
    return [
        {**key_row(consumer=consumer, trial=n, scenario=scenario), "messages_per_s": f, "received": 100, "valid": valid}
        for n, f in enumerate(figures, 1)
    ]


def drops(
    called: int | None, missed: int | None, unknown: int | None = 0, *, trial: int = 1, **more: Any
) -> dict[str, Any]:
    key = key_row(consumer=more.pop("consumer", "sync"), scenario="churn", trial=trial, drop=more.pop("drop", "rst"))
    dropped = more.pop("dropped", None)
    known = [n for n in (called, missed, unknown) if n is not None]
    counts = {"dropped": dropped or sum(known), "disconnect_called": called, "missed": missed, "unknown": unknown}
    return {**key, **counts, **more}


def test_no_tables_give_no_findings() -> None:
    assert findings_of() == ()


def test_difference_when_it_is_decided_then_its_ratio_interval_and_rounds_are_told() -> None:
    found = findings_of(throughput=speed("sync", [100, 110, 120, 105]) + speed("async", [200, 222, 238, 211]))
    assert texts(found, "throughput") == [
        "echo on redis: async carried 2.0 times (2.0–2.0) as many messages a second as sync "
        "(async 217, sync 109; 4 rounds)."
    ]


def test_difference_when_rounds_do_not_decide_it_then_what_would_have_been_seen_is_told() -> None:
    (text,) = texts(
        findings_of(throughput=speed("sync", [100, 150, 200]) + speed("async", [180, 190, 240])), "throughput"
    )
    assert text.startswith(
        "echo on redis: not decided whether async and sync differ in messages a second: async carried"
    )
    assert text.endswith("3 rounds); a factor of 2.0 or more would have been seen.")


def test_difference_when_it_is_smaller_than_what_matters_then_they_are_the_same() -> None:
    rows = speed("sync", [100, 110, 120]) + speed("async", [101, 110, 121])
    (text,) = texts(findings_of(throughput=rows), "throughput")
    assert text == (
        "echo on redis: async and sync differ by less than 10 % in messages a second "
        "(1.01 times (0.99–1.02); 3 rounds)."
    )


def test_one_trial_claims_nothing() -> None:
    (text,) = texts(findings_of(throughput=speed("sync", [100]) + speed("async", [900])), "throughput")
    assert "one round only: too few to compare" in text
    assert "times" not in text


def test_figure_when_it_is_infinite_in_a_round_then_nothing_is_compared() -> None:
    late = [{**row, "latency_ms_p99": p99} for row, p99 in zip(speed("sync", [1, 1], scenario="broadcast"),
                                                             (float("inf"), 9.0), strict=True)]  # fmt: skip
    fine = [{**row, "latency_ms_p99": 5.0} for row in speed("async", [1, 1], scenario="broadcast")]
    (text,) = texts(findings_of(throughput=late + fine), "latency")
    assert text.endswith("latency p99: async 5 ms, sync ∞; not compared: too much never came with sync.")


def test_invalid_trials_alone_are_unknown_and_not_compared() -> None:
    found = findings_of(throughput=speed("sync", [100, 110], valid="no") + speed("async", [200, 220]))
    (finding,) = [f for f in found if f.topic.name == "throughput"]
    assert finding.severity == "unknown"
    assert "none of its trials is valid" in finding.text


def test_layers_when_there_are_several_then_all_are_asked_together_and_then_each() -> None:
    layers = {"redis": 2.0, "inmemory": 2.2, "redis-pubsub": 1.9}
    rows = [
        {**row, "layer": layer, "messages_per_s": row["messages_per_s"] * factor}
        for layer, times in layers.items()
        for consumer, factor in (("sync", 1.0), ("async", times))
        for row in speed(consumer, [100, 100, 100 + len(layer + consumer)])
    ]
    (text,) = texts(findings_of(throughput=rows), "throughput")
    assert text.startswith("echo, over 3 layers: async carried 2.0 times (2.0–2.0) as many messages a second as sync (")
    assert "inmemory 2.2, redis 2.0, redis-pubsub 1.9; 3 rounds)" in text


def test_kinds_of_drop_with_trials_of_their_own_are_one_question() -> None:
    rows = [
        {**key_row(consumer=consumer, scenario="churn", drop=drop, trial=trial), "latency_ms_p99": p99 + trial,
         "received": 9, "valid": "yes"}
        for consumer, p99 in {"sync": 200, "async": 100}.items()
        for drop in ("close", "fin", "rst")
        for trial in (1, 2, 3)
    ]  # fmt: skip
    assert texts(findings_of(throughput=rows), "latency") == [
        "churn on redis and 3 kinds of drop: latency p99 with sync is 2.0 times (2.0–2.0) that with async "
        "(async 102 ms, sync 202 ms; 3 rounds)."
    ]


def many_drops(consumer: str, missed: list[int], *, drop: str = "rst", of: int = 100) -> list[dict[str, Any]]:
    return [
        drops(of - count, count, trial=trial, consumer=consumer, drop=drop) for trial, count in enumerate(missed, 1)
    ]


def test_missed_shares_when_they_differ_then_both_are_told_with_intervals_behind_the_headline() -> None:
    rows = many_drops("sync", [30, 28, 33, 29]) + many_drops("async", [3, 5, 4, 4])
    headline, compared, *_ = texts(findings_of(disconnects=rows), "disconnects")
    assert headline.endswith("Missed: sync 30 % (26–35); async 4 % (2.5–6.4).")
    assert compared == (
        "churn with rst on redis: async missed 4 % (2.5–6.4), sync 30 % (26–35): "
        "sync missed more at this load (4 rounds)."
    )


def test_missed_shares_when_they_do_not_decide_then_the_points_that_would_have_been_seen_are_told() -> None:
    rows = many_drops("sync", [6, 3, 4, 8]) + many_drops("async", [3, 5, 4, 4])
    _, compared, *_ = texts(findings_of(disconnects=rows), "disconnects")
    assert "not decided whether they differ (4 rounds); a difference of" in compared
    assert compared.endswith("points or more would have been seen.")


def test_kind_of_drop_when_it_stands_out_then_it_is_named_with_its_interval() -> None:
    rows = [row for drop, missed in (("rst", [5, 6, 4, 5]), ("fin", [6, 4, 5, 6]), ("midframe", [40, 38, 41, 43]))
            for row in many_drops("sync", missed, drop=drop)]  # fmt: skip
    _, text, *_ = texts(findings_of(disconnects=rows), "disconnects")
    assert "more often after midframe: 40 % (36–45)" in text


def test_kind_of_drop_when_it_is_counted_apart_then_it_is_in_no_share_of_the_others() -> None:
    values = {**MANIFEST.values, "drop": (Value(name="burst-close", outcome="certain"), Value(name="rst"))}
    rows = [*many_drops("sync", [5, 6], drop="rst"), *many_drops("sync", [100, 100], drop="burst-close")]
    headline, missed, apart, *_ = texts(
        findings_of(dataclasses.replace(MANIFEST, values=values), disconnects=rows), "disconnects"
    )
    assert "Missed, of the drops of which chance alone decides: sync 5.5 %" in headline
    assert "11 of 200 dropped connections" in missed
    assert apart.startswith(
        "After burst-close, counted apart because its consumer still has to send when the client is gone, "
        "whatever the load: 200 of 200 dropped connections never had"
    )


def test_missed_disconnects_are_counted_shared_and_by_trial() -> None:
    found = findings_of(disconnects=[drops(134, 3, trial=1), drops(140, 0, trial=2), drops(135, 0, trial=3)])
    headline, missed = texts(found, "disconnects")
    assert "412 connections" in headline
    assert "3 of 412 dropped connections never had disconnect() called" in missed
    assert ": 0.73 % (0.035–13) (0 to 2.2 % in 3 rounds)" in missed
    assert "cause not recorded" in missed


def test_drops_of_a_trial_not_audited_are_unknown_and_never_good() -> None:
    found = findings_of(disconnects=[drops(10, 0, trial=1), drops(None, None, None, dropped=7, trial=2)])
    assert not [f for f in found if f.severity == "good" and f.topic.name == "disconnects"]
    assert found[0].severity == "unknown"
    assert "of 7 it is not known" in found[0].text
    assert any(
        "7 of 17 dropped connections" in text and "1 of 2 trials could not" in text
        for text in texts(found, "disconnects")
    )


def test_all_called_is_good_and_names_the_drops() -> None:
    found = findings_of(disconnects=[drops(10, 0), drops(12, 0, drop="close")])
    assert found[0].severity == "good"
    assert "every one of them had disconnect() called" in found[0].text
    assert any("all 22 dropped connections" in text and "close and rst" in text for text in texts(found, "disconnects"))


def test_nothing_dropped_claims_nothing_about_disconnects() -> None:
    assert texts(findings_of(disconnects=[drops(0, 0)]), "disconnects") == []


def test_what_was_left_behind_and_what_the_guard_buys() -> None:
    found = findings_of(
        disconnects=[
            drops(10, 2, groups_left=2, presence_left=2),
            drops(11, 1, groups_left=0, presence_left=0, consumer="sync-guarded"),
        ]
    )
    left = texts(found, "left behind")
    assert any("2 stayed in a group (167)" in text and "2 were still online" in text for text in left)
    (guard,) = texts(found, "guards")
    assert guard == "redis, churn: sync-guarded left 0 of 12 dropped connections in a group, sync 2 of 12."


def single(trial: int, number: int, verdict: str, detect_ms: float | None = None, **more: Any) -> dict[str, Any]:
    key = key_row(scenario="churn", drop=more.pop("drop", "rst"), trial=trial)
    return {**key, "connection": number, "verdict": verdict, "detect_ms": detect_ms, **more}


def test_detection_times_and_codes_are_told() -> None:
    codes = {"1006": 8, "1012": 2}
    found = findings_of(
        throughput=[{**key_row(scenario="churn", drop="rst", trial=trial), "valid": "yes"} for trial in (1, 2)],
        disconnects=[drops(40, 2, trial=trial, codes=codes, detect_ms_max=80.0) for trial in (1, 2)],
        drops=[
            single(trial, number, "called", 80.0 if number == 1 else float(number))
            for trial in (1, 2) for number in range(1, 41)
        ] + [single(trial, 50 + number, "missed", watched_ms=5000.0) for trial in (1, 2) for number in (1, 2)],
    )  # fmt: skip
    assert texts(found, "detection") == [
        "redis, sync: from the drop to disconnect(): median 22 ms (18–27) of 84 drops, 4 of them missed, p90 39 ms; "
        "the slowest of all that came to it took 80 ms, after rst."
    ]
    assert "1006 (16 times) and 1012 (4 times)" in texts(found, "codes")[0]


def test_losses_are_warned_of_and_a_failed_check_is_unknown() -> None:
    row = {"expected": 100, "delivered": 98, "lost": 2, "duplicated": 0, "reordered": 0, "offline": 5, "unknown": 0}
    found = findings_of(
        delivery=[{**key_row(scenario="churn"), **row}, {**key_row(consumer="async", scenario="churn"), "expected": 9}]
    )
    first, second = (f for f in found if f.topic.name == "delivery")
    assert first.severity == "warning"
    assert "2 never came" in first.text
    assert second.severity == "unknown"


def test_residue_names_kind_and_example() -> None:
    found = findings_of(
        residue=[{**key_row(), "kind": "asyncio tasks", "before": 1, "after": 4, "left": 3, "example": "Task-7"}]
    )
    (text,) = texts(found, "left behind")
    assert "left behind: 3 asyncio tasks, for example Task-7 (one trial only)." in text


def test_residue_of_some_trials_only_is_told_as_such_with_one_short_example() -> None:
    def row(trial: int, kind: str, left: int, example: str = "") -> dict[str, Any]:
        return {**key_row(trial=trial), "kind": kind, "before": 0, "after": left, "left": left, "example": example}

    named = f"{'c' * 80} (9), other (1)"
    members = [row(trial, "group members", left, named) for trial, left in ((1, 0), (2, 9), (3, 0))]
    memory = [row(trial, "memory in kB", 30_000, "kB (30000)") for trial in (1, 2, 3)]
    (text,) = texts(findings_of(residue=members + memory), "left behind")
    assert text == (
        "redis, sync, echo: left behind: 30,000 kB of memory (median of 3 trials); left behind in some trials: "
        f"up to 9 group members, for example {'c' * 31}… (median 0, 3 trials)."
    )


def test_losses_are_told_by_trial() -> None:
    def row(trial: int, lost: int) -> dict[str, Any]:
        known = {
            "expected": 4030,
            "delivered": 4030 - lost,
            "duplicated": 0,
            "reordered": 0,
            "offline": 0,
            "unknown": 0,
        }
        return {**key_row(scenario="churn", trial=trial), **known, "lost": lost}

    (several,) = texts(findings_of(delivery=[row(1, 0), row(2, 24), row(3, 0)]), "delivery")
    assert several.endswith("Lost: 0.2 % (0.0097–3.9); per trial: median 0, from 0 to 24 (3 trials).")
    (alike,) = texts(findings_of(delivery=[row(1, 5), row(2, 5)]), "delivery")
    assert alike.endswith("Lost: 0.12 % (0.067–0.23); 5 in each of 2 trials.")
    (alone,) = texts(findings_of(delivery=[row(1, 24)]), "delivery")
    assert alone.endswith("Lost: 0.6 % (0.4–0.88); one trial only.")


def test_missed_are_told_by_round_also_where_each_kind_of_drop_has_trials_of_its_own() -> None:
    kinds = ("rst", "fin")
    throughput = [key_row(scenario="churn", drop=drop, trial=trial) for drop in kinds for trial in (1, 2)]
    missed = [drops(9, 1 + trial, drop=drop, trial=trial) for drop in kinds for trial in (1, 2)]
    for trials in (throughput, []):
        found = findings_of(throughput=trials, disconnects=missed)
        assert "18 to 25 % in 2 rounds" in texts(found, "disconnects")[1]
    first = [row for row in missed if row["trial"] == 1]
    text = texts(findings_of(throughput=throughput, disconnects=first), "disconnects")[1]
    assert "one round only, which knows of no others" in text


def test_kinds_of_drop_share_one_sentence_with_the_main_cause_and_its_example() -> None:
    sent, busy = "send to the gone client raised", "handler busy"
    dropped = [
        {**key_row(scenario="churn", drop="rst"), "connection": 5, "verdict": "missed", "cause": busy},
        {**key_row(scenario="churn", drop="rst"), "connection": 6, "verdict": "missed", "cause": sent},
    ]
    found = findings_of(
        throughput=[key_row(scenario="churn", drop="mixed")],
        disconnects=[drops(8, 4, causes={sent: 3, busy: 1}), drops(9, 1, drop="fin", causes={sent: 1})],
        drops=dropped,
    )
    headline, missed = (f for f in found if f.severity == "warning" and f.topic.name == "disconnects")
    assert "The main cause, for 4 of 5: the next message to the dropped client raised" in headline.text
    assert "django/channels#1466" in headline.text
    assert "5 of 22 dropped connections" in missed.text
    assert "no kind of drop stands out among 2" in missed.text
    assert "Cause of 4: the next message to the dropped client raised" in missed.text
    assert "Cause of the other 1: a handler was still running" in missed.text
    assert missed.example == "uvicorn-1-redis-sync-churn-mixed/1:6"


def test_missed_of_every_kind_and_drop_says_so_in_short() -> None:
    found = findings_of(disconnects=[drops(0, 8), drops(0, 9, drop="fin")])
    assert "17 of 17 dropped connections" in texts(found, "disconnects")[1]
    assert ": 100 % (82–100)" in texts(found, "disconnects")[1]
    assert "all, whatever the kind of drop" in texts(found, "disconnects")[1]


def test_disconnect_that_raised_is_told_with_an_example() -> None:
    row = {**key_row(scenario="churn", drop="rst"), "connection": 9, "verdict": "called", "raised": "ValueError"}
    found = findings_of(
        throughput=[key_row(scenario="churn", drop="rst")], disconnects=[drops(10, 0, raised=2)], drops=[row]
    )
    (raised,) = [f for f in found if "was called and raised" in f.text]
    assert "for 2 of 10 dropped connections" in raised.text
    assert raised.example == "uvicorn-1-redis-sync-churn-rst/1:9"


def test_connections_nobody_dropped_are_told_with_what_is_known_of_the_layer() -> None:
    key = key_row(layer="redis-stock", scenario="idle")
    found = findings_of(
        throughput=[{**key, "users": 50, "ended_unexpectedly": 12, "unexpected_example": "idle/1:4"}],
        delivery=[{**key, "deaf": 3, "deaf_example": "idle/1:5"}],
    )
    ended, deaf = texts(found, "unexpected")
    assert "12 connections ended though no client dropped them (50 open at a time, 1 trial): redis-py 8" in ended
    assert "3 connections stayed open and received nothing more" in deaf
    assert [finding.example for finding in found if finding.topic.name == "unexpected"] == ["idle/1:4", "idle/1:5"]


def test_connections_of_an_older_run_without_examples_are_told_without_one() -> None:
    key = key_row(scenario="idle")
    found = findings_of(
        throughput=[{**key, "ended_unexpectedly": 1}], delivery=[{**key, "deaf": 1, "lost": 9, "expected": 9}]
    )  # fmt: skip
    assert [finding.example for finding in found if finding.topic.name in ("unexpected", "delivery")] == [
        "",
        "",
        "",
        "",
    ]


def stalled(consumer: str, stalls: int, stalled_ms: float, *, trial: int = 1, **latencies: float) -> dict[str, Any]:
    key = key_row(consumer=consumer, scenario="blocker", trial=trial)
    return {**key, "received": 100, "duration_s": 3.0, "stalls": stalls, "stalled_ms": stalled_ms, **latencies}


def test_notable_stalls_are_told_with_the_latencies_and_those_of_who_did_not_stall() -> None:
    late: dict[str, Any] = {"latency_ms_p50": 1.3, "latency_ms_p99": 297.0, "latency_ms_max": 305.0}
    found = findings_of(
        throughput=[
            *(stalled("async", stalls, 880, trial=trial, **late) for trial, stalls in ((1, 2), (2, 4))),
            stalled("sync", 0, 0.0, **late | {"latency_ms_p99": 310.0}),
        ]
    )
    (finding,) = [finding for finding in found if "event loop" in finding.text]
    assert finding.text == (
        "redis, async, blocker: the server's event loop stalled 3 times a trial for at least 100 ms, "
        "880 ms in all; median latency 1.30 ms, p99 297 ms and slowest message 305 ms (median of 2 trials); "
        "sync never stalled: median latency 1.30 ms, p99 310 ms and slowest message 305 ms."
    )
    assert finding.severity == "warning"


def test_a_single_short_stall_is_not_told() -> None:
    assert not [f for f in findings_of(throughput=[stalled("async", 1, 120.0)]) if "event loop" in f.text]


def test_kinds_of_drop_with_the_same_codes_share_one_sentence() -> None:
    found = findings_of(disconnects=[drops(3, 0, codes={"1006": 3}), drops(4, 0, drop="fin", codes={"1006": 4})])
    assert texts(found, "codes") == ["After fin and rst, disconnect() got the code 1006 (7 times) on uvicorn."]


def test_interrupted_run_is_told() -> None:
    manifest = Manifest(format=1, name="x", started_utc="", state="interrupted", planned=54, done=3)
    assert "was interrupted: 3 of 54 trials were done" in texts(findings_of(manifest), "run")[0]


def test_warnings_come_before_notes_and_unknown_last() -> None:
    from pydantic import TypeAdapter

    manifest = TypeAdapter(Manifest).validate_python(invented_manifest())
    found = summarise(invented_tables(), manifest).findings
    order = ["warning", "note", "unknown"]
    behind = [f for f in found if "missed" not in f.text or f.severity != "note"]  # those stand behind the headline
    places = [order.index("note" if f.severity == "good" else f.severity) for f in behind]
    assert places == sorted(places)
    assert all(f.text.endswith(".") for f in found)
    assert all(f.cells or f.topic.name == "run" for f in found)


def test_connections_that_could_not_be_opened_are_told_with_the_reasons() -> None:
    row = {**key_row(), "users": 9, "open_failed": 3, "open_failures": {"open timeout": 2, "refused 403": 1}}
    (text,) = texts(findings_of(throughput=[row]), "unexpected")
    assert text == (
        "redis, sync, echo: 3 connections could not be opened: open timeout 2 and refused 403 1 "
        "(9 open at a time, 1 trial)."
    )


def test_pushes_that_failed_are_told_with_what_came_back() -> None:
    row = {**key_row(), "users": 9, "push_failed": 3, "push_failures": {"HTTP 503 Busy": 2, "no answer": 1}}
    (text,) = texts(findings_of(throughput=[row]), "unexpected")
    assert text == "redis, sync, echo: 3 pushes failed: HTTP 503 Busy 2 and no answer 1 (9 open at a time, 1 trial)."


def test_subscriptions_that_dropped_connections_left_are_told() -> None:
    found = findings_of(disconnects=[drops(10, 0, groups_left=0, subscriptions_left=4)])
    (text,) = texts(found, "left behind")
    assert "4 had a channel to which the layer was still subscribed (400)" in text


def test_mixed_drops_of_a_trial_that_is_not_valid_are_in_no_sum_and_no_example() -> None:
    def own(trial: int, drop: str) -> dict[str, Any]:
        return key_row(scenario="churn", trial=trial, drop=drop)

    times: dict[str, Any] = {"detect_ms_p50": 5.0, "detect_ms_max": 9.0}
    long_times: dict[str, Any] = dict.fromkeys(times, 900.0)
    found = findings_of(
        throughput=[{**own(1, "mixed"), "valid": "yes"}, {**own(2, "mixed"), "valid": "no"}],
        disconnects=[drops(10, 0, **times), drops(0, 30, trial=2, **long_times)],
        drops=[
            {**own(1, "rst"), "connection": 5, "verdict": "called", "detect_ms": 9.0},
            {**own(2, "rst"), "connection": 6, "verdict": "called", "detect_ms": 900.0},
        ],
    )
    assert "dropped 10 connections on purpose: every one of them had disconnect() called" in found[0].text
    (detection,) = [finding for finding in found if finding.topic.name == "detection"]
    assert "of 1 drop; the slowest of all that came to it took 9 ms, after rst" in detection.text
    assert detection.example.endswith("-mixed/1:5")


def test_trial_that_is_not_valid_is_said_to_be_left_out_of_every_figure() -> None:
    trouble = TroubledTrial(cell=CellKey.of_row(key_row()), trial=2, why="the generator was busy")
    (text,) = texts(findings_of(dataclasses.replace(MANIFEST, invalid=(trouble,))), "run")
    assert text == "redis, sync, echo: trial 2 is not valid and is left out of every figure: the generator was busy."


def test_scenario_is_named_only_where_several_have_drops() -> None:
    called = drops(10, 0)
    (alone,) = [text for text in texts(findings_of(disconnects=[called]), "disconnects") if "all 10" in text]
    assert alone.startswith("redis, sync: all 10 dropped connections")
    both = findings_of(disconnects=[called, {**called, "scenario": "burst"}])
    named = [text.partition(":")[0] for text in texts(both, "disconnects") if "all 10" in text]
    assert named == ["redis, sync, burst", "redis, sync, churn"]


def test_old_run_is_read_with_what_its_names_used_to_say() -> None:
    plan = {"consumers": ["async", "async-guarded"], "layers": ["redis-stock"], "scenarios": ["echo", "churn"]}
    values = values_of_old_run(plan)
    assert [value.variant_of for value in values["consumer"]] == ["", "async"]
    assert "redis-py 8 gives up a read after 5 s" in values["layer"][0].ends_connections
    assert [value.name for value in values["scenario"]] == ["echo", "churn"]
    assert values_of_old_run({"consumers": "sync"}) == {}
