"""The binary event record that the generator and the server both write.

This package is what goes into a target, so it needs the standard library only; `loadtest.ledger.reader`, which makes
data frames of what was written, is the one module here that wants more and is imported by nobody inside a target.
"""

from loadtest.ledger.record import Event, Phase, Side
from loadtest.ledger.recorder import Recorder

__all__ = ["Event", "Phase", "Recorder", "Side"]
