"""Calibration: finds the rate that each cell carries at most, by a few short trials before those that count.

The cost of a message is nearly constant until the server is busy all the time. So a cell's capacity follows from one
trial below it: rate / utilisation. The second trial is run nearer to the capacity, by the first one's estimate, and has
to agree with it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from loadtest.bench.measuring import Measured, Step
from loadtest.bench.plan import Plan
from loadtest.bench.relative_load import LoadOf, share_of_load
from loadtest.bench.scenarios import SCENARIOS
from loadtest.bench.utilisation import utilisation_of
from loadtest.dimensions import CONSUMER, DROP, FIXED_LOAD, LAYER, LOAD, NO_DROP, SCENARIO, CellKey
from loadtest.outages import OUTAGES
from loadtest.report.manifest import CalibrationStep, Capacity

STEP_S: Final = 2.0
"""CPU time is counted in ticks of 10 ms: half a percent of it."""
STEP_WARM_UP_S: Final = 0.5
MOST_STEPS: Final = 6
LIKELY_STEPS: Final = 2.3
"""What it takes on average where the machine is quiet."""
AGREEMENT: Final = 0.15
"""Two estimates that differ by no more are taken. Between rates of 1 and 6 messages a second from each of 80 members
they were 5.3, 5.9, 6.0, 5.3 and 5.9 messages a second."""
FIRST: Final = 0.5
"""The rate of the first step, as a share of the scenario's own: that alone can be too much for a slow machine."""
AIM: Final = 0.6
"""The utilisation that the next step aims at: high, so that what does not depend on the rate counts little, and far
enough from 1 to stay below it where the estimate is wrong by half."""
LEAST_TELLING: Final = 0.05
"""A server that is less busy is so by other things than messages, and by few ticks."""
SATURATED: Final = 0.9
"""A server that is busier may be behind, and then is as busy at any higher rate."""
BACK_OFF: Final = 0.4
"""What the rate is multiplied by where a step was too much for the server."""
TROUBLE_BACK_OFF: Final = 0.7
"""The same where a step tells nothing: it may have been too much for the generator, or something of the moment."""
GROW_MOST: Final = 8.0
"""What it is multiplied by at most: an estimate from hardly any load is rough."""

DROP_OF_STEPS: Final = "rst"
"""The server is told of it at once, so that a step has nothing to wait for."""

RATE_DIGITS: Final = 4
"""Of a rate in messages a second: finer than any clock that paces them."""

Measure = Callable[[CellKey, int, float], CalibrationStep]
"""Runs one step: the cell, the number of the step, the rate."""


class NotCalibrated(Exception):
    """A relative load has no rate, for what it is a share of could not be found."""

    def __init__(self, capacity: Capacity) -> None:
        """Say of which cell it could not be found, and why."""
        super().__init__(f"what {' '.join(capacity.cell.spoken())} carries at most is not known: {capacity.why}")
        self.has_failed = capacity.has_failed_step
        """Whether something around the measurement failed."""


def calibrated_cell(cell: CellKey) -> CellKey:
    """Return the cell whose capacity counts for a cell: the same without a load, with drops of one kind or none.

    With drops, for members that are away neither send nor receive: without them the slowest server of a plan was busy
    65 % of the time at a load of 80 %. One kind for all, so that all kinds get the same rate.
    """
    has_drops = cell[DROP] != NO_DROP and cell[DROP] not in OUTAGES
    return cell.having(LOAD, FIXED_LOAD).having(DROP, DROP_OF_STEPS if has_drops else NO_DROP)


def cells_to_calibrate(plan: Plan) -> list[CellKey]:
    """Return the cells whose capacity the plan's relative loads are shares of, each once, in the plan's order."""
    return list(dict.fromkeys(calibrated_cell(cell) for cell in plan.cells() if cell[LOAD] != FIXED_LOAD))


