"""Checks an epicase ledger without epicase."""
