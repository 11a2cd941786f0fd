"""A finished ledger in a database: written once at the end of a run, read by the auditor and by people.

Import `write` and `read` from here; SQLAlchemy, which takes half a second, is loaded when they are used.
"""
