"""The page: whole, small, offline, with everything escaped."""

import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from loadtest.dimensions import CellKey, Value
from loadtest.figures.cell import make_cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.values import Values
from loadtest.report import Tables, read_tables, write_csv, write_report
from loadtest.report.cells import examples_of
from loadtest.report.charts import (
    COLOURS,
    cause_chart,
    detection_charts,
    latency_charts,
    overview_charts,
    palette_of,
    throughput_charts,
    timeline_charts,
)
from loadtest.report.charts.detection import thinned
from loadtest.report.manifest import read_manifest
from loadtest.report.page import script_json
from loadtest.report.summary import summarise
from tests.unit.report_folder import disconnect_row, drop_rows, invented_tables, key_row, write_folder, write_html

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = write_folder(tmp_path_factory.mktemp("run"))
    write_html(folder)
    return (folder / "report.html").read_text(encoding="utf-8")


class Outline(HTMLParser):
    """What the tests ask of the page's structure."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.loads += [value or "" for name, value in attrs if name in ("src", "srcset", "data")]
        if tag == "link":
            self.loads.append("link")


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    return found


def test_page_is_below_two_megabytes(page: str) -> None:
    assert len(page.encode()) < 2_000_000


def test_page_loads_nothing(page: str) -> None:
    assert outline(page).loads == []
    assert "default-src 'none'" in page


def test_page_has_headings_in_order_and_a_caption_for_each_table(page: str) -> None:
    found = outline(page)
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(found.headings, found.headings[1:], strict=False))
    assert found.tags.count("caption") == found.tags.count("table") == 4 + 3


def test_page_has_a_chart_for_the_causes_and_each_scenario_layer_and_timeline(page: str) -> None:
    specs = re.findall(r'<script type="application/json" class="spec">(.*?)</script>', page, re.DOTALL)
    assert len(specs) == 2 + 3 + 3 + 3 + 3 + 1
    for spec in specs:
        assert "vega-lite" in json.loads(spec)["$schema"]


def test_page_answers_first_then_tells_what_was_left_and_has_its_tables_last(page: str) -> None:
    ids = re.findall(r'<section id="([a-z]+)"', page)
    assert ids[:3] == ["answers", "left", "resilience"]
    assert ids[-3:] == ["tables", "method", "run"]


def test_page_answers_lead_to_sections_that_are_there(page: str) -> None:
    answers = page[page.index('id="answers"') : page.index('id="left"')]
    anchors = re.findall(r'<dd>.*?<a href="#([a-z]+)">', answers, re.DOTALL)
    assert len(anchors) >= 5
    assert all(f'id="{anchor}"' in page for anchor in anchors)


def test_page_charts_have_a_title_with_a_unit_or_a_count_and_the_columns_of_their_data(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    tables = read_tables(folder)
    summary = summarise(tables, read_manifest(folder))
    made = (overview_charts, throughput_charts, latency_charts, detection_charts)
    charts = [*(chart for make in made for chart in make(summary)), *timeline_charts(tables, summary)]
    charts += filter(None, [cause_chart(summary)])
    assert len({chart.name for chart in charts}) == len(charts) > 10
    for chart in charts:
        assert len(chart.title.split()) >= 2
        rows = max(chart.spec["datasets"].values(), key=len)
        assert chart.columns.keys() <= rows[0].keys(), chart.name
        assert len(set(chart.columns.values())) == len(chart.columns)


def test_page_tells_failed_invalid_unknown_versions_and_plan(page: str) -> None:
    for text in (
        "did not answer within 20 s",
        "97 % of a core",
        "ledger was cut short",
        "Imaginary 9000",
        "4.3.2",
        "seed",
    ):
        assert text in page


def test_hostile_names_are_escaped_everywhere(tmp_path: Path) -> None:
    write_folder(tmp_path)
    rows = [
        {**key_row(layer=EVIL, consumer=EVIL, scenario=EVIL, trial=n), "messages_per_s": 5.0, "received": 9,
         "latency_ms_p50": 1.0, "latency_ms_p99": 2.0, "valid": "yes"}
        for n in (1, 2)
    ]  # fmt: skip
    evil = key_row(layer=EVIL, consumer=EVIL, scenario=EVIL, drop=EVIL)
    timeline = [{**evil, "t_s": 0.0, "dropped": 1}]
    dropped = [{**evil, "connection": 1, "verdict": "missed", "cause": EVIL}]
    counts = {"dropped": 1, "disconnect_called": 0, "missed": 1, "unknown": 0}
    disconnects = [{**evil, **counts, "causes": {EVIL: 1}, "example": EVIL}]
    unknown = [{**key_row(layer=EVIL), "column": EVIL, "why": EVIL}]
    write_csv(
        Tables.from_rows(
            {"throughput": rows, "timeline": timeline, "unknown": unknown, "drops": dropped, "disconnects": disconnects}
        ),
        tmp_path,
    )
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest |= {
        "name": EVIL,
        "notes": [EVIL],
        "command": EVIL,
        "versions": {EVIL: EVIL},
        "identity": {EVIL: EVIL},
        "plan": {EVIL: [EVIL]},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    write_report(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_script_json_cannot_end_its_element_and_what_cannot_be_seen_is_an_escape_in_it() -> None:
    text = script_json({"a": ["</script><!--&"], "\u202eb": {"c": "\u2028\x1b\n"}, "d": 1.5})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"a": ["</script><!--&"], "\\u202eb": {"c": "\\u2028\\x1b\n"}, "d": 1.5}


def colours(*consumers: str) -> dict[str, str]:
    """The colours in a run of these consumers, as its manifest describes those that the reference app has."""
    known = [Value(name=kind, kind=kind) for kind in ("sync", "async")]
    known += [Value(name=f"{kind}-guarded", kind=kind, variant_of=kind) for kind in ("sync", "async")]
    cells = tuple(make_cell(CellKey(consumer=name), []) for name in consumers)
    values = Values({"consumer": known})
    return dict(palette_of(Evidence(cells=cells, examples=examples_of(Tables.empty()), values=values)))


def test_consumers_have_the_same_colour_in_every_report() -> None:
    assert colours("async")["async"] == colours("mine", "async", "sync")["async"] == COLOURS["async", False]
    assert len(set(colours("sync", "async", "mine", "other").values())) == 4
    assert list(colours("mine", "async-guarded", "async", "sync")) == ["sync", "async", "async-guarded", "mine"]


def test_consumers_of_a_kind_of_which_there_are_two_differ_in_colour() -> None:
    cells = tuple(make_cell(CellKey(consumer=name), []) for name in ("chat", "feed"))
    values = Values({"consumer": [Value(name="chat", kind="async"), Value(name="feed", kind="async")]})
    found = palette_of(Evidence(cells=cells, examples=examples_of(Tables.empty()), values=values))
    assert found["chat"] == COLOURS["async", False] != found["feed"]


def test_long_trials_are_thinned_but_keep_every_drop(tmp_path: Path) -> None:
    write_folder(tmp_path)
    key = key_row(scenario="churn", drop="rst")
    rows = [{**key, "t_s": n / 4, "received": 1, "dropped": int(n == 1001)} for n in range(4000)]
    tables = Tables.from_rows({"timeline": rows})
    (chart,) = timeline_charts(tables, summarise(tables, read_manifest(tmp_path)))
    text = json.dumps(chart.spec)
    assert text.count('"received":') < 400
    assert '"dropped": 1' in text


def test_page_of_a_part_of_the_cells_has_only_their_charts(tmp_path: Path) -> None:
    write_folder(tmp_path, scenarios=("echo",), layers=("inmemory",), consumers=("sync",), trials=1)
    write_html(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert 'id="throughput"' in page
    assert 'id="detection"' not in page
    assert 'id="timeline"' not in page


def test_invented_tables_have_what_the_tests_need() -> None:
    tables = invented_tables()
    assert tables.frame("throughput")["valid"].to_list().count("no") == 1
    assert tables.frame("disconnects")["groups_left"].null_count() == 1
    assert tables.frame("disconnects")["unknown"].sum() > 0


def test_page_names_the_command_that_shows_an_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "results" / "my run")
    monkeypatch.chdir(tmp_path)
    write_html(Path("results/my run"))
    page = (folder / "report.html").read_text()
    assert "channels-loadtest show &#39;results/my run&#39; uvicorn-1-redis-sync-churn-mixed/" in page


def test_page_with_thousands_of_drops_stays_small(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    key = key_row(scenario="churn", drop="rst")
    rows = drop_rows(key, random.Random(1), first=1, count=30_000)
    write_csv(Tables.from_rows({"throughput": [key], "drops": rows, "disconnects": [disconnect_row(rows)]}), folder)
    write_html(folder)
    assert len((folder / "report.html").read_bytes()) < 1_100_000


def test_thinned_times_keep_the_ends_and_the_slowest() -> None:
    times = [float(n) for n in range(10_000)]
    kept = thinned(times, 150)
    assert len(kept) == 150
    assert kept == sorted(kept)
    assert kept[0] == 0
    assert kept[-5:] == times[-5:]
    assert thinned(times[:30], 150) == times[:30]


@pytest.mark.parametrize("key", ["versions", "identity"])
def test_page_names_every_version_in_the_manifest(tmp_path: Path, key: str) -> None:
    folder = write_folder(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    versions = {"server uvicorn": "0.54.0", "layer redis": "channels_redis 4.3", "broker": "valkey 9.0"}
    (folder / "manifest.json").write_text(json.dumps(manifest | {key: versions}))
    write_html(folder)
    page = (folder / "report.html").read_text()
    assert all(f"<dt>{name}</dt><dd>{version}</dd>" in page for name, version in versions.items())
