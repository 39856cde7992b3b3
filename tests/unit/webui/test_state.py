"""The state is a file of JSON that a browser can read, and is read back as it was written."""

from __future__ import annotations

import json
from math import inf, nan
from pathlib import Path

from loadtest.webui.state import ComparisonState, MissedDrop, State, read_state, write_state


def test_state_when_written_then_it_is_read_back_as_it_was(tmp_path: Path) -> None:
    state = State(
        stage="audited",
        folder="/x/results/1-ui",
        drops=("rst", "fin"),
        tabs={"drops": ({"kind": "rst", "missed": "1"},)},
        missed=(MissedDrop(connection=1 << 24, kind="rst", t_s=1.25, cause=None, ended_by="ClientDisconnected"),),
        missed_count=1,
        chart=({"t_s": 0.25, "dropped": 3},),
        findings=("all is well",),
        comparison=ComparisonState(is_running=True, command="channels-loadtest bench", says=("1 of 2",)),
    )
    write_state(state, tmp_path / "state.json")
    assert read_state(tmp_path / "state.json") == state
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"], "nothing half written is left"


def test_state_when_a_message_never_came_then_the_browser_gets_no_number_that_json_does_not_have(
    tmp_path: Path,
) -> None:
    write_state(State(chart=({"latency_ms_max": inf, "latency_ms_p50": nan},)), tmp_path / "state.json")
    (row,) = json.loads((tmp_path / "state.json").read_text(), parse_constant=_refuse)["chart"]
    assert row == {"latency_ms_max": None, "latency_ms_p50": None}


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")
