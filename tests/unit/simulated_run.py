"""Invented runs whose truth is known: figures of trials as a bench would measure them, with noise of every sort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from loadtest.checks.disconnects.table import DISCONNECT_CALLED, DROPPED, MISSED
from loadtest.checks.throughput.table import CPU_PER_1000, LATENCY_MS_P99, MESSAGES_PER_S
from loadtest.dimensions import CLOSED_LOOP, CellKey, Value
from loadtest.figures.cell import Cell, TrialFigures, make_cell
from loadtest.figures.column import AnyColumn, Content
from loadtest.figures.evidence import Evidence
from loadtest.figures.values import Values
from loadtest.report.cells import examples_of
from loadtest.report.manifest import Manifest
from loadtest.report.tables import Tables

LAYERS = ("inmemory", "redis", "redis-pubsub")
KINDS = ("close", "fin", "midframe", "rst")
VALUES = Values(
    {
        "consumer": (Value(name="sync"), Value(name="async")),
        "scenario": (Value(name="echo", kind=CLOSED_LOOP), Value(name="broadcast"), Value(name="churn")),
    }
)
_NO_EXAMPLES = examples_of(Tables.empty())
_SPEED: tuple[AnyColumn, ...] = (MESSAGES_PER_S, LATENCY_MS_P99, CPU_PER_1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is planted: everything else is noise, the same for sync and async."""

    slower: float = 1.0
    """By how much every time of sync is longer than that of async, and its rates lower."""
    missed: dict[str, float] = field(default_factory=lambda: {"sync": 0.1, "async": 0.1})
    noise: tuple[float, float] = (0.01, 0.2)
    """The least and the largest standard deviation of a cell's logs; each cell has its own between them."""
    effect: tuple[float, ...] = (1.0, 2.2)
    """The variance of missed shares between trials over that of independent drops; each layer has one of these."""
    drops: int = 50
    """Of each cell and trial, all kinds together."""
    rounds: int = 4
    loads: tuple[str, ...] = ("30%", "80%")
    twins: bool = True
    """Whether the last async cell of a scenario is measured twice each round."""


def manifest_of(truth: Truth) -> Manifest:
    """A manifest that says as much as the comparisons need."""
    return Manifest(format=5, name="x", started_utc="", state="finished", planned=1, done=1,
                    plan={"trials": truth.rounds})  # fmt: skip


def simulated_runs(truth: Truth, *, runs: int, seed: int) -> Iterator[Evidence]:
    """Runs of the default matrix: echo on one layer, broadcast and churn on three, at each load."""
    chance = np.random.default_rng(seed)
    for _ in range(runs):
        pace = chance.normal(0, 0.1, truth.rounds)
        cells = [cell for key in keys(truth) for cell in _cells(key, truth, pace, chance)]
        yield Evidence(cells=tuple(cells), examples=_NO_EXAMPLES, values=VALUES)


def keys(truth: Truth) -> list[CellKey]:
    """The cells of the matrix; churn mixes its kinds of drop."""
    found = [CellKey(scenario="echo", layer="inmemory", consumer=consumer) for consumer in ("sync", "async")]
    for load in truth.loads:
        for layer in LAYERS:
            for consumer in ("sync", "async"):
                own = CellKey(scenario="broadcast", layer=layer, consumer=consumer, load=load)
                found += [own, CellKey(**{**own.as_row(), "scenario": "churn", "drop": "mixed"})]
    return found


def _cells(key: CellKey, truth: Truth, pace: np.ndarray, chance: np.random.Generator) -> Iterator[Cell]:
    row = key.as_row()
    is_twin = truth.twins and row["consumer"] == "async" and row["layer"] == LAYERS[0]
    is_twin = is_twin and row["load"] in ("fixed", truth.loads[-1])
    numbers = [*range(1, truth.rounds + 1), *(range(truth.rounds + 1, 2 * truth.rounds + 1) if is_twin else ())]
    low, high = truth.noise
    noise = low * (high / low) ** chance.random()
    factor = truth.slower if row["consumer"] == "sync" else 1.0
    yield make_cell(key, [_speed(n, truth, pace, chance.normal(0, noise, 3), factor) for n in numbers])
    if row["scenario"] == "churn":
        yield from _drops(key, truth, numbers, chance)


def _speed(number: int, truth: Truth, pace: np.ndarray, noise: np.ndarray, factor: float) -> TrialFigures:
    times = np.exp(pace[(number - 1) % truth.rounds] + noise) * factor
    values = (1000 / times[0], 20 * times[1], 300 * times[2])
    return _trial(number, truth, dict(zip(_SPEED, map(float, values), strict=True)))


def _drops(key: CellKey, truth: Truth, numbers: list[int], chance: np.random.Generator) -> Iterator[Cell]:
    """A cell a kind; all kinds of a trial share its luck."""
    row = key.as_row()
    effect = truth.effect[LAYERS.index(str(row["layer"])) % len(truth.effect)]
    share = truth.missed[str(row["consumer"])]
    of_trial = {number: _share_of_trial(share, effect, truth.drops, chance) for number in numbers}
    for kind in KINDS:
        of = truth.drops // len(KINDS)
        missed = {number: int(chance.binomial(of, of_trial[number])) for number in numbers}
        yield make_cell(
            CellKey(**{**row, "drop": kind}),
            [_trial(n, truth, {DROPPED: of, MISSED: missed[n], DISCONNECT_CALLED: of - missed[n]}) for n in numbers],
        )


def _share_of_trial(share: float, effect: float, drops: int, chance: np.random.Generator) -> float:
    if effect <= 1 or share in (0, 1):
        return share
    spread = (drops - 1) / (effect - 1) - 1
    return float(chance.beta(share * spread, (1 - share) * spread))


def _trial(number: int, truth: Truth, figures: dict[AnyColumn, Content]) -> TrialFigures:
    twin_of = number - truth.rounds if number > truth.rounds else None
    return TrialFigures(number=number, valid=True, figures=figures, twin_of=twin_of)
