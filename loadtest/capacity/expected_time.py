"""Expected time: how long a capacity run will take, where every step goes well."""

from typing import Final

from loadtest.bench.expected_time import trial_s
from loadtest.bench.plan import Trial
from loadtest.capacity.plan import CapacityPlan

LIKELY_STEPS: Final = 13
"""Of one search: 11 to 15 in simulations, at a resolution of 5 %."""


def expected_s(plan: CapacityPlan) -> float:
    """Return the seconds that all searches of a plan will take."""
    steps = (trial_s(plan, Trial(cell=cell, number=1, seed=0)) for cell in plan.cells())
    return plan.searches * LIKELY_STEPS * sum(steps)
