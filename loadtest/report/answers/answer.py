"""What an answer is."""

from __future__ import annotations

from dataclasses import dataclass

from loadtest.figures.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: what is asked, in a word or two, the sentences, and where the evidence stands."""

    asks: str
    text: str
    anchor: str
    """The id of the page's section with the evidence."""
    evidence: str
    """What that section is, for the link to it."""
    severity: Severity = "note"
    short: str = ""
    """The same for a terminal, in two lines of 100 columns at most; "": the sentences themselves."""
    in_brief: bool = True
    """Whether it is printed in a terminal where nobody asks for more."""
    example: str = ""
    """A connection that shows it, as `channels-loadtest show RUN` takes it; "" where there is none."""
