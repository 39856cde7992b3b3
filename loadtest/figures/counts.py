"""Counts: how often each of several values came, as data frames hold them and as files write them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl

_BETWEEN = "; "
MOST_VALUES: Final = 50
"""In one field of a table: who reads it wants the few that come often."""
OTHERS: Final = "others"
"""Stands for those beyond, with how often they came together."""
_WITHOUT_BLANKS = re.compile(r"\S+:\d+( \S+:\d+)+")
"""Several counts with a blank between them, as files had those of codes before format 4."""


def counts_of(values: pl.Series) -> list[dict[str, Any]]:
    """Return how often each value of a column is there, the most frequent first, and of the rarest only how many.

    A value may be a text of others: in a file a semicolon would end it.
    """
    texts = values.drop_nulls().cast(pl.String).str.replace_all(_BETWEEN.strip(), ",", literal=True)
    counted = texts.value_counts().sort(["count", values.name], descending=[True, False])
    counts = dict(counted.head(MOST_VALUES).iter_rows())
    if rest := int(counted["count"].slice(MOST_VALUES).sum()):
        counts[OTHERS] = counts.get(OTHERS, 0) + rest
    return as_structs(counts)


def as_structs(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return counts as a data frame holds them, in their order."""
    return [{"value": value, "count": count} for value, count in counts.items()]


def as_counter(structs: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return counts from the form in which a data frame holds them."""
    counts: Counter[str] = Counter()
    for pair in structs:
        counts[pair["value"]] += pair["count"]
    return counts


def written(column: str) -> pl.Expr:
    """Return a column of counts as text: "not noticed:3; handler busy:1"; "" for no counts, null where not known."""
    pair = pl.concat_str(
        pl.element().struct.field("value"), pl.lit(":"), pl.element().struct.field("count").cast(pl.String)
    )
    return pl.col(column).list.eval(pair).list.join(_BETWEEN)


def read(text: str | None) -> list[dict[str, Any]] | None:
    """Return the counts of a text, also of an older run's "1005:38 1006:2"; None for a field that is empty.

    The last colon is the one before the count: a cause may have others. Raises ValueError where there is no count.
    """
    if text is None:
        return None
    parts = text.split() if _WITHOUT_BLANKS.fullmatch(text) else text.split(_BETWEEN.strip())
    pairs = (part.strip().rpartition(":") for part in parts if part.strip())
    return [{"value": value, "count": int(count)} for value, _, count in pairs]
