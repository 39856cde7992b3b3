"""The self-test: defects planted on purpose, and whether the audit finds each, with the right count and cause.

Truth is computed from the client's ledger and from what was planted, never with the audit's own code.
"""

import loadtest.shipped  # noqa: F401 (first: `target_app` is imported from where it is)
from loadtest.selftest.cases import Case, choose_cases
from loadtest.selftest.running import run_cases
from loadtest.selftest.verdicts import Outcome

__all__ = ["Case", "Outcome", "choose_cases", "run_cases"]
