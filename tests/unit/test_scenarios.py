"""Scenarios: every locustfile is one, and says what load it takes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from loadtest.bench.scenarios import SCENARIOS, read_scenario
from loadtest.shipped import LOCUSTFILES

FILES = sorted(path for path in LOCUSTFILES.glob("*.py") if path.stem != "__init__")
LOAD = '{"users": 4, "rate": 1, "room_size": 2, "drops": True}'
MANY_LINES = 40
"""A scenario is to be read in a minute."""


def test_scenarios_when_listed_then_there_is_one_for_every_locustfile() -> None:
    assert {scenario.locustfile for scenario in SCENARIOS.values()} == set(FILES)
    assert set(SCENARIOS) >= {"echo", "broadcast", "churn"}
    assert all(name == scenario.name for name, scenario in SCENARIOS.items())


def test_default_scenarios_when_listed_then_they_are_the_three_that_compare_consumers() -> None:
    assert {scenario.name for scenario in SCENARIOS.values() if scenario.default} == {"echo", "broadcast", "churn"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_when_read_then_its_load_makes_sense(name: str) -> None:
    scenario = SCENARIOS[name]
    assert 1 <= scenario.room_size <= scenario.users <= 1000
    assert 0 <= scenario.rate <= 100
    assert scenario.users % scenario.room_size == 0, "every room is full"
    assert scenario.summary and not scenario.summary.endswith(".")
    assert scenario.drops == (name in ("churn", "bursts"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_locustfile_when_opened_then_it_is_short_and_each_of_its_users_says_what_it_is(path: Path) -> None:
    source = path.read_text()
    users = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert users and all(ast.get_docstring(user) for user in users)
    assert "@task" in source
    assert len(source.splitlines()) <= MANY_LINES


@pytest.mark.parametrize(
    ("load", "problem"),
    [
        ('{"users": 0, "rate": 1, "room_size": 1, "drops": False}', "users: Input should be greater"),
        ('{"users": 1, "rate": -1, "room_size": 1, "drops": False}', "rate: Input should be greater"),
        ('{"users": 1, "rate": 1, "drops": False}', "room_size is missing"),
        ('{"users": 1, "rate": 1, "room_size": 1, "drops": False, "typo": 1}', "typo: unknown key; there are users, "),
        ('{"users": MANY}', "SCENARIO has to be written out"),
        ("20", "SCENARIO has to be written out"),
    ],
)
def test_scenario_when_its_load_makes_no_sense_then_it_is_refused(tmp_path: Path, load: str, problem: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(f'"""Bad: it is."""\nSCENARIO = {load}\n')
    with pytest.raises(ValueError, match=rf"bad\.py: .*{problem}"):
        read_scenario(path)


def test_scenario_when_the_file_has_no_load_then_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nothing.py"
    path.write_text('"""Nothing: it is."""\n')
    with pytest.raises(ValueError, match=r"nothing\.py.*SCENARIO"):
        read_scenario(path)


def test_scenario_when_the_file_is_no_python_then_the_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("x = 1\nclass:\n")
    with pytest.raises(ValueError, match=r"broken\.py cannot be imported: SyntaxError: .* \(broken\.py, line 2\)"):
        read_scenario(path)


@pytest.mark.parametrize(
    ("docstring", "summary"),
    [('"""Mine: what I do."""', "what I do"), ('"""What I do."""', "What I do"), ("", "mine.py")],
)
def test_scenario_when_it_is_somebodys_own_then_its_summary_is_what_there_is(
    tmp_path: Path, docstring: str, summary: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"{docstring}\nfrom typing import Final\nSCENARIO: Final = {LOAD}\n")
    assert read_scenario(path).summary == summary
