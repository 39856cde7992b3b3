"""The figures that are compared: a small family, declared before anything is looked at.

Each figure more makes every verdict stricter (Holm), so there is one for each question that a change of an app or a
version raises: are disconnects missed, are messages lost, how much is carried, how late does it come (usually, and for
the slowest 1 %), and what does it cost. Others follow from these (p90), hang on single events (max, stalls), or are of
the rig (generator CPU); the tables have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from loadtest.checks.delivery.table import DELIVERED, LOST
from loadtest.checks.disconnects.table import DISCONNECT_CALLED, MISSED
from loadtest.checks.throughput.table import CPU_PER_1000, LATENCY_MS_P50, LATENCY_MS_P99, MESSAGES_PER_S
from loadtest.figures.cell import TrialFigures
from loadtest.figures.column import AnyColumn, Better, Column
from loadtest.stats.location import location_of
from loadtest.stats.noise import noise_floor, noise_of_shares
from loadtest.stats.paired import paired
from loadtest.stats.share import share_of
from loadtest.stats.unpaired import Contrast, Ratio, ShareDifference

MATTERS: Final = 0.05
"""Of times and rates: 5 %, less than what anybody would change a deployment for."""

MATTERS_MISSED: Final = 0.05
"""5 points: 1,000 drops at 5 % missed have an interval of some 3 points."""

MATTERS_LOST: Final = 0.01
"""One message in a hundred."""

Kind = Literal["ratio", "share"]


class ComparedFigure(Protocol):
    """One figure of a cell, by trial."""

    @property
    def name(self) -> str:
        """As the column is called, or would be."""

    @property
    def heading(self) -> str:
        """For a reader, with its unit."""

    @property
    def kind(self) -> Kind:
        """Whether two are compared by their ratio, or by how many points they are apart."""

    @property
    def better(self) -> Better:
        """Which direction is good."""

    @property
    def follows_rate(self) -> bool:
        """Whether it says what was sent rather than how it fared, where users do not wait for answers."""

    def typical(self, trials: Sequence[TrialFigures]) -> float:
        """Return the figure of these trials together; NaN where it is not known of any."""

    def contrast(self, one: Sequence[TrialFigures], other: Sequence[TrialFigures]) -> Contrast:
        """Return what the first trials are beside the others."""

    def floor(self, twins: Sequence[tuple[TrialFigures, TrialFigures]]) -> float:
        """Return by how much equals differ (0.05: 5 %, or 5 points); infinite where these pairs do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A time or a rate of each trial."""

    column: AnyColumn
    heading: str
    kind: Kind = "ratio"
    follows_rate: bool = False

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def better(self) -> Better:
        return self.column.better or "lower"

    def typical(self, trials: Sequence[TrialFigures]) -> float:
        return location_of(self._of(trials)).estimate

    def contrast(self, one: Sequence[TrialFigures], other: Sequence[TrialFigures]) -> Contrast:
        return Ratio(one=self._of(one), other=self._of(other), matters=MATTERS)

    def floor(self, twins: Sequence[tuple[TrialFigures, TrialFigures]]) -> float:
        found = [self._of(pair) for pair in twins]
        whole = dict(enumerate(pair for pair in found if len(pair) == 2))
        equals = paired({n: pair[0] for n, pair in whole.items()}, {n: pair[1] for n, pair in whole.items()})
        return noise_floor(equals).floor

    def _of(self, trials: Sequence[TrialFigures]) -> tuple[float, ...]:
        values = [trial.figures.get(self.column) for trial in trials]
        return tuple(float(value) for value in values if isinstance(value, int | float))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A share of what is counted in each trial: of `events` and `others` the first."""

    name: str
    heading: str
    events: Column[int]
    others: Column[int]
    matters: float
    kind: Kind = "share"
    follows_rate: bool = False

    @property
    def better(self) -> Better:
        return self.events.better or "lower"

    def typical(self, trials: Sequence[TrialFigures]) -> float:
        counts = self._of(trials)
        return share_of([events for events, _ in counts], [of for _, of in counts]).interval.estimate

    def contrast(self, one: Sequence[TrialFigures], other: Sequence[TrialFigures]) -> Contrast:
        return ShareDifference(one=self._of(one), other=self._of(other), matters=self.matters)

    def floor(self, twins: Sequence[tuple[TrialFigures, TrialFigures]]) -> float:
        counts = [self._of(pair) for pair in twins]
        shares = [[events / of for events, of in pair if of] for pair in counts]
        return noise_of_shares([one - other for one, other in (pair for pair in shares if len(pair) == 2)]).floor

    def _of(self, trials: Sequence[TrialFigures]) -> tuple[tuple[int, int], ...]:
        counts = [(trial.get(self.events), trial.get(self.others)) for trial in trials]
        return tuple(
            (events, events + others) for events, others in counts if events is not None and others is not None
        )


FAMILY: Final[tuple[ComparedFigure, ...]] = (
    Counted(name="missed_share", heading="missed", events=MISSED, others=DISCONNECT_CALLED, matters=MATTERS_MISSED),
    Counted(name="lost_share", heading="lost", events=LOST, others=DELIVERED, matters=MATTERS_LOST),
    Measured(column=MESSAGES_PER_S, heading="messages/s", follows_rate=True),
    Measured(column=LATENCY_MS_P50, heading="p50 ms"),
    Measured(column=LATENCY_MS_P99, heading="p99 ms"),
    Measured(column=CPU_PER_1000, heading="CPU ms/1k"),
)
"""In the order in which they are shown."""
