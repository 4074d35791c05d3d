"""What can go wrong with the ledger; each of these ends a request with 503."""


class AuditError(Exception):
    """The ledger cannot be written as it must be, so the act may not happen."""


class AuditOutsideContext(AuditError):
    """Something auditable happened outside a request and outside `audit_job`."""


class AuditOutsideTransaction(AuditError):
    """Something auditable happened in autocommit: the act and its event could not share one COMMIT."""


class UnnamedChange(AuditError):
    """Rows were changed, but no act was recorded that they belong to."""


class UnnamedOpening(AuditError):
    """A secret was opened, but no act was recorded that it belongs to."""


class UnguardedBulk(AuditError):
    """A bulk statement on an audited model, outside `audited_bulk`."""


class StreamingRefused(AuditError):
    """A streaming answer would leave before its event is committed."""


class TransactionAborted(AuditError):
    """The database gave up this transaction; a COMMIT would silently be a ROLLBACK."""


class DirectWriteRefused(AuditError):
    """Somebody tried to write an event around `audit.trail.record`."""
