"""Emergency access: the one function that gives it, what was seen with it, its review and the reminders."""

from __future__ import annotations

from access.sql.functions import DEFINER, TRIGGER

OPEN_AT_ONCE, A_DAY, LONGEST_HOURS = 2, 4, 24
PERMITTED = ("view_case", "reveal_identity", "reveal_reach")
_PERMITTED = ", ".join(f"'{codename}'" for codename in PERMITTED)

# One lock for each person: what is counted for a person is counted by one transaction at a time.
LOCK_FUNCTION = f"""
create or replace function sec.lock_person(person uuid) returns void {TRIGGER} as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('epicase.person.' || person::text, 0));
end $$;
"""

# Above a place: itself and what it belongs to. Its supervisors are those of any of them.
PEOPLE_FUNCTIONS = f"""
create or replace function sec.answerable(place bigint) returns uuid[] {DEFINER} as $$
declare people uuid[];
begin
    with recursive above as (
        select o.id, o.parent_id from public.access_organisation o where o.id = place
        union all select o.id, o.parent_id from public.access_organisation o join above a on o.id = a.parent_id
    ) select coalesce(array_agg(u.id), '{{}}') into people
        from public.access_user u join above a on a.id = u.organisation_id
       where u.is_active and u.role = 'supervisor';
    return people;
end $$;

create or replace function sec.holders_of_role(wanted text) returns uuid[] {DEFINER} as $$
declare people uuid[];
begin
    select coalesce(array_agg(u.id), '{{}}') into people
      from public.access_user u where u.is_active and u.role = wanted;
    return people;
end $$;
"""

# Limits come before the number is looked up, so that whoever has used them up learns nothing about numbers.
BREAK_GLASS_FUNCTION = f"""
create or replace function sec.break_glass(number text, why text, words text, hours integer)
    returns table (outcome text, decision_id uuid, case_id uuid, ends_at timestamptz) {TRIGGER} as $$
#variable_conflict use_column
declare
    me uuid := sec.uid();
    target public.cases_case;
    decision uuid := gen_random_uuid();
    began timestamptz;
    until timestamptz;
begin
    if me is null or current_setting('role') <> 'ep_investigator' then
        raise exception 'emergency access is for investigators' using errcode = 'insufficient_privilege';
    end if;
    if why is null or why not in ('life_threat', 'tracing_night', 'unreachable', 'other')
       or hours is null or hours not between 1 and {LONGEST_HOURS} or length(words) > 200
       or (why = 'other' and length(btrim(coalesce(words, ''))) < 10) then
        raise exception 'no reason, or no end' using errcode = 'check_violation';
    end if;
    perform sec.lock_person(me);
    began := clock_timestamp();
    until := began + make_interval(hours => hours);
    if exists (select 1 from public.access_emergencyaccess e
                where e.person_id = me and e.opened_at < began - interval '72 hours'
                  and not exists (select 1 from public.access_decisionreview r where r.decision_id = e.decision_id)) then
        return query select 'review_missing', null::uuid, null::uuid, null::timestamptz;
        return;
    end if;
    if (select count(*) from public.access_emergencyaccess e
         where e.person_id = me and e.opened_at > began - interval '24 hours') >= {A_DAY} then
        return query select 'four_a_day', null::uuid, null::uuid, null::timestamptz;
        return;
    end if;
    if (select count(distinct g.decision_id) from public.access_casegrant g
         where g.user_id = me and g.kind = 'emergency' and g.expires_at > began) >= {OPEN_AT_ONCE} then
        return query select 'two_open', null::uuid, null::uuid, null::timestamptz;
        return;
    end if;
    select c.* into target from public.cases_case c where c.case_no = number;
    if target.id is null then
        return query select 'no_such_number', null::uuid, null::uuid, null::timestamptz;
        return;
    end if;
    if (select count(*) from public.access_casegrant g join public.auth_permission p on p.id = g.permission_id
         where g.user_id = me and g.content_object_id = target.id and g.expires_at > began
           and p.codename in ({_PERMITTED})) = {len(PERMITTED)} then
        return query select 'held_already', null::uuid, target.id, null::timestamptz;
        return;
    end if;
    insert into public.access_accessdecision (id, kind, purpose, reason, granted_by_id, created_at)
         values (decision, 'emergency', case why when 'tracing_night' then 'P4' else 'P2' end,
                 btrim(coalesce(words, '')), me, began);
    insert into public.access_emergencyaccess (decision_id, case_id, case_no, person_id, reason_code, opened_at, ends_at)
         values (decision, target.id, target.case_no, me, why, began, until);
    -- What the person holds already, and for longer, stays as it is; what has run out makes room.
    delete from public.access_casegrant g using public.auth_permission p
     where p.id = g.permission_id and p.codename in ({_PERMITTED})
       and g.user_id = me and g.content_object_id = target.id and g.expires_at <= began;
    insert into public.access_casegrant (id, user_id, permission_id, content_object_id, decision_id, granted_by_id,
                                         kind, starts_at, expires_at)
         select gen_random_uuid(), me, p.id, target.id, decision, me, 'emergency', began, until
           from public.auth_permission p join public.django_content_type t on t.id = p.content_type_id
          where t.app_label = 'cases' and t.model = 'case' and p.codename in ({_PERMITTED})
            and not exists (select 1 from public.access_casegrant g
                             where g.user_id = me and g.content_object_id = target.id and g.permission_id = p.id);
    perform sec.put_notices('emergency_opened',
        array_remove(sec.answerable(target.district_id) || sec.holders_of_role('auditor'), me),
        target.id, decision, me);
    return query select 'opened', decision, target.id, until;
end $$;
"""

