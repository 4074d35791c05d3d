"""People who met a case: contacts, levels, follow-up and transmission links."""
