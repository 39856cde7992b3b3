"""The exit code of a bench: what weighs most is what it says."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from loadtest.bench.run_folder import RunFolder
from loadtest.cli.bench import _with_what_to_do, exit_code
from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, FAILED, INTERRUPTED, NOT_VALID
from loadtest.report.errors import ReportError


@pytest.mark.parametrize(
    ("failed", "not_valid", "interrupted", "broken", "code"),
    [
        (False, False, False, False, 0),
        (False, False, False, True, FAILED),
        (False, True, False, True, NOT_VALID),
        (True, True, False, True, ENVIRONMENT_FAILED),
        (True, True, True, True, INTERRUPTED),
    ],
)
def test_exit_code_when_several_things_are_wrong_then_a_broken_threshold_comes_last(
    failed: bool, not_valid: bool, interrupted: bool, broken: bool, code: int
) -> None:
    run = cast(RunFolder, SimpleNamespace(failed=failed, has_cell_without_valid_trial=not_valid))
    assert exit_code(run, interrupted=interrupted, broken=broken) == code


def test_bench_when_its_folder_was_removed_meanwhile_then_nobody_is_told_to_go_on_with_it(tmp_path: Path) -> None:
    run: Any = SimpleNamespace(folder=tmp_path)
    error = ReportError("could not write throughput.csv")
    gone = _with_what_to_do(error, run)
    assert gone.startswith(f"{tmp_path} was removed while the bench ran")
    assert "--resume" not in gone
    (tmp_path / "manifest.json").write_text("{}")
    assert _with_what_to_do(error, run).startswith(f"{error}; to go on, when that is mended: channels-loadtest bench")