# Which fields of the case were opened while the emergency access ran: names and counts, never a value.
SEEN_FUNCTION = f"""
create or replace function sec.seen_in_emergency(decision uuid)
    returns table (model text, field text, data_class text, times bigint, first_at timestamptz, last_at timestamptz)
    {DEFINER} rows 50 as $$
#variable_conflict use_column
declare worn text := current_setting('role'); place bigint := sec.org();
begin
    if sec.uid() is null or worn not in ('ep_supervisor', 'ep_auditor') then return; end if;
    return query
        with one as (
            select x.person_id, x.case_id, x.opened_at, x.ends_at
              from public.access_emergencyaccess x join public.cases_case c on c.id = x.case_id
             where x.decision_id = decision
               and (worn = 'ep_auditor'
                    or c.district_id = place or c.city_id = place or c.province_id = place)
        ), acts as materialized (
            select e.occurred_at, convert_from(e.body, 'UTF8')::jsonb as body
              from one
              join public.audit_touch t on t.object_id = one.case_id
                   and t.occurred_at >= one.opened_at and t.occurred_at <= one.ends_at
              join public.audit_event e on e.id = t.event_id and e.occurred_at = t.occurred_at
             where e.actor_id = one.person_id
        ) select o.line ->> 'type', o.line ->> 'field', o.line ->> 'class', count(*),
                 min(a.occurred_at), max(a.occurred_at)
            from acts a cross join lateral jsonb_array_elements(a.body -> 'opened') as o(line)
           group by 1, 2, 3 order by 3, 2;
end $$;
"""

REVIEW_TRIGGERS = f"""
create or replace function sec.review_checked() returns trigger {TRIGGER} as $$
begin
    if not exists (select 1 from public.access_emergencyaccess e where e.decision_id = new.decision_id) then
        raise exception 'only emergency access is reviewed' using errcode = 'insufficient_privilege';
    end if;
    if exists (select 1 from public.access_accessdecision d
                where d.id = new.decision_id and d.granted_by_id = new.reviewed_by_id) then
        raise exception 'nobody reviews the own emergency access' using errcode = 'insufficient_privilege';
    end if;
    new.reviewed_at := clock_timestamp();
    return new;
end $$;
drop trigger if exists review_checked on access_decisionreview;
create trigger review_checked before insert on access_decisionreview
    for each row execute function sec.review_checked();

create or replace function sec.review_acts() returns trigger {TRIGGER} as $$
declare one public.access_emergencyaccess;
begin
    select e.* into one from public.access_emergencyaccess e where e.decision_id = new.decision_id;
    if new.verdict = 'not_justified' then
        delete from public.access_casegrant g where g.decision_id = new.decision_id;
        perform sec.put_notices('emergency_unjustified',
            sec.holders_of_role('auditor') || sec.holders_of_role('secadmin'), one.case_id, one.decision_id,
            one.person_id);
    end if;
    perform sec.put_notices('emergency_reviewed', array[one.person_id], one.case_id, one.decision_id,
                            new.reviewed_by_id);
    return null;
end $$;
drop trigger if exists review_acts on access_decisionreview;
create trigger review_acts after insert on access_decisionreview
    for each row execute function sec.review_acts();

drop trigger if exists review_stays on access_decisionreview;
create trigger review_stays before update or delete on access_decisionreview
    for each row execute function sec.refuse_change();
drop trigger if exists emergency_stays on access_emergencyaccess;
create trigger emergency_stays before update or delete on access_emergencyaccess
    for each row execute function sec.refuse_change();
"""

# Each reminder is sent once: the notices themselves remember it.
REMIND_FUNCTION = f"""
create or replace function sec.remind_reviews() returns table (decision_id uuid, kind text) {TRIGGER} as $$
#variable_conflict use_column
declare one record; due text;
begin
    if current_setting('role') not in ('ep_job', 'epi_owner') then
        raise exception 'not a door for this role' using errcode = 'insufficient_privilege';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('epicase.remind_reviews', 0));
    for one in
        select e.decision_id, e.case_id, e.person_id, e.opened_at, c.district_id
          from public.access_emergencyaccess e join public.cases_case c on c.id = e.case_id
         where e.opened_at < clock_timestamp() - interval '48 hours'
           and not exists (select 1 from public.access_decisionreview r where r.decision_id = e.decision_id)
    loop
        due := case when one.opened_at < clock_timestamp() - interval '72 hours'
                    then 'review_overdue' else 'emergency_to_review' end;
        if not exists (select 1 from public.access_notice n
                        where n.decision_id = one.decision_id and n.kind = due) then
            perform sec.put_notices(due,
                array_remove(sec.answerable(one.district_id), one.person_id)
                || case when due = 'review_overdue' then sec.holders_of_role('auditor') else '{{}}'::uuid[] end,
                one.case_id, one.decision_id, one.person_id);
            return query select one.decision_id, due;
        end if;
    end loop;
end $$;
"""

CONSTRAINTS = f"""
alter table access_casegrant drop constraint if exists grant_emergency_ends_in_a_day;
alter table access_casegrant add constraint grant_emergency_ends_in_a_day
    check (kind <> 'emergency' or expires_at - starts_at <= interval '{LONGEST_HOURS} hours');
alter table access_emergencyaccess drop constraint if exists emergency_ends_in_a_day;
alter table access_emergencyaccess add constraint emergency_ends_in_a_day
    check (ends_at - opened_at <= interval '{LONGEST_HOURS} hours');
"""
PARTS = (
    LOCK_FUNCTION,
    PEOPLE_FUNCTIONS,
    BREAK_GLASS_FUNCTION,
    SEEN_FUNCTION,
    REVIEW_TRIGGERS,
    REMIND_FUNCTION,
)
