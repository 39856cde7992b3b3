"""Holm's correction for the number of comparisons."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the corrected p values, in the order given; the chance of one false alarm among all is at most alpha.

    The i-th smallest of m is multiplied by m - i + 1, and none is below the one before (Holm, Scandinavian Journal of
    Statistics 6, 1979). It holds however the comparisons depend on each other, as those with a cell in common do.
    """
    corrected = [1.0] * len(p_values)
    least = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = least
    return corrected
