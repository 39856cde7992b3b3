"""Calibration: finds the rate that each cell carries at most, by a few short trials before those that count.

The cost of a message is nearly constant until the server is busy all the time, and members who leave and come back
cost something at any rate. So utilisation is a straight line over the rate, fixed + cost * rate, and the capacity is
where it reaches 1. Trials are run at other rates, by the estimate so far, until all lie near one line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import linear_regression
from typing import Final

from loadtest.bench.measuring import Measured, Step
from loadtest.bench.plan import Plan
from loadtest.bench.relative_load import LoadOf, share_of_load
from loadtest.bench.utilisation import utilisation_of, was_without_messages
from loadtest.dimensions import CONSUMER, DROP, FIXED_LOAD, LAYER, LOAD, NO_DROP, CellKey
from loadtest.outages import OUTAGES
from loadtest.report.manifest import CalibrationStep, Capacity

STEP_S: Final = 2.0
"""CPU time is counted in ticks of 10 ms: half a percent of it."""
STEP_WARM_UP_S: Final = 0.5
MOST_STEPS: Final = 8
LIKELY_STEPS: Final = 2.3
"""What it takes on average where the machine is quiet."""
AGREEMENT: Final = 0.1
"""No step may be busier, or less busy, than the line by more than this share. With 0.15, two of three steps could give
capacities that differ by a third."""
MOST_DISTURBED: Final = 4
"""A moment of other work disturbs one step or two."""
ROUGHLY: Final = 0.3
"""The same where no step is left to be run: a load that is somewhat off is told of, and what the trials measured tells
how busy the server was; a run that refuses all its trials tells nothing."""
LARGEST_FIXED: Final = 0.3
"""Of the utilisation, what may be there at any rate: 0.08 to 0.13 where of 80 members 24 a second are dropped."""
NEAR: Final = 1.3
"""Rates that differ by less than this factor do not show what is there at any rate; then nothing is."""
TELLING_BUSY: Final = 0.45
"""Some step must be as busy: from two that are hardly busy the line would be drawn too far."""
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

Point = tuple[float, float]
"""A rate, and the utilisation at it."""

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


def find_capacity(cell: CellKey, measure: Measure, *, typical: float) -> Capacity:
    """Return the capacity of a cell, by as few steps as agree; without a rate where none do.

    `typical` is the rate of its scenario.
    """
    rate, steps = typical * FIRST, list[CalibrationStep]()
    while len(steps) < MOST_STEPS and not _is_always_disturbed(steps):
        steps.append(measure(cell, len(steps) + 1, rate))
        capacity = agreed_capacity(steps)
        if capacity is not None:
            return Capacity(cell=cell, rate=capacity, steps=tuple(steps))
        rate = next_rate(steps)
    return Capacity(cell=cell, rate=_rough_capacity(steps), steps=tuple(steps), why=_why_not(steps))


def step_of(step: Step, measured: Measured) -> CalibrationStep:
    """Return what a step showed: how busy what is nearest to its limit was; with trouble where that is not known.

    Also where the trial is not valid: then it is something of the machine or the generator too. Without a
    message the server was busy with something else.
    """
    trouble = "; ".join(measured.invalid)
    busy = None if was_without_messages(measured.tables) else utilisation_of(measured.tables)
    if busy is None:
        return CalibrationStep(rate=step.rate, trouble=trouble or "it is not known how busy the server was")
    return CalibrationStep(rate=step.rate, utilisation=busy.share, busiest=busy.what, trouble=trouble)


def agreed_capacity(steps: Sequence[CalibrationStep]) -> float | None:
    """Return the rate at which the line through the steps reaches 1, where they lie near it; None where they do not.

    A step that disagrees with all others is left out once three lie near one line.
    """
    known = _telling(steps)
    if max((busy for _, busy in known), default=0.0) < TELLING_BUSY:
        return None
    candidates = [known, *([pair for pair in known if pair is not odd] for odd in known)] if len(known) > 3 else [known]
    return next((found for points in candidates if (found := _capacity_by_line(points, AGREEMENT)) is not None), None)


def _is_always_disturbed(steps: Sequence[CalibrationStep]) -> bool:
    """Tell whether more steps would show no more: others use the machine all the time."""
    return len(_telling([replace(step, trouble="") for step in steps if step.trouble])) >= MOST_DISTURBED


def _rough_capacity(steps: Sequence[CalibrationStep]) -> float | None:
    """Return the same where they lie somewhere near it, if need be with those in trouble; None where they do not."""
    of_any = _telling([replace(step, trouble="") for step in steps])
    return _capacity_by_line(_telling(steps), ROUGHLY) or _capacity_by_line(of_any, ROUGHLY)


def _telling(steps: Sequence[CalibrationStep]) -> list[Point]:
    """Return those without trouble that were busy, and not too busy."""
    known = [(step.rate, step.utilisation) for step in steps if step.utilisation is not None and not step.trouble]
    return [(rate, busy) for rate, busy in known if LEAST_TELLING <= busy < SATURATED]


def _capacity_by_line(points: Sequence[Point], within: float) -> float | None:
    """Return where the line through points reaches 1; None where one is further from it than that share."""
    if len(points) < 2:
        return None
    fixed, cost = _line(points)
    strays = any(abs(busy - fixed - cost * rate) > within * busy for rate, busy in points)
    return None if strays or cost <= 0 else (1 - fixed) / cost


def _line(points: Sequence[Point]) -> tuple[float, float]:
    """Return fixed and cost of the line of least squares whose fixed part is one that there can be."""
    rates, busy = zip(*points, strict=True)
    fixed = 0.0
    if max(rates) >= NEAR * min(rates):
        fixed = min(max(linear_regression(rates, busy).intercept, 0.0), LARGEST_FIXED)
    through = linear_regression(rates, [share - fixed for share in busy], proportional=True)
    return fixed, through.slope


def next_rate(steps: Sequence[CalibrationStep]) -> float:
    """Return the rate of the step that follows: lower after trouble and saturation, else the one that is aimed at.

    Lower as well where a first step was busy enough: what is there at any rate shows at another rate alone.
    """
    step = steps[-1]
    if step.utilisation is None:
        return step.rate * TROUBLE_BACK_OFF
    if step.utilisation >= SATURATED:
        return step.rate * BACK_OFF
    rates = [rate for rate, _ in _telling(steps)]
    if step.utilisation >= TELLING_BUSY and rates and min(rates) * NEAR > max(rates):
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


def _why_not(steps: Sequence[CalibrationStep]) -> str:
    known = [step for step in steps if step.utilisation is not None and not step.trouble]
    told = [f"busy {step.utilisation:.0%} at {step.rate:.3g}/s" for step in known]
    troubles = [f"at {step.rate:.3g}/s {step.trouble}" for step in steps if step.trouble]
    return f"{len(steps)} short trials do not lie near one line, or none was busy: {'; '.join([*told, *troubles[-1:]])}"
