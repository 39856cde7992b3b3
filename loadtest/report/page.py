"""What the pages share: their templates, their parts, and the script that draws their charts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import jinja2

from loadtest.printable import printable
from loadtest.report.charts.chart import Chart

_LINE_ENDS_AND_TABS = "\n\t"


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
        finalize=_visible,
    )
    environment.filters["script_json"] = script_json
    environment.filters["when"] = _when
    return environment.get_template(name)


def _visible(value: object) -> object:
    """What is written for a value: a text of others without what turns the direction of writing, or cannot be seen.

    The page's own markup is no text of others: it has a type of its own.
    """
    return printable(value, keeping=_LINE_ENDS_AND_TABS) if type(value) is str else value


def _visible_throughout(value: object) -> object:
    """A value of JSON with all texts in it so, and the keys."""
    if isinstance(value, Mapping):
        return {_visible(name): _visible_throughout(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_visible_throughout(one) for one in value]
    return _visible(value)


def script_json(value: Mapping[str, Any]) -> str:
    """JSON that can stand inside a script element: no text in it can end the element or open a comment.

    All texts are as the page has them elsewhere: what cannot be seen is an escape in them.
    """
    text = json.dumps(_visible_throughout(value), separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _when(utc: str) -> str:
    """`2026-01-02 03:04:05 UTC` from the ISO form."""
    try:
        return datetime.fromisoformat(utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return utc
