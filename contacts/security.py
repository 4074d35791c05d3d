"""Who may do what with the tables of this room: the second fence, in PostgreSQL itself."""

from access.rls import allow, pin, protect
from cases.security import INVESTIGATOR, MAY_CHANGE, MAY_VIEW, ME, SUPERVISOR, case_in_my_area


def declare() -> None:
    """Hand the declarations to `access.rls`; called once, when the apps are ready."""
    protect(
        "contacts.Contact",
        allow(INVESTIGATOR, "select", f"source_case_id = any({MAY_VIEW})"),
        allow(INVESTIGATOR, "insert", check=f"created_by_id = {ME} and source_case_id = any({MAY_CHANGE})"),
        allow(INVESTIGATOR, "update", f"source_case_id = any({MAY_CHANGE})"),
        allow(SUPERVISOR, "select update", case_in_my_area("source_case_id")),
        allow(SUPERVISOR, "insert", check=f"created_by_id = {ME} and {case_in_my_area('source_case_id')}"),
    )
    both = f"infectee_id = any({MAY_CHANGE}) and infector_id = any({MAY_VIEW})"
    protect(
        "contacts.TransmissionLink",
        allow(INVESTIGATOR, "select", f"infectee_id = any({MAY_VIEW})"),
        allow(INVESTIGATOR, "insert", check=f"created_by_id = {ME} and {both}"),
        allow(INVESTIGATOR, "update", f"infectee_id = any({MAY_CHANGE})", check=both),
        allow(SUPERVISOR, "select update", case_in_my_area("infectee_id")),
        allow(SUPERVISOR, "insert", check=f"created_by_id = {ME} and {case_in_my_area('infectee_id')}"),
    )
    pin("contacts.Contact", "id", "source_case_id", "created_by_id")
    pin("contacts.TransmissionLink", "id", "created_by_id")
