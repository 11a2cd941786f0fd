"""A permissioned trade-finance consortium ledger that runs on one laptop."""

__version__ = "0.1.0"
