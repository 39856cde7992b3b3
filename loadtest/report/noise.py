"""The noise floor of a run: by how much two measurements of the same thing differed, from its twins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import expm1, isfinite, log, log1p, sqrt

from loadtest.dimensions import DROP
from loadtest.figures.cell import Cell, TrialFigures
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.share import Part
from loadtest.figures.words import Namer, listed, percent
from loadtest.report.manifest import Manifest
from loadtest.report.questions import METRICS, Metric, measured, metrics_of
from loadtest.stats.interval import Interval
from loadtest.stats.noise import NoiseFloor, noise_floor, noise_of_shares
from loadtest.stats.paired import Paired
from loadtest.stats.vague import as_points, as_ratio

Twins = tuple[list[TrialFigures], list[TrialFigures]]
"""The trials of one round, and those that repeat them: one each, or one of each kind of drop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Of one figure: the noise floor, and the cells that were measured twice each round."""

    metric: Metric
    floor: NoiseFloor
    cells: tuple[Cell, ...]

    @property
    def over_rounds(self) -> float:
        """The same of a cell's rounds together: what a difference in the report has to be more than."""
        rounds = max(len({trial.round for trial in cell.valid_trials}) for cell in self.cells)
        if self.metric.is_share:
            return self.floor.single / sqrt(rounds)
        return expm1(log1p(self.floor.single) / sqrt(rounds))


def noise_words(noise: Sequence[Noise], namer: Namer) -> str:
    """What a run's noise floor is, in a sentence or two."""
    if not noise:
        return "Noise floor: not known, for nothing was measured twice in this run."
    cells = dict.fromkeys(namer.name(cell.key, but=(DROP,)) for found in noise for cell in found.cells)
    single = listed([f"{_written(found.metric, found.floor.single)} in {found.metric.what}" for found in noise])
    over = listed([_written(found.metric, found.over_rounds) for found in noise])
    return (
        f"Noise floor: two measurements of the same thing in one round of this run differed by up to {single} "
        f"(95 of 100 times; {'; '.join(cells)}), over all rounds of a cell by up to {over}."
    )


def over_rounds_words(noise: Sequence[Noise]) -> str:
    """`2.8 points in missed disconnects and 58 % in latency p99`, over all rounds; "" where nothing was twice."""
    return listed([f"{_written(found.metric, found.over_rounds)} in {found.metric.what}" for found in noise] or [""])


def _written(metric: Metric, difference: float) -> str:
    if _is_vague(metric, difference):
        return "no known bound"
    return f"{percent(difference)} {'points' if metric.is_share else '%'}"


def _is_vague(metric: Metric, difference: float) -> bool:
    """Whether such a bound tells nothing: it allows nearly all that is possible, as the interval of a figure may."""
    if metric.is_share:
        return as_points(Interval(estimate=0.0, low=-difference, high=difference)).is_vague
    return as_ratio(Interval(estimate=1.0, low=1 / (1 + difference), high=1 + difference)).is_vague


def noise_of(evidence: Evidence, manifest: Manifest) -> tuple[Noise, ...]:
    """The noise floor of each figure that is asked about; empty where a run has no twins.

    The rounds of all cells that were measured twice count as rounds of one pair.
    """
    groups = list(_measured_twice(evidence))
    found = []
    for metric in METRICS:
        asking = [cells for cells in groups if metric in metrics_of(cells, evidence, manifest)]
        asked = [measured(cells, metric, evidence) for cells in asking]
        differences = [value for cells in asked for value in _differences(cells, metric)]
        if differences:
            floor = noise_of_shares(differences) if metric.is_share else noise_floor(Paired(logs=tuple(differences)))
            found.append(Noise(metric=metric, floor=floor, cells=tuple(cell for cells in asked for cell in cells)))
    return tuple(found)


def _measured_twice(evidence: Evidence) -> Iterator[list[Cell]]:
    """The cells with twins, together those that differ by their drop alone."""
    groups: dict[object, list[Cell]] = {}
    for cell in evidence.cells:
        if any(trial.twin_of is not None for trial in cell.trials):
            groups.setdefault(cell.key.without(DROP), []).append(cell)
    yield from groups.values()


def _differences(cells: Sequence[Cell], metric: Metric) -> Iterator[float]:
    """A round's difference between a trial and its twin, in logs or in shares; none where it has none."""
    for first, second in _twins(cells):
        figure = metric.figure
        if isinstance(figure, Part):
            shares = [_share(trials, figure) for trials in (first, second)]
            if None not in shares:
                yield (shares[0] or 0.0) - (shares[1] or 0.0)
        else:
            yield from _log_ratios(first, second, figure)


def _twins(cells: Iterable[Cell]) -> Iterator[Twins]:
    rounds: dict[int, Twins] = {}
    for trial in (trial for cell in cells for trial in cell.valid_trials):
        first, second = rounds.setdefault(trial.round, ([], []))
        (first if trial.twin_of is None else second).append(trial)
    yield from (twins for twins in rounds.values() if all(twins))


def _share(trials: Iterable[TrialFigures], part: Part) -> float | None:
    known = [(trial.get(part.events), trial.get(part.others)) for trial in trials]
    events = sum(found for found, others in known if found is not None and others is not None)
    of = events + sum(others for found, others in known if found is not None and others is not None)
    return events / of if of else None


def _log_ratios(
    trials: Iterable[TrialFigures], twins: Iterable[TrialFigures], figure: Column[float]
) -> Iterator[float]:
    for one, other in zip(trials, twins, strict=False):
        values = [trial.get(figure) for trial in (one, other)]
        if all(value is not None and isfinite(value) and value > 0 for value in values):
            yield log((values[0] or 1.0) / (values[1] or 1.0))
