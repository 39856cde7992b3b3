"""The exit code of a bench: what weighs most is what it says."""

from types import SimpleNamespace
from typing import cast

import pytest

from loadtest.bench.run_folder import RunFolder
from loadtest.cli.bench import exit_code
from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, FAILED, INTERRUPTED, NOT_VALID


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
