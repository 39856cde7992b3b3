"""Verdicts: what the audit said of a case, compared with what it must say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from loadtest.selftest.cases import Case
from loadtest.selftest.expected import EXPECTED, Expected, Planting, Range, nothing_wrong
from loadtest.selftest.figures import Figures
from loadtest.selftest.truth import Truth
from target_app.planted import find_planted

Verdict = Literal["found", "clean", "not found", "false alarm", "failed"]
"""Found, or clean where nothing is planted; not found, or with a wrong count or cause; something reported that is not
there; or no result."""

GOOD: frozenset[Verdict] = frozenset({"found", "clean"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a case; `says` names figures, with what they should have been where they are wrong."""

    case: Case
    verdict: Verdict
    says: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Tell whether the audit was right."""
        return self.verdict in GOOD


def judge(case: Case, truth: Truth, figures: Figures) -> Outcome:
    """Compare the audit's figures with what was planted; KeyError for a figure that there is none of."""
    found = find_planted(case.consumer)
    own: Expected = {}
    if found is not None:
        own = EXPECTED[found[0].name](Planting(kind=found[1], layer=case.layer, truth=truth))
    missed = _wrong(own, figures)
    if missed:
        return Outcome(case=case, verdict="not found", says=missed)
    alarms = _wrong({name: range for name, range in nothing_wrong(truth).items() if name not in own}, figures)
    if alarms:
        return Outcome(case=case, verdict="false alarm", says=alarms)
    says = tuple(f"{name} {figures[name]:g}" for name, range in own.items() if range.low)
    if found is None:
        says = (f"{len(truth.dropped)} dropped, nothing reported",)
    return Outcome(case=case, verdict="found" if found else "clean", says=says)


def _wrong(expected: Mapping[str, Range], figures: Figures) -> tuple[str, ...]:
    return tuple(
        f"{name} {_written(figure)}, must be {right}"
        for name, right in expected.items()
        if right != Range() and ((figure := figures[name]) is None or figure not in right)
    )


def _written(figure: float | None) -> str:
    return "not known" if figure is None else f"{figure:g}"
