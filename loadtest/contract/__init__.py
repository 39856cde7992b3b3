"""The contract: what the probe inside a target and the bench outside of it say to each other, defined once.

Both sides import it, and the probe takes it into other people's processes: it needs the standard library only.
"""

from loadtest.contract.answers import (
    Answer,
    AnswerError,
    Identity,
    ProcessResidue,
    Status,
    read_answer,
    write_answer,
    write_refusal,
)
from loadtest.contract.questions import Question
from loadtest.contract.variables import (
    CONNECTION_DIGITS,
    CONNECTION_HEADER,
    CONTROL_SOCKETS,
    CONTROL_VARIABLE,
    LEDGER_VARIABLE,
)

__all__ = [
    "CONNECTION_DIGITS",
    "CONNECTION_HEADER",
    "CONTROL_SOCKETS",
    "CONTROL_VARIABLE",
    "LEDGER_VARIABLE",
    "Answer",
    "AnswerError",
    "Identity",
    "ProcessResidue",
    "Question",
    "Status",
    "read_answer",
    "write_answer",
    "write_refusal",
]
