"""The ledger: what was done, by whom, to which record, and the proof that nothing is missing."""
