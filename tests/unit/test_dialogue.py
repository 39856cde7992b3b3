"""A process that is asked line by line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from loadtest.stack.dialogue import Dialogue
from loadtest.stack.errors import EnvironmentFailed

LONG_S = 20.0
REPEATS = "import sys; print('ready', flush=True); [print(line.strip()[::-1], flush=True) for line in sys.stdin]"


def dialogue(program: str, folder: Path) -> Dialogue:
    log = folder / "log"
    return Dialogue([sys.executable, "-c", program], name="the parrot", log=log, env=os.environ, cwd=folder)


def test_dialogue_when_it_is_asked_then_each_line_has_its_answer_and_it_is_ended(tmp_path: Path) -> None:
    with dialogue(REPEATS, tmp_path) as parrot:
        assert parrot.hear(within_s=LONG_S) == "ready"
        assert [parrot.ask(line, within_s=LONG_S) for line in ("abc", "ä" * 70_000)] == ["cba", "ä" * 70_000]
        assert parrot.alive
    assert not parrot.alive


def test_dialogue_when_it_ended_then_its_last_lines_are_told(tmp_path: Path) -> None:
    with dialogue("raise SystemExit('no seed')", tmp_path) as parrot:
        for _ in range(2):
            with pytest.raises(EnvironmentFailed, match=r"the parrot ended by itself; its last lines:\n  no seed"):
                parrot.ask("abc", within_s=LONG_S)


def test_dialogue_when_no_answer_comes_then_it_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with dialogue("input()", tmp_path) as parrot, pytest.raises(EnvironmentFailed, match="did not answer within 0 s"):
        parrot.hear(within_s=0.0)
