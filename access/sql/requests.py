"""Triggers on requests, and on the decisions and grants that stand behind them."""

from __future__ import annotations

from access.sql.functions import DEFINER, TRIGGER

# The asker's own role can read neither cases nor `case_id`: whether the number is anybody's stays in here.
REQUEST_TRIGGERS = f"""
create or replace function sec.request_new() returns trigger {TRIGGER} as $$
declare undecided int;
begin
    select c.id into new.case_id from public.cases_case c where c.case_no = new.case_no;
    if new.kind = 'extension' and exists (
        select 1 from unnest(new.permissions) as wanted(codename) where not exists (
            select 1 from public.access_casegrant g join public.auth_permission p on p.id = g.permission_id
             where g.user_id = new.person_id and g.content_object_id = new.case_id
               and p.codename = wanted.codename and g.expires_at > statement_timestamp())) then
        raise exception 'only access that lasts can be asked for longer' using errcode = 'insufficient_privilege';
    end if;
    select count(*) into undecided from public.access_accessrequest r
     where r.asker_id = new.asker_id and r.status in ('open', 'waiting_second');
    if new.kind <> 'proposal' and undecided >= 20 then
        raise exception 'too many open requests' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
drop trigger if exists request_new on access_accessrequest;
create trigger request_new before insert on access_accessrequest for each row execute function sec.request_new();

create or replace function sec.request_step() returns trigger {TRIGGER} as $$
begin
    if old.status not in ('open', 'waiting_second') or new.status = 'open'
       or (old.status = 'waiting_second' and new.status = 'waiting_second') then
        raise exception 'this request has been answered' using errcode = 'insufficient_privilege';
    end if;
    if new.status = 'waiting_second' then
        if new.first_approver_id = new.asker_id or not sec.has_role(new.first_approver_id, 'supervisor') then
            raise exception 'the first approver is another supervisor' using errcode = 'insufficient_privilege';
        end if;
    elsif new.first_approver_id is distinct from old.first_approver_id then
        raise exception 'the first approval is a step of its own' using errcode = 'insufficient_privilege';
    end if;
    if old.status = 'waiting_second' and (new.given_permissions is distinct from old.given_permissions
                                          or new.given_days is distinct from old.given_days) then
        raise exception 'the second approver changes nothing' using errcode = 'insufficient_privilege';
    end if;
    if new.status = 'approved' and not exists (
        select 1 from public.access_accessdecision d where d.request_id = new.id) then
        raise exception 'an approved request has its decision' using errcode = 'insufficient_privilege';
    end if;
    new.decided_at := case when new.status <> 'waiting_second' then statement_timestamp() end;
    return new;
end $$;
drop trigger if exists request_step on access_accessrequest;
create trigger request_step before update on access_accessrequest for each row execute function sec.request_step();
drop trigger if exists request_stays on access_accessrequest;
create trigger request_stays before delete on access_accessrequest for each row execute function sec.refuse_change();
"""

# A decision that speaks of a request, or of a second approver, agrees with the request's row.
DECISION_TRIGGER = f"""
create or replace function sec.decision_backed() returns trigger {TRIGGER} as $$
declare r public.access_accessrequest;
begin
    if new.kind <> 'request' and new.request_id is null and new.second_approver_id is null then return new; end if;
    select * into r from public.access_accessrequest where id = new.request_id for update;
    if not found or r.status not in ('open', 'waiting_second') or r.case_id is null then
        raise exception 'no open request stands behind this decision' using errcode = 'insufficient_privilege';
    end if;
    if new.purpose <> r.purpose or (new.kind = 'request') = (r.kind = 'proposal')
       or new.kind not in ('request', 'direct') then
        raise exception 'the decision answers another request' using errcode = 'insufficient_privilege';
    end if;
    if new.granted_by_id = r.person_id or (r.kind <> 'proposal' and new.granted_by_id = r.asker_id) then
        raise exception 'nobody approves their own request' using errcode = 'insufficient_privilege';
    end if;
    if r.status = 'open' and new.second_approver_id is null then return new; end if;
    if r.status = 'open' or new.second_approver_id is null or new.granted_by_id <> r.first_approver_id
       or new.second_approver_id in (r.first_approver_id, r.asker_id, r.person_id)
       or not sec.has_role(new.second_approver_id, 'supervisor') then
        raise exception 'the second approver is another supervisor' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
drop trigger if exists decision_backed on access_accessdecision;
create trigger decision_backed before insert on access_accessdecision
    for each row execute function sec.decision_backed();
"""

# Whoever seeds and migrates wears the owner's role, which no person and no worker of the product can put on.
# Grants of kind 'created' come from a trigger of ours and last 30 days for tracing: they pass like any other.
GRANT_TRIGGER = f"""
create or replace function sec.grant_backed() returns trigger {TRIGGER} as $$
declare d public.access_accessdecision; r public.access_accessrequest; permitted text;
begin
    if current_setting('role') in ('epi_owner', 'epi_sec') then return new; end if;
    select * into d from public.access_accessdecision where id = new.decision_id;
    select p.codename into permitted from public.auth_permission p where p.id = new.permission_id;
    if d.purpose = 'P8' and permitted in ('reveal_identity', 'reveal_reach') then
        raise exception 'research never sees who the person is' using errcode = 'insufficient_privilege';
    end if;
    if d.request_id is not null then
        select * into r from public.access_accessrequest where id = d.request_id;
        if r.status <> 'approved' or r.person_id <> new.user_id or r.case_id <> new.content_object_id
           or not permitted = any(r.given_permissions)
           or new.expires_at - new.starts_at > r.given_days * interval '1 day'
           or new.expires_at > r.decided_at + r.given_days * interval '1 day' + interval '5 minutes' then
            raise exception 'the grant is wider than what was approved' using errcode = 'insufficient_privilege';
        end if;
    end if;
    if d.second_approver_id is null
       and (d.purpose = 'P8' or new.expires_at - new.starts_at > interval '30 days') then
        raise exception 'a second supervisor has to agree' using errcode = 'insufficient_privilege';
    end if;
    if d.second_approver_id in (new.user_id, new.granted_by_id) then
        raise exception 'the second approver is another supervisor' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
drop trigger if exists grant_backed on access_casegrant;
create trigger grant_backed before insert on access_casegrant for each row execute function sec.grant_backed();
"""

# What a supervisor learns about whoever asks: two numbers, over all areas, and only while they ask here.
FUNCTIONS = f"""
create or replace function sec.seconded(decision uuid, approver uuid) returns boolean {DEFINER} as $$
begin
    return exists (select 1 from public.access_accessdecision d
                    where d.id = decision and d.second_approver_id = approver);
end $$;

create or replace function sec.load_of(people uuid[])
    returns table (person_id uuid, cases bigint, unfinished bigint) {DEFINER} as $$
#variable_conflict use_column
declare me uuid := sec.uid(); places bigint[] := sec.area();
begin
    if me is null or not sec.has_role(me, 'supervisor') then return; end if;
    return query
        select g.user_id, count(distinct c.id),
               count(distinct c.id) filter (where c.status not in ('closed', 'archived'))
          from public.access_casegrant g join public.cases_case c on c.id = g.content_object_id
         where g.user_id = any(people) and g.expires_at > statement_timestamp()
           and exists (select 1 from public.access_accessrequest r join public.cases_case k on k.id = r.case_id
                        where r.person_id = g.user_id and k.district_id = any(places))
         group by g.user_id;
end $$;
"""
