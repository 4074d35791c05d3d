"""Handing over the work of somebody who leaves: what was held, who may take it over, and who is told."""

from __future__ import annotations

from access.sql.functions import DEFINER, TRIGGER

# What may be passed on. Emergency access, a stand-in's and a single use were for one person and one moment.
_PASSED_ON = "kind in ('created', 'direct', 'request', 'bulk', 'team', 'handover')"
LEFT_DAYS = 30
# What a security administrator ended: the account's change or end, and nothing a supervisor took back.
_LEFT = f"""h.change = 'delete' and h.by_role = 'ep_secadmin'
               and h.happened_at > statement_timestamp() - interval '{LEFT_DAYS} days'
               and not exists (
                   select 1 from public.access_granthistory l
                    where l.user_id = h.user_id and l.case_id = h.case_id and l.codename = h.codename
                      and l.happened_at > h.happened_at)"""

# The last word on each row of a hand-over: asked by the policy on grants.
TAKE_OVER_FUNCTION = f"""
create or replace function sec.may_take_over(decision uuid, taker uuid, the_case uuid, permission int, until timestamptz)
    returns boolean {DEFINER} as $$
declare d public.access_accessdecision; me uuid := sec.uid(); places bigint[] := sec.area();
begin
    select * into d from public.access_accessdecision where id = decision;
    if not found or d.kind <> 'handover' or d.granted_by_id is distinct from me
       or taker in (me, d.taken_over_from_id) or d.purpose = 'P8' then
        return false;
    end if;
    if not sec.has_role(taker, 'investigator') or not exists (
        select 1 from public.access_user u where u.id = taker and u.organisation_id = any(places)) then
        return false;
    end if;
    if not exists (
        select 1 from public.cases_case c where c.id = the_case and c.district_id = any(places)) then
        return false;
    end if;
    return exists (
            select 1 from public.access_casegrant g join public.access_accessdecision o on o.id = g.decision_id
             where g.user_id = d.taken_over_from_id and g.content_object_id = the_case
               and g.permission_id = permission and g.expires_at >= until and g.expires_at > statement_timestamp()
               and not g.single_use and g.{_PASSED_ON} and o.purpose = d.purpose)
        or exists (
            select 1 from public.access_granthistory h
              join public.access_accessdecision o on o.id = h.decision_id
              join public.auth_permission p on p.codename = h.codename and p.id = permission
             where h.user_id = d.taken_over_from_id and h.case_id = the_case and {_LEFT}
               and h.expires_at >= until and not h.single_use and h.{_PASSED_ON} and o.purpose = d.purpose);
end $$;
"""

# Access in the supervisor's area that a security administrator ended lately and that would run still. What another
# holds in the leaver's stead is handed over already; on what they hold themselves again they work on.
LEFT_FUNCTIONS = f"""
create or replace function sec.left_work(people uuid[])
    returns table (user_id uuid, case_id uuid, codename text, expires_at timestamptz, purpose text, kind text,
                   single_use boolean, left_at timestamptz)
    {DEFINER} rows 200 as $$
#variable_conflict use_column
declare places bigint[] := sec.area();
begin
    if sec.uid() is null or current_setting('role') <> 'ep_supervisor' then return; end if;
    return query
        select h.user_id, h.case_id, h.codename::text, h.expires_at, o.purpose::text, h.kind::text, h.single_use,
               h.happened_at
          from public.access_granthistory h
          join public.cases_case c on c.id = h.case_id and c.district_id = any(places)
          join public.access_accessdecision o on o.id = h.decision_id
         where {_LEFT} and h.expires_at > statement_timestamp() and (people is null or h.user_id = any(people))
           and not exists (
               select 1 from public.access_casegrant g
                where g.content_object_id = h.case_id and g.user_id = h.user_id and g.expires_at > statement_timestamp())
           and not exists (
               select 1 from public.access_casegrant g
                 join public.access_accessdecision d on d.id = g.decision_id
                 join public.auth_permission p on p.id = g.permission_id
                where g.content_object_id = h.case_id and p.codename = h.codename
                  and d.taken_over_from_id = h.user_id and g.expires_at > statement_timestamp());
end $$;
"""

# Whoever answers for a leaver's cases is told, in the transaction in which the access ends.
LEFT_TRIGGER = f"""
create or replace function sec.work_left() returns trigger {TRIGGER} as $$
begin
    if old.role <> 'investigator' or sec.uid() is null then return null; end if;
    perform sec.put_notices('work_left', array(
        select distinct u.id from public.access_granthistory h
          join public.cases_case c on c.id = h.case_id
          join public.access_user u on u.role = 'supervisor'
               and u.organisation_id in (c.district_id, c.city_id, c.province_id)
         where {_LEFT} and h.user_id = new.id and h.happened_at >= now() and h.by_id = sec.uid()
           and h.expires_at > statement_timestamp()), null, null, new.id);
    return null;
end $$;
drop trigger if exists work_left on access_user;
create trigger work_left after update of role, organisation_id, is_active on access_user for each row
    when (old.role <> new.role or old.is_active <> new.is_active or old.organisation_id <> new.organisation_id)
    execute function sec.work_left();
"""
