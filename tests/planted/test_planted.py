"""Planted defects: the audit finds each with the right count and cause, and nothing on the controls, on every layer.

Each consumer runs on one layer in turn, and so every layer meets every kind of finding; with LOADTEST_SOAK=1 each runs
on all of them.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from loadtest.layers import LAYERS
from loadtest.selftest import Case, Outcome, choose_cases
from loadtest.selftest.running import AT_A_TIME, run_case
from loadtest.targets.reference import ReferenceApp

pytestmark = pytest.mark.live

DEFAULT_LAYERS = [layer.name for layer in LAYERS.values() if layer.default]
CASES = choose_cases(layers=DEFAULT_LAYERS if os.environ.get("LOADTEST_SOAK") else None)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Case, "Future[Outcome]"]]:
    """Run the cases that were asked for, several at a time: one alone would mostly wait."""
    here = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    asked = [case for item in here if isinstance(case := item.callspec.params["case"], Case)]
    folder = tmp_path_factory.mktemp("planted")
    target = ReferenceApp().prepare(folder)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {case: pool.submit(run_case, case, folder, target, {}) for case in asked}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.consumer}-{case.layer}")
def test_audit_when_a_defect_is_planted_then_it_is_found_and_nothing_else(
    outcomes: dict[Case, "Future[Outcome]"], case: Case
) -> None:
    outcome = outcomes[case].result()
    assert outcome.is_good, f"{outcome.verdict}: {'; '.join(outcome.says)}"
