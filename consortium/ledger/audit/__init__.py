"""Verifying a finished ledger from outside."""

from consortium.ledger.audit.audit import audit_ledger
from consortium.ledger.audit.report import AuditReport, Finding
from consortium.ledger.audit.tables import COLUMNS, WHAT_IS_CHECKED, Record

__all__ = ["COLUMNS", "WHAT_IS_CHECKED", "AuditReport", "Finding", "Record", "audit_ledger"]
