"""Who may do what to the ledger's tables, as plain data; the access room turns it into GRANT statements.

A row is (table, right, roles). What is not listed is refused. Nobody has UPDATE, DELETE or TRUNCATE on the
ledger itself.
"""

WRITERS = (
    "ep_none",
    "ep_investigator",
    "ep_supervisor",
    "ep_auditor",
    "ep_privacy",
    "ep_secadmin",
    "ep_sysadmin",
    "ep_partner",
    "ep_job",
    "ep_sealer",
)
READERS = ("ep_auditor", "ep_sealer")
SEALER = ("ep_sealer",)
# `epi_sec` owns the functions that fill the queue, that hand a person their own events, and that count for a
# supervisor what had been seen of a case of the area.
FUNCTION_OWNER = ("epi_sec",)

RIGHTS: list[tuple[str, str, tuple[str, ...]]] = [
    ("audit_event", "INSERT", WRITERS),
    ("audit_touch", "INSERT", WRITERS),
    ("django_content_type", "SELECT", WRITERS),
    ("audit_event", "SELECT", READERS + FUNCTION_OWNER),
    ("audit_touch", "SELECT", READERS + FUNCTION_OWNER),
    ("audit_leaf", "SELECT", READERS + FUNCTION_OWNER),
    ("audit_tile", "SELECT", READERS),
    ("audit_state", "SELECT", (*READERS, "ep_none", "ep_sysadmin")),
    ("audit_checkpoint", "SELECT", (*READERS, "ep_none", "ep_sysadmin")),
    ("audit_pending", "SELECT", (*READERS, "ep_none", "ep_sysadmin")),
    ("audit_pending", "INSERT", FUNCTION_OWNER),
    ("audit_pending", "DELETE", SEALER),
    ("audit_leaf", "INSERT", SEALER),
    ("audit_tile", "INSERT", SEALER),
    ("audit_tile", "UPDATE", SEALER),
    ("audit_state", "INSERT", SEALER),
    ("audit_state", "UPDATE", SEALER),
    ("audit_checkpoint", "INSERT", SEALER),
]
