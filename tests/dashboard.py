"""The queries of the Grafana dashboard, and what each of them names: metrics, and labels of these."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser as promql

FILE = Path(__file__).resolve().parents[1] / "docs" / "grafana" / "dashboard.json"
OF_GRAFANA = {"$__rate_interval": "1m", "$__range": "24h"}
"""What Grafana writes into a query, and what a person may look at."""
OF_PROMETHEUS = frozenset({"instance", "job"})
"""Labels that a server of Prometheus adds to all that it scrapes."""

Labels = Mapping[str, frozenset[str] | None]
"""The labels of each metric that a scrape has; None where it has no sample now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query of one panel."""

    panel: str
    text: str
    legend: str

    def __str__(self) -> str:
        return f"{self.panel}: {self.text}"

    def typed(self, of_grafana: Mapping[str, str] = OF_GRAFANA) -> str:
        """Return it as Prometheus gets it."""
        text = self.text
        for name, value in of_grafana.items():
            text = text.replace(name, value)
        return text

    @property
    def named(self) -> list[Named]:
        """What it asks for."""
        return list(_named(promql.parse(self.typed()), frozenset()))

    def problems(self, shown: Labels) -> list[str]:
        """Say what it names that a scrape does not have."""
        return [problem for one in self.named for problem in one.problems(shown, self._in_legend)]

    @property
    def _in_legend(self) -> frozenset[str]:
        return frozenset(re.findall(r"{{\s*(\w+)\s*}}", self.legend))


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A metric that a query asks for, with the labels that it chooses or sums up by."""

    metric: str
    labels: frozenset[str]

    def problems(self, shown: Labels, in_legend: Iterable[str]) -> Iterator[str]:
        """Say what of it a scrape does not have."""
        if self.metric not in shown:
            yield f"there is no metric {self.metric}"
        elif (has := shown[self.metric]) is not None:
            for label in sorted({*self.labels, *in_legend} - has - OF_PROMETHEUS):
                yield f"{self.metric} has no label {label}"


def panels() -> list[dict[str, Any]]:
    """The panels, without the rows that head them."""
    return [panel for panel in json.loads(FILE.read_text())["panels"] if panel["type"] != "row"]


def queries() -> list[Query]:
    """Every query of the dashboard."""
    return [
        Query(panel=panel["title"], text=target["expr"], legend=target["legendFormat"])
        for panel in panels()
        for target in panel["targets"]
    ]


def _named(node: Any, by: frozenset[str]) -> Iterator[Named]:
    match node:
        case promql.VectorSelector(name=str(name)):
            labels = frozenset(matcher.name for matcher in node.matchers.matchers)
            yield Named(metric=name, labels=by | labels)
        case promql.MatrixSelector():
            yield from _named(node.vector_selector, by)
        case promql.AggregateExpr():
            yield from _named(node.expr, by | frozenset(node.modifier.labels if node.modifier else ()))
        case promql.Call():
            for argument in node.args:
                yield from _named(argument, by)
        case promql.BinaryExpr():
            yield from _named(node.lhs, by)
            yield from _named(node.rhs, by)
        case promql.ParenExpr() | promql.UnaryExpr():
            yield from _named(node.expr, by)
        case promql.NumberLiteral():
            pass
        case _:
            raise TypeError(f"what does a {type(node).__name__} name? say it here")
