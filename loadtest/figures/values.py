"""The values of a run's dimensions, as its manifest describes them: what each is, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtest.dimensions import DIMENSIONS, AnyDimension, CellKey, Value

_BY_ORDER = sorted(DIMENSIONS, key=lambda dimension: dimension.order)


class Values:
    """What is known of the values that cells have; nothing but its name where the manifest does not describe one."""

    def __init__(self, by_dimension: Mapping[str, Sequence[Value]] | None = None) -> None:
        self._known = {
            name: {value.name: (place, value) for place, value in enumerate(values)}
            for name, values in (by_dimension or {}).items()
        }

    def of(self, key: CellKey, dimension: AnyDimension) -> Value:
        """Return what is known of a cell's value of a dimension."""
        name = str(key[dimension])
        _, value = self._known.get(dimension.name, {}).get(name, (0, Value(name=name)))
        return value

    def order(self, key: CellKey, *, but: AnyDimension | None = None) -> tuple[tuple[int, str | int], ...]:
        """Return what cells are sorted by: the order of the manifest's values, then that of names.

        Values that a manifest need not describe, as "none" and "mixed" of drops, come first.
        """
        return tuple(self._place(dimension, key[dimension]) for dimension in _BY_ORDER if dimension is not but)

    def in_columns_order(self, key: CellKey, *, but: AnyDimension) -> tuple[tuple[int, str | int], ...]:
        """Return what cells are sorted by where the columns' order counts: server by server, layer by layer."""
        return tuple(self._place(dimension, key[dimension]) for dimension in DIMENSIONS if dimension is not but)

    def _place(self, dimension: AnyDimension, value: str | int) -> tuple[int, str | int]:
        known = self._known.get(dimension.name, {})
        if str(value) in known:
            return known[str(value)][0], value
        needs_no_words = value in dimension.words or value in dimension.unspoken
        return -1 if needs_no_words else len(known), value
