"""Who may do what with the tables of this room: the second fence, in PostgreSQL itself."""

from access.rls import allow, pin, protect
from access.roles import PgRole

INVESTIGATOR, SUPERVISOR, PRIVACY = "ep_investigator", "ep_supervisor", "ep_privacy"
SEC, JOB = PgRole.SEC.value, PgRole.JOB.value
WORKERS = (INVESTIGATOR, SUPERVISOR)
READERS = (INVESTIGATOR, SUPERVISOR, PRIVACY, JOB)

ME = "(select sec.uid())"
MY_AREA = "(select sec.area())::bigint[]"
MAY_VIEW = "(select sec.granted('view_case'))::uuid[]"
MAY_CHANGE = "(select sec.granted('change_case'))::uuid[]"


def case_in_my_area(column: str) -> str:
    """The row's case lies in the supervisor's area: the case's own policy is asked again."""
    return f"exists (select 1 from cases_case c where c.id = {column})"


def declare() -> None:
    """Hand the declarations to `access.rls`; called once, when the apps are ready."""
    _cases()
    _registers()
    _imports()


def _cases() -> None:
    mine = f"created_by_id = {ME} and district_id = any({MY_AREA})"
    protect(
        "cases.Case",
        allow(INVESTIGATOR, "select", f"id = any({MAY_VIEW})"),
        allow(INVESTIGATOR, "insert", check=mine),
        allow(INVESTIGATOR, "update", f"id = any({MAY_CHANGE})", check="true"),
        # A case stays in the supervisor's area: handing it to another one is a transfer, not an update.
        allow(SUPERVISOR, "select update", f"district_id = any({MY_AREA})"),
        allow(SUPERVISOR, "insert", check=mine),
        allow(SEC, "select"),
    )
    protect(
        "cases.Visit",
        allow(INVESTIGATOR, "select", f"case_id = any({MAY_VIEW})"),
        allow(INVESTIGATOR, "insert", check=f"created_by_id = {ME} and case_id = any({MAY_CHANGE})"),
        allow(INVESTIGATOR, "update", f"case_id = any({MAY_CHANGE})"),
        allow(SUPERVISOR, "select update", case_in_my_area("case_id")),
        allow(SUPERVISOR, "insert", check=f"created_by_id = {ME} and {case_in_my_area('case_id')}"),
    )
    pin("cases.Visit", "id", "case_id", "created_by_id")


def _registers() -> None:
    protect("cases.DiseaseProfile", allow(READERS, "select"), row_security=False)
    protect(
        "cases.Outbreak", allow(READERS, "select"), allow(SUPERVISOR, "insert update"), row_security=False
    )
    protect("cases.Place", allow(READERS, "select"), allow(WORKERS, "insert update"), row_security=False)
    protect(
        "cases.CaseCounter",
        allow(WORKERS, "select"),
        allow(WORKERS, "update", columns=("last_case", "last_contact")),
        allow(SUPERVISOR, "insert"),
        row_security=False,
    )


def _imports() -> None:
    protect(
        "cases.ImportRun",
        allow(SUPERVISOR, "select insert update", f"by_id = {ME}"),
        allow(JOB, "select update"),
    )
    protect(
        "cases.ImportRowIssue",
        allow(SUPERVISOR, "select insert", "exists (select 1 from cases_importrun r where r.id = run_id)"),
        allow(JOB, "select insert"),
    )
    # The sealed file opens for nobody but its importer; rows are remembered as keyed tokens.
    protect(
        "cases.ImportFile",
        allow(
            SUPERVISOR, "select insert update", "exists (select 1 from cases_importrun r where r.id = run_id)"
        ),
        allow(JOB, "select update"),
    )
    protect("cases.ImportedRow", allow(JOB, "select insert update"))
    my_run = "exists (select 1 from cases_importrun r where r.id = run_id)"
    protect("cases.ImportFile", allow(SUPERVISOR, "select insert update", my_run))
    # Tokens only. The rows of another area's import are nobody else's business.
    mine = f"exists (select 1 from cases_case c where c.id = record_id and c.district_id = any({MY_AREA}))"
    protect("cases.ImportedRow", allow(SUPERVISOR, "select insert update", mine))
