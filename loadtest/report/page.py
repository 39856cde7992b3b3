"""What the pages share: their templates, their parts, and the script that draws their charts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import jinja2

from loadtest.report.charts.chart import Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One of the few numbers on top of the page."""

    value: str
    label: str
    tone: str  # "" | "good" | "warning" | "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSection:
    """A heading with charts below; with `selects` they are shown one at a time."""

    id: str
    link: str  # its short name in the navigation
    title: str
    text: str
    charts: Sequence[Chart]
    legend: Mapping[str, str]  # what each colour stands for
    selects: bool = False
    wide: bool = False  # at most two beside each other


@cache
def template(name: str) -> jinja2.Template:
    """The template of that name."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("loadtest.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["script_json"] = script_json
    environment.filters["when"] = _when
    return environment.get_template(name)


def script_json(value: Mapping[str, Any]) -> str:
    """JSON that can stand inside a script element: no text in it can end the element or open a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _when(utc: str) -> str:
    """`2026-01-02 03:04:05 UTC` from the ISO form."""
    try:
        return datetime.fromisoformat(utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return utc
