"""What a server says when it ends a connection: text of others, escaped, and bounded in how many there are of it."""

from typing import Final

from loadtest.printable import printable

MOST_REASONS: Final = 50
"""Different ones of a generator: each is a row in Locust's tables, and an app has a few."""
OTHERS: Final = f"(one of more than {MOST_REASONS} reasons)"
"""Stands for those that came after so many others; how often it is counted says how many ends had them."""


class Heard:
    """The reasons so far."""

    def __init__(self) -> None:
        """Nothing has been heard."""
        self._reasons: set[tuple[int | None, str]] = set()

    def reason(self, code: int | None, text: str) -> str:
        """Return a reason as it may be shown and counted: itself, escaped, or OTHERS where there are too many."""
        shown = printable(text)
        if (code, shown) not in self._reasons:
            if len(self._reasons) >= MOST_REASONS:
                return OTHERS
            self._reasons.add((code, shown))
        return shown
