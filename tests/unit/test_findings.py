"""docs/findings.md says what the kept run says, and the check of that finds what is wrong."""

from decimal import Decimal
from pathlib import Path

import pytest

from loadtest.report.csv_files import read_tables, write_compressed
from loadtest.report.errors import ReportError
from loadtest.report.manifest import read_manifest
from loadtest.report.story import read_story
from loadtest.report.tables import Tables
from tests.unit.footnotes import Document, FootnoteError, is_rounded, problems_of, read_document, read_footnote
from tests.unit.report_folder import key_row

PROJECT = Path(__file__).resolve().parent.parent.parent
FINDINGS = PROJECT / "docs" / "findings.md"
NAMED = "results/standard"
STANDARD = PROJECT / NAMED
MANIFEST = '{"done": 160, "state": "finished", "plan": {"trials": 5, "warm_up": 0.25, "drops": ["fin", "rst"]}}'


def test_findings_when_read_then_every_figure_and_example_is_from_the_kept_run() -> None:
    text = FINDINGS.read_text(encoding="utf-8")
    assert read_document(text).footnotes
    assert problems_of(text, STANDARD, named=NAMED) == []


def test_kept_run_when_looked_at_then_it_is_whole_small_and_shows_what_its_tables_name() -> None:
    manifest, tables = read_manifest(STANDARD), read_tables(STANDARD)
    assert manifest.state == "finished"
    assert manifest.done == manifest.planned == tables.frame("throughput").height
    kept = [path for path in STANDARD.iterdir() if path.name not in ("report.html", "summary.json")]
    assert sum(path.stat().st_size for path in kept) < 2_000_000
    for example in set(tables.frame("disconnects")["example"].drop_nulls()) - {""}:
        assert read_story(STANDARD, example).lines


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A kept run of a few rows, without any example."""
    rows = [("sync", "fin", 1, 40, 12), ("sync", "fin", 2, 42, 20), ("sync", "rst", 1, 918, 0),
            ("async", "fin", 1, 41, 1), ("async", "rst", 1, 1959, 3)]  # fmt: skip
    disconnects = [
        {**key_row(consumer=consumer, scenario="churn", trial=trial, drop=drop), "dropped": dropped, "missed": missed}
        for consumer, drop, trial, dropped, missed in rows
    ]
    speed = [(1, 811.4), (2, 812.6), (3, None)]
    throughput = [{**key_row(trial=trial), "latency_ms_p99": p99, "valid": "yes"} for trial, p99 in speed]
    write_compressed(Tables.from_rows({"disconnects": disconnects, "throughput": throughput}), tmp_path)
    (tmp_path / "manifest.json").write_text(MANIFEST)
    return tmp_path


@pytest.mark.parametrize(
    ("sentence", "footnote"),
    [
        ("Sync missed 32.", "disconnects.csv, consumer sync: sum missed 32"),
        ("Of 3,000 drops 36 were missed.", "disconnects.csv: sum dropped 3,000, sum missed 36"),
        ("Of 3000 drops, many.", "disconnects.csv: sum dropped 3000"),
        ("It missed 26.8 %.", "disconnects.csv, consumer sync|async, not drop rst: sum missed of sum dropped = 26.8 %"),
        ("It missed **26.8%**, 33 of 123.", "disconnects.csv, drop fin: sum missed 33 of sum dropped 123 = 26.8 %"),
        ("At most 20, at least 0.", "disconnects.csv, consumer sync: max missed 20, min missed 0"),
        ("The latency was 812 ms (812.0).", "throughput.csv, layer redis, valid yes: median latency_ms_p99 812"),
        ("2 trials.", "disconnects.csv, drop fin, consumer sync: count 2"),
        ("None of it: 0.", "disconnects.csv, drop rst, trial 2: count 0"),
        ("1 and 32.", "disconnects.csv, consumer async, drop fin: sum missed 1; disconnects.csv, consumer sync: "
                      "sum missed 32"),
        ("It missed 3.2 % (0.014 to 89 %).", "disconnects.csv, consumer sync: "
                                            "share missed of dropped = 3.2 % (0.014 to 89 %)"),
        ("812.0 ms (804.4 to 819.7).", "throughput.csv, trial 1|2: typical latency_ms_p99 812.0 (804.4 to 819.7)"),
        ("160 trials, 5 each, 2 kinds, after 0.25 s.", "manifest.json: done 160, plan.trials 5, count plan.drops 2, "
                                                       "plan.warm_up 0.25"),
    ],
)  # fmt: skip
def test_figure_when_it_is_right_then_nothing_is_said(run: Path, sentence: str, footnote: str) -> None:
    assert problems_of(f"{sentence}[^it]\n\n[^it]: {footnote}\n", run, named=NAMED) == []


@pytest.mark.parametrize(
    ("footnote", "problem"),
    [
        ("disconnects.csv, consumer sync: sum missed 33", "it says 33, disconnects.csv says 32"),
        ("throughput.csv: median latency_ms_p99 33", "it says 33, throughput.csv says 812"),
        ("disconnects.csv: sum missed of sum dropped = 33 %", "it says 33, disconnects.csv says 1.2"),
        ("disconnects.csv: sum missed of sum dropped 33 = 33 %", "it says 33, disconnects.csv says 3,000"),
        ("manifest.json: done 33", "it says 33, manifest.json says 160"),
        ("disconnects.csv, consumer snyc: sum missed 33", "no row of disconnects.csv has the consumer snyc"),
        ("disconnects.csv, consumer sync|asinc: sum missed 33", "has the consumer asinc"),
        ("disconnects.csv, not drop fni: sum missed 33", "has the drop fni"),
        ("disconnects.csv, colour red: sum missed 33", "has no column colour"),
        ("disconnects.csv, drop rst, trial 2: sum missed 33", "no row meets all filters"),
        ("disconnects.csv: sum codes 33", "no column of numbers codes"),
        ("disconnects.csv: sum unknown 33", "unknown is not known in 5 of 5 rows"),
        ("throughput.csv: sum latency_ms_p99 33", "latency_ms_p99 is not known in 1 of 3 rows"),
        ("disconnects.csv: max unknown 33", "unknown is not known in 5 of 5 rows"),
        ("disconnects.csv: sum missed of sum raised 33 = 33 %", "raised is not known"),
        ("disconnects.csv, drop rst, consumer sync: sum missed of sum missed = 33 %", "there is no share"),
        ("manifest.json: plan.users 33", "has no plan.users"),
        ("manifest.json: plan.drops 33", "plan.drops in manifest.json is"),
        ("manifest.json: count done 33", "done in manifest.json is 160"),
        ("gone/disconnects.csv: sum missed 33", "no kept run gone"),
        ("nothing.csv: sum missed 33", "does not begin with a table's file"),
        ("33 were missed", "does not begin with a table's file"),
        ("disconnects.csv, consumer: sum missed 33", "the filter 'consumer' is not"),
        ("disconnects.csv: share missed of raised = 33 % (33 to 33 %)", "raised is not known"),
        ("disconnects.csv: share missed of colour = 33 % (33 to 33 %)", "no column colour"),
        ("disconnects.csv: share missed of dropped = 33 % (33 to 33 %)", "it says 33, disconnects.csv says 1.2"),
        ("throughput.csv: typical latency_ms_p99 33 (33 to 33)", "latency_ms_p99 is not known"),
        ("disconnects.csv: typical dropped 33 (33 to 33)", "of several cells"),
        ("disconnects.csv: mean missed 33", "'mean missed 33' is not"),
        ("disconnects.csv: sum missed", "'sum missed' is not"),
        ("disconnects.csv: sum missed 33 of sum dropped", "'sum missed 33 of sum dropped' is not"),
        ("manifest.json: done", "'done' is not `key 12`"),
    ],
)
def test_footnote_when_it_is_wrong_then_it_is_named_with_the_reason(run: Path, footnote: str, problem: str) -> None:
    problems = problems_of(f"There were 33.[^it]\n\n[^it]: {footnote}\n", run, named=NAMED)
    assert any(found.startswith("[^it]: ") and problem in found for found in problems), problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Sync missed 32.", "no footnote says where the figures are from"),
        ("Sync missed 32.[^it] It was 7.", "in 'It was 7.': no footnote"),
        ("# 32 missed\n\nSync missed 32.[^it]", "in '32 missed': no footnote"),
        ("- one\n- 32 missed\n\nSync missed 32.[^it]", "in '32 missed': no footnote"),
        ("| sync | 32[^it] |\n| async | 7 |", "in '| async | 7 |': no footnote"),
        ("Sync missed many.[^it]", "32 of [^it] is not said"),
        ("Sync missed 32 of 40.[^it]", "40 is in none of its footnotes"),
        ("Sync missed 10-32.[^it]", "10 is in none of its footnotes"),
        ("Sync missed 32.[^it] All of it.[^that]", "there is no [^that]"),
        ("Sync missed all.", "no sentence refers to [^it]"),
        ("Sync missed 32.[^it]\n\n[^it]: disconnects.csv: count 5", "[^it] is there twice"),
        ("An ` unpaired one.\n\nIt was 7. And `this`.\n\nSync missed 32.[^it]", "in 'It was 7.': no footnote"),
        ("Sync missed 32.[^it] See `channels-loadtest show results/standard\na/1:5`.", "keeps no ledgers"),
        ("Sync missed 32.[^it]\n```\nchannels-loadtest show results/standard/ a/1:5\n```", "keeps no ledgers"),
    ],
)  # fmt: skip
def test_sentence_when_its_figures_are_not_sourced_then_it_is_named(run: Path, text: str, problem: str) -> None:
    problems = problems_of(f"{text}\n\n[^it]: disconnects.csv, consumer sync: sum missed 32\n", run, named=NAMED)
    assert any(problem in found for found in problems), problems


@pytest.mark.parametrize(
    "aside",
    [
        "The code `1006` of `p 1` came.",
        "The p99 and UTF-8 are words.",
        "See [#1466](https://example.com/1466).",
        "```\n7 lines\n```",
        "<!-- 7 of them -->",
        "1. First.",
        "Run `channels-loadtest show results/latest a/1:5`.",
    ],
)
def test_sentence_when_its_digits_are_no_figures_then_it_needs_no_footnote(run: Path, aside: str) -> None:
    text = f"{aside}\n\nIn all\n32 were missed. [^it]\n\n[^it]: disconnects.csv, consumer sync:\n    sum missed 32\n"
    assert problems_of(text.replace(". [^it]", ".[^it]"), run, named=NAMED) == []


def test_document_when_sentences_have_figures_then_each_has_those_of_its_own() -> None:
    document = read_document('He said "4,100 came (42.7 %)."[^a][^b] Then\n−3 to 5 _went_[^c]! And v4 too.')
    assert [sorted(sentence.figures) for sentence in document.sentences] == [[Decimal("42.7"), 4100], [3, 5], []]
    assert [sentence.references for sentence in document.sentences] == [("a", "b"), ("c",), ()]


def test_document_when_it_has_commands_then_those_that_show_a_connection_are_found() -> None:
    text = "`channels-loadtest show RUN CONNECTION` and:\n\n    channels-loadtest show results/standard 'a b/1:5'\n"
    assert read_document(text).shown == (("RUN", "CONNECTION"), ("results/standard", "a b/1:5"))
    assert read_document("") == Document(sentences=(), footnotes={}, twice=(), shown=())


@pytest.mark.parametrize(
    ("figure", "value", "is_right"),
    [
        ("812", 811.5, True),
        ("812", 811.49, False),
        ("812.0", 812.04, True),
        ("812.0", 812.06, False),
        ("4,000", 4000, True),
        ("4,000", 4012, False),
        ("0", 0.2, True),
        ("2", 2.5, True),
        ("3", 2.5, True),
    ],
)
def test_figure_when_rounded_then_it_is_right_to_the_digits_written(figure: str, value: float, is_right: bool) -> None:
    assert is_rounded(figure, value) is is_right


def test_footnote_when_it_cannot_be_read_then_it_raises() -> None:
    with pytest.raises(FootnoteError, match="not in the least"):
        read_footnote("disconnects.csv: not in the least")


def test_run_when_there_is_none_then_the_check_fails(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no complete results folder"):
        problems_of("No figures at all.", tmp_path / "gone", named=NAMED)
