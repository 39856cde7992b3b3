"""How long each phase of a test may last, in seconds."""

from dataclasses import dataclass
from typing import Final, Protocol, Self

STARTUP_S: Final = 20.0
"""A generator is there within 2 s; this is for a machine that is very busy."""
CLOSING_S: Final = 10.0
"""Members close within 3 s, all at once, whatever the server does."""


class Durations(Protocol):
    """What says how long the phases last: a job."""

    @property
    def ramp(self) -> float: ...
    @property
    def warm_up(self) -> float: ...
    @property
    def steady(self) -> float: ...
    @property
    def longest_offline(self) -> float: ...
    @property
    def drain(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """`warm_up_s` and `steady_s` are exact; the others are deadlines, and a phase ends sooner when all is done."""

    ramp_s: float
    warm_up_s: float = 0.0
    steady_s: float = 0.0
    """0: no phases; members are dropped from when all are open until the test is stopped."""
    recover_s: float = 0.0
    drain_s: float = 0.0
    hold_s: float = 0.0
    """How long a generator holds what it dropped silently if it is not told before to let go of it."""
    startup_s: float = STARTUP_S
    closing_s: float = CLOSING_S

    @classmethod
    def of(cls, job: Durations) -> Self:
        """Return the timing of a job, in which nothing is held."""
        return cls(
            ramp_s=job.ramp,
            warm_up_s=job.warm_up,
            steady_s=job.steady,
            recover_s=job.longest_offline + job.drain,
            drain_s=job.drain,
        )
