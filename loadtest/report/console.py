"""The console on which all is printed: text is data, no markup is read in it, and no control character passes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from loadtest.printable import printable
from loadtest.report.errors import ReportError

_LINE_ENDS_AND_TABS = "\n\t"


class PlainConsole(Console):
    """A console for names, reasons and paths that others chose."""

    def __init__(self, **options: Any) -> None:
        """Take rich's options but those that read something in a text: markup, emoji codes, what looks like a value."""
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as rich has it, escaped before it is laid out: an escape is wider than what it stands for."""
        return super().render_str(_escaped(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Return what is written to the terminal; only rich's own control codes are codes in it."""
        if isinstance(renderable, Text) and (shown := _escaped(renderable.plain)) != renderable.plain:
            renderable = renderable.blank_copy(shown)
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else _escaped(text), style, control)

    def on_broken_pipe(self) -> None:
        """Say so: rich would end with exit code 1, which is that of a broken threshold."""
        with contextlib.suppress(SystemExit):
            super().on_broken_pipe()  # lets what is still in the buffer go nowhere
        raise ReportError("whoever read the output closed it before all was written; read it to its end")


def _escaped(text: str) -> str:
    return printable(text, keeping=_LINE_ENDS_AND_TABS)
