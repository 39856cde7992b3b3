"""What a server says when something fails: text of others, escaped, and bounded in how many there are of it."""

from collections import defaultdict

from loadtest.load.reasons import MOST_REASONS, OTHERS
from loadtest.printable import printable


class Heard:
    """The reasons so far, by the row under which they are counted."""

    def __init__(self) -> None:
        """Nothing has been heard."""
        self._reasons: defaultdict[str, set[tuple[int | None, str]]] = defaultdict(set)

    def reason(self, row: str, text: str, code: int | None = None) -> str:
        """Return a reason as it may be shown and counted: itself, escaped, or OTHERS where there are too many.

        The same text with another code is another reason.
        """
        shown = printable(text)
        reasons = self._reasons[row]
        if (code, shown) not in reasons:
            if len(reasons) >= MOST_REASONS:
                return OTHERS
            reasons.add((code, shown))
        return shown
