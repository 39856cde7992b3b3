"""The docs say what is: every kind, column, option and figure in them is checked against the code and a kept run."""

import io
import re
from pathlib import Path

import pytest
from plans import make_plan
from rich.console import Console

from loadtest.layers import LAYERS
from loadtest.report.columns import FORMAT_VERSION, describe
from loadtest.report.manifest import read_manifest
from loadtest.report.summary import summarise
from loadtest.report.tables import read_tables
from loadtest.report.terminal import print_report

PROJECT = Path(__file__).resolve().parent.parent.parent
REFERENCE = PROJECT / "results" / "reference"
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (PROJECT / "docs").glob("*.md")}
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_format_when_read_then_has_every_column_as_the_code_describes_it() -> None:
    assert describe().strip() in DOCS["format.md"]
    assert f"Format version {FORMAT_VERSION}." in DOCS["format.md"]


def test_readme_when_its_table_is_read_then_it_is_that_of_the_kept_run() -> None:
    block = re.search(r"<!-- from results/reference.*?-->\n```\n(.*?)```", README, re.DOTALL)
    assert block and block[1].strip()
    printed = io.StringIO()
    summary = summarise(read_tables(REFERENCE), read_manifest(REFERENCE))
    print_report(summary, Console(file=printed, width=110), REFERENCE)
    lines = {line.rstrip() for line in printed.getvalue().splitlines()}
    assert {line.rstrip() for line in block[1].splitlines()} <= lines


def test_readme_when_the_generators_figures_are_read_then_they_are_those_of_a_kept_run() -> None:
    block = re.search(r"<!-- from results/perf.*?-->\n```\n(.*?)```", README, re.DOTALL)
    assert block and block[1].strip()
    kept = [path.read_text(encoding="utf-8").splitlines() for path in (PROJECT / "results" / "perf").glob("*.txt")]
    assert any(set(block[1].splitlines()) <= set(lines) for lines in kept)


def test_method_when_it_says_how_much_memory_is_left_then_the_kept_run_has_it() -> None:
    said = re.search(r"left ([\d.]+) to ([\d.]+) MB, churn\s+([\d.]+) to ([\d.]+) MB", DOCS["method.md"])
    assert said
    left = read_tables(REFERENCE).residue.filter(kind="memory, kB")
    of_scenarios = [left.filter(left["scenario"].is_in(names))["left"] for names in (["echo", "broadcast"], ["churn"])]
    measured = [figure for kb in of_scenarios for figure in (kb.min(), kb.max())]
    assert [f"{kb / 1000:.1f}" for kb in measured] == list(said.groups())


def test_reference_run_when_looked_at_then_it_is_a_whole_default_run() -> None:
    manifest = read_manifest(REFERENCE)
    default = make_plan({})
    assert manifest.state == "finished"
    assert manifest.done == manifest.planned == len(default.trials_in_order())
    assert not manifest.failed


def test_links_when_followed_then_they_lead_to_files() -> None:
    for name, text in {"README.md": README, **{f"docs/{name}": text for name, text in DOCS.items()}}.items():
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
            assert ((PROJECT / name).parent / target).exists(), f"{name}: {target}"


@pytest.mark.parametrize("layer", list(LAYERS))
def test_readme_when_read_then_names_every_layer(layer: str) -> None:
    assert f"`{layer}`" in README
