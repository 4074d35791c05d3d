"""Names that the declarations of this package share."""

from __future__ import annotations

from access.roles import PgRole

NONE = PgRole.NONE.value
SEC = PgRole.SEC.value
JOB = PgRole.JOB.value
INVESTIGATOR, SUPERVISOR, AUDITOR = "ep_investigator", "ep_supervisor", "ep_auditor"
SECADMIN = "ep_secadmin"
SEALER = PgRole.SEALER.value

ME = "(select sec.uid())"
CASE_IN_MY_AREA = "exists (select 1 from cases_case c where c.id = case_id)"
MY_AREA_OF_CASE = "exists (select 1 from cases_case c where c.id = content_object_id)"
# A row's life is counted from the moment it names, so that moment may not be put off.
MADE_NOW = (
    "between statement_timestamp() - interval '5 minutes' and statement_timestamp() + interval '5 minutes'"
)
