"""Text of others as it may be shown: names, reasons and paths are data, and none of them moves a cursor."""

from typing import Final
from unicodedata import category

_SHOWN_AS_THEY_ARE: Final = frozenset({"Zs"})
"""Blanks of all widths: Python counts them among what cannot be printed."""


def printable(text: str, *, keeping: str = "") -> str:
    r"""Return the text with each character that cannot be seen written as an escape: \x1b, \u202e, \udcff.

    These are control characters, terminal escapes among them, marks that turn the direction of writing, and halves of
    characters. `keeping` names those that may stay, such as line ends where the text is a paragraph.
    """
    if text.isprintable():
        return text
    return "".join(one if one in keeping or _can_be_seen(one) else _escaped(one) for one in text)


def _can_be_seen(character: str) -> bool:
    return character.isprintable() or category(character) in _SHOWN_AS_THEY_ARE


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
