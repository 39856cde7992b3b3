"""A server that says hostile things, under plain Locust: terminal, summary and CSV files are unharmed."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from loadtest.load.reasons import MOST_REASONS, OTHERS
from loadtest.printable import printable
from tests.live.hostile_server import serving
from tests.live.test_locustfiles import USERS, Locust

pytestmark = pytest.mark.live


def test_reasons_when_they_are_hostile_and_ever_new_then_they_are_data_and_their_number_is_bounded(
    tmp_path: Path,
) -> None:
    with serving(members=USERS) as server:
        locust = Locust("echo", f"ws://127.0.0.1:{server.port}/", tmp_path / "run", "--rate=0")
        code, out = locust.ended()
    assert code == 1
    assert "Traceback" not in out
    assert printable(out, keeping="\n") == out
    assert ":smile:[link=http://x]" in out
    failures = locust.failures()
    rows = Counter(failure.partition(":")[0] for failure in failures)
    assert rows["connection"] == MOST_REASONS + 1
    assert failures[f"connection: ended by the server: {OTHERS}"] > 1
    assert 0 < rows["open"] <= MOST_REASONS + 1
    for path in locust.folder.glob("*.csv"):
        require_harmless(path)


def require_harmless(path: Path) -> None:
    with path.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if printable(cell) != cell] == []
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
