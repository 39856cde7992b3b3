"""The audit of ledgers that were recorded without the bench: both sides read, matched and checked."""

from loadtest.audit.audited import Audited, Told, audited
from loadtest.audit.folder import write_run
from loadtest.audit.matching import AuditError

__all__ = ["AuditError", "Audited", "Told", "audited", "write_run"]
