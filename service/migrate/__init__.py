"""Migrations: numbered files that only go forward, a ledger of what was applied, and one process at a time."""
