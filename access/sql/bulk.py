"""Grants that stand for many: of a team, for an absent colleague; grants for one use; grants that nobody uses."""

from __future__ import annotations

from access.sql.functions import DEFINER, TRIGGER

# Whatever the program expands, each row is compared with the decision behind it.
EXPANSION_TRIGGERS = f"""
create or replace function sec.grant_expanded() returns trigger {TRIGGER} as $$
declare d public.access_accessdecision;
begin
    if current_setting('role') in ('epi_owner', 'epi_sec') then return new; end if;
    select * into d from public.access_accessdecision where id = new.decision_id;
    if d.kind <> new.kind or new.used_at is not null then
        raise exception 'the grant is of another kind than its decision' using errcode = 'insufficient_privilege';
    end if;
    if new.single_use and exists (
        select 1 from public.auth_permission p where p.id = new.permission_id and p.codename = 'export_case') then
        raise exception 'what is for a single use cannot be exported' using errcode = 'insufficient_privilege';
    end if;
    if d.kind = 'team' and not exists (
        select 1 from public.access_teammember m join public.access_team t on t.id = m.team_id and t.is_active
         where m.team_id = d.team_id and m.user_id = new.user_id) then
        raise exception 'not a member of this team' using errcode = 'insufficient_privilege';
    end if;
    if d.kind = 'stand_in' and (new.user_id = d.stands_in_for_id or not exists (
        select 1 from public.access_casegrant g join public.access_accessdecision o on o.id = g.decision_id
         where g.user_id = d.stands_in_for_id and g.content_object_id = new.content_object_id
           and g.permission_id = new.permission_id and g.expires_at >= new.expires_at
           and g.expires_at > statement_timestamp() and not g.single_use
           and g.kind in ('created', 'direct', 'request', 'bulk', 'team', 'handover') and o.purpose = d.purpose)) then
        raise exception 'a stand-in holds no more than the colleague' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
drop trigger if exists grant_expanded on access_casegrant;
create trigger grant_expanded before insert on access_casegrant for each row execute function sec.grant_expanded();

create or replace function sec.team_left() returns trigger {TRIGGER} as $$
begin
    delete from public.access_casegrant g using public.access_accessdecision d
     where d.id = g.decision_id and d.team_id = old.team_id and g.user_id = old.user_id and g.kind = 'team';
    return null;
end $$;
drop trigger if exists team_left on access_teammember;
create trigger team_left after delete on access_teammember for each row execute function sec.team_left();

create or replace function sec.team_closed() returns trigger {TRIGGER} as $$
begin
    delete from public.access_casegrant g using public.access_accessdecision d
     where d.id = g.decision_id and d.team_id = old.id and g.kind = 'team';
    return null;
end $$;
drop trigger if exists team_closed on access_team;
create trigger team_closed after update on access_team for each row
    when (old.is_active and not new.is_active) execute function sec.team_closed();
"""

# The grantee has no right to change a grant; this shortens the own one, and nothing else.
USE_ONCE_FUNCTION = f"""
create or replace function sec.use_once(the_case uuid) returns timestamptz {TRIGGER} as $$
declare me uuid := sec.uid(); ends timestamptz;
begin
    if me is null or current_setting('role') <> 'ep_investigator' then return null; end if;
    with used as (
        update public.access_casegrant g
           set used_at = statement_timestamp(),
               expires_at = least(g.expires_at, statement_timestamp() + interval '15 minutes')
         where g.user_id = me and g.content_object_id = the_case and g.single_use and g.used_at is null
           and g.expires_at > statement_timestamp()
        returning g.expires_at
    ) select min(used.expires_at) into ends from used;
    return ends;
end $$;
"""

# Being listed is no use; opening, showing, correcting and exporting are.
_UNUSED = """
        select g.user_id, g.content_object_id as case_id, c.district_id, min(g.starts_at) as given,
               max(g.expires_at) as until
          from public.access_casegrant g join public.cases_case c on c.id = g.content_object_id
         where g.expires_at > statement_timestamp()
         group by 1, 2, 3
        having min(g.starts_at) < since
           and not exists (
               select 1 from public.audit_touch t
                 join public.audit_event e on e.id = t.event_id and e.occurred_at = t.occurred_at
                where t.object_id = g.content_object_id and t.occurred_at >= since and e.actor_id = g.user_id
                  and e.outcome = 0 and e.act not in ('case.list', 'contact.list', 'grant.view', 'page.view'))"""

UNUSED_FUNCTIONS = f"""
create or replace function sec.unused(days int, at_most int default 500)
    returns table (user_id uuid, case_id uuid, given timestamptz, until timestamptz) {DEFINER} rows 100 as $$
#variable_conflict use_column
declare places bigint[] := sec.area(); since timestamptz := statement_timestamp() - days * interval '1 day';
begin
    if sec.uid() is null or current_setting('role') <> 'ep_supervisor' then return; end if;
    return query
        select u.user_id, u.case_id, u.given, u.until from ({_UNUSED}
        ) u where u.district_id = any(places) order by u.given, u.user_id, u.case_id limit least(at_most, 5000);
end $$;

create or replace function sec.unused_counts(days int) returns table (organisation_id bigint, n bigint)
    {DEFINER} rows 100 as $$
#variable_conflict use_column
declare since timestamptz := statement_timestamp() - days * interval '1 day';
begin
    if current_setting('role') <> 'ep_job' then return; end if;
    return query select u.district_id, count(*) from ({_UNUSED}
        ) u group by 1;
end $$;
"""
