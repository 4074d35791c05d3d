"""The one way a notice comes into being, and the case numbers that its reader may be told."""

from __future__ import annotations

from collections.abc import Iterable

from access.models.notices import Notice
from access.sql.functions import DEFINER, TRIGGER

Kind = Notice.Kind

# Which notices a role may send by itself. All others are sent by the functions that do what they tell of.
_BY_PEOPLE = {
    Kind.REQUEST_WAITING: ("ep_investigator", "ep_supervisor"),
    Kind.REQUEST_ANSWERED: ("ep_supervisor",),
    Kind.GRANT_REVOKED: ("ep_supervisor", "ep_secadmin"),
    Kind.WORK_HANDED_OVER: ("ep_supervisor",),
}
_BY_JOBS = (Kind.GRANT_ENDING, Kind.GRANT_REVOKED, Kind.GRANTS_UNUSED)


def _any_of(codes: Iterable[str]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


_MAY_SEND = " or ".join(
    [f"(the_kind = '{kind}' and worn in ({_any_of(roles)}))" for kind, roles in _BY_PEOPLE.items()]
    + [f"(the_kind in ({_any_of(_BY_JOBS)}) and worn in ('ep_job', 'epi_owner'))"]
)
AT_MOST = 500

NOTICES = f"""
create or replace function sec.put_notices(the_kind text, people uuid[], the_case uuid, the_decision uuid,
                                           the_about uuid)
    returns integer language plpgsql set search_path = pg_catalog, pg_temp as $$
declare written integer;
begin
    -- Not a SECURITY DEFINER: whoever calls it needs the right to insert, which only the owner of sec has.
    insert into public.access_notice (id, person_id, kind, case_id, decision_id, about_id, created_at)
        select gen_random_uuid(), u.id, the_kind, the_case, the_decision, the_about, clock_timestamp()
          from public.access_user u where u.id = any(people) and u.is_active;
    get diagnostics written = row_count;
    return written;
end $$;

create or replace function sec.notify(the_kind text, people uuid[], the_case uuid, the_decision uuid, the_about uuid)
    returns integer {TRIGGER} as $$
declare me uuid := sec.uid(); worn text := current_setting('role');
begin
    if not ({_MAY_SEND}) or (worn not in ('ep_job', 'epi_owner') and me is null) then
        raise exception 'this notice is not yours to send' using errcode = 'insufficient_privilege';
    end if;
    if me is not null and the_about is not null and the_about <> me then
        raise exception 'a notice is sent in the own name' using errcode = 'insufficient_privilege';
    end if;
    if cardinality(people) > {AT_MOST} then
        raise exception 'at most {AT_MOST} people at once' using errcode = 'program_limit_exceeded';
    end if;
    if the_kind = '{Kind.REQUEST_WAITING}' and exists (
        select 1 from public.access_user u where u.id = any(people) and u.role <> 'supervisor') then
        raise exception 'requests are answered by supervisors' using errcode = 'insufficient_privilege';
    end if;
    return sec.put_notices(the_kind, array_remove(people, me), the_case, the_decision, the_about);
end $$;

create or replace function sec.notice_numbers() returns table (notice_id uuid, case_no text)
    {DEFINER} rows 100 as $$
#variable_conflict use_column
declare me uuid := sec.uid(); place bigint := sec.org(); worn text := current_setting('role');
begin
    -- Auditors are told the number because the ledger shows it to them; administrators never.
    return query
        select n.id, c.case_no::text
          from public.access_notice n join public.cases_case c on c.id = n.case_id
         where n.person_id = me
           and (worn = 'ep_auditor'
                or (worn = 'ep_supervisor'
                    and (c.district_id = place or c.city_id = place or c.province_id = place))
                or (worn in ('ep_investigator', 'ep_supervisor')
                    and exists (select 1 from public.access_granthistory h
                                 where h.case_id = n.case_id and h.user_id = me)));
end $$;
"""
