"""Escaping: a text as Markdown or XML can hold it."""

import re
from typing import Final

from loadtest.printable import printable

_MARKUP: Final = re.compile(r"[\\|<\[]")
"""What begins a column, an HTML element, a link or a picture, and what escapes it."""
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped; the name of a drop may have anything in it."""


def for_markdown(text: str) -> str:
    """Return a text for a line, or for a cell of a table; nothing in it is an element, a link or a picture."""
    return _MARKUP.sub(r"\\\g<0>", printable(re.sub(r"[\n\t]+", " ", text)))


def as_markdown_code(text: str) -> str:
    """Return a text as code in a cell of a table, where nothing but a column's bar can be escaped."""
    inside = printable(text).replace("|", r"\|").replace("`", "'")
    return f"`{inside}`"


def for_xml(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
