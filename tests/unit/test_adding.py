"""A dimension is added by one row, a check by one file and one line: toys of both, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def run(toy: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run([sys.executable, str(HERE / toy)], capture_output=True, text=True, env=environment)
    assert not done.returncode, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_dimension_when_a_row_is_added_then_tables_folders_prints_names_and_docs_have_it() -> None:
    found = run("toy_dimension.py")
    key = ["server", "workers", "layer", "consumer", "scenario", "drop", "load", "weather", "trial"]
    assert all(columns[:9] == key for columns in found["columns"])
    assert found["folders"] == ["uvicorn-1-redis-sync-churn-rst-wet", "uvicorn-1-redis-sync-churn-rst"]
    assert len(found["printed"]) == 3 and all("weather" in headings for headings in found["printed"])
    assert not any("weather" in headings for headings in found["printed_alone"])
    assert found["names"] == ["redis, sync, churn, rst, dry", "redis, sync, churn, rst, wet"]
    assert found["name_alone"] == "redis, sync, churn, rst"
    assert found["summary"] == ["dry", "wet"]
    assert found["described"] is True
    assert found["old"] == ["dry", "dry"]


def test_check_when_a_file_and_a_line_are_added_then_it_has_a_table_a_printed_column_a_finding_and_docs() -> None:
    assert run("toy_check.py") == {
        "line": "uvicorn,1,inmemory,async,echo,none,fixed,1,1",
        "again": [1],
        "older": 0,
        "printed": [["inmemory", "async", "echo", "1"]],
        "found": ["inmemory, async, echo: 1 messages were whispered."],
        "page": True,
        "described": True,
    }