def find_capacity(cell: CellKey, measure: Measure) -> Capacity:
    """Return the capacity of a cell, by as few steps as agree; without a rate where none do."""
    rate, steps = SCENARIOS[cell[SCENARIO]].rate * FIRST, list[CalibrationStep]()
    while len(steps) < MOST_STEPS:
        steps.append(measure(cell, len(steps) + 1, rate))
        capacity = agreed_capacity(steps)
        if capacity is not None:
            return Capacity(cell=cell, rate=capacity, steps=tuple(steps))
        rate = next_rate(steps[-1])
    return Capacity(cell=cell, rate=None, steps=tuple(steps), why=_why_none(steps))


def step_of(step: Step, measured: Measured) -> CalibrationStep:
    """Return what a step showed: how busy what is nearest to its limit was; with trouble where that is not known."""
    if measured.invalid:
        return CalibrationStep(rate=step.rate, trouble="; ".join(measured.invalid))
    busy = utilisation_of(measured.tables)
    if busy is None:
        return CalibrationStep(rate=step.rate, trouble="it is not known how busy the server was")
    return CalibrationStep(rate=step.rate, utilisation=busy.share, busiest=busy.what)


def agreed_capacity(steps: Sequence[CalibrationStep]) -> float | None:
    """Return the capacity, where the last step's estimate agrees with that of one before: that of the busier step."""
    last = estimate(steps[-1])
    if last is None:
        return None
    for before in steps[:-1]:
        other = estimate(before)
        if other is not None and abs(last - other) <= AGREEMENT * min(last, other):
            return last if (steps[-1].utilisation or 0) >= (before.utilisation or 0) else other
    return None


def estimate(step: CalibrationStep) -> float | None:
    """Return the capacity by one step, in messages a second from each sender; None where it does not tell."""
    if step.utilisation is None or not LEAST_TELLING <= step.utilisation < SATURATED:
        return None
    return step.rate / step.utilisation


def next_rate(step: CalibrationStep) -> float:
    """Return the rate of the step that follows: lower after trouble and saturation, else the one that is aimed at."""
    if step.utilisation is None:
        return step.rate * TROUBLE_BACK_OFF
    if step.utilisation >= SATURATED:
        return step.rate * BACK_OFF
    return step.rate * AIM / max(step.utilisation, AIM / GROW_MOST)


def rate_of_load(cell: CellKey, capacities: Mapping[CellKey, Capacity], load_of: LoadOf) -> float | None:
    """Return the rate of a cell at a relative load; None at a fixed one. Raises NotCalibrated."""
    share = share_of_load(cell[LOAD])
    if share is None:
        return None
    counting = _that_count(calibrated_cell(cell), capacities, load_of)
    return round(share * min(map(_known_rate, counting)), RATE_DIGITS)


def is_hopeless(cell: CellKey, capacities: Mapping[CellKey, Capacity], load_of: LoadOf) -> bool:
    """Tell whether the rates of a cell cannot be known any more, so that it need not be calibrated."""
    return any(capacity.rate is None for capacity in _that_count(cell, capacities, load_of))


def _that_count(cell: CellKey, capacities: Mapping[CellKey, Capacity], load_of: LoadOf) -> list[Capacity]:
    """Return what was found for the cells that set the rate of a cell: its own, or all that it is compared with."""
    if load_of == "own":
        return [capacities[cell]] if cell in capacities else []
    compared = cell.without(LAYER, CONSUMER)
    return [capacity for other, capacity in capacities.items() if other.without(LAYER, CONSUMER) == compared]


def _known_rate(capacity: Capacity) -> float:
    if capacity.rate is None:
        raise NotCalibrated(capacity)
    return capacity.rate


def _why_none(steps: Sequence[CalibrationStep]) -> str:
    told = [f"busy {step.utilisation:.0%} at {step.rate:.3g}/s" for step in steps if step.utilisation is not None]
    troubles = [f"at {step.rate:.3g}/s {step.trouble}" for step in steps if step.trouble]
    return f"no two of {len(steps)} short trials agree: {'; '.join([*told, *troubles[-1:]])}"
