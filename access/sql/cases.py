"""Triggers on cases: their place in the tree, their day in lists, the grants of whoever opens one."""

from __future__ import annotations

from access.sql.functions import TRIGGER

# Whoever opens a case as an investigator may work on it for 30 days; no role may insert grants of this kind itself.
CASE_TRIGGERS = f"""
create or replace function sec.case_place() returns trigger {TRIGGER} as $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('epicase.tree'));
    select o.parent_id into new.city_id from public.access_organisation o where o.id = new.district_id;
    select o.parent_id into new.province_id from public.access_organisation o where o.id = new.city_id;
    new.sort_date := coalesce(new.onset_date, new.first_positive_date, (new.reported_at at time zone 'UTC')::date);
    if tg_op = 'UPDATE' then
        if new.id <> old.id or new.case_no <> old.case_no or new.outbreak_id <> old.outbreak_id
           or new.created_by_id <> old.created_by_id then
            raise exception 'the identity of a case never changes' using errcode = 'insufficient_privilege';
        end if;
        if new.district_id <> old.district_id and current_setting('role') = 'ep_investigator' then
            raise exception 'only a supervisor moves a case to another district' using errcode = 'insufficient_privilege';
        end if;
    end if;
    return new;
end $$;
drop trigger if exists case_place on cases_case;
create trigger case_place before insert or update on cases_case for each row execute function sec.case_place();

create or replace function sec.case_creator_grants() returns trigger {TRIGGER} as $$
declare decision uuid := gen_random_uuid(); until timestamptz := now() + interval '30 days';
begin
    if not sec.has_role(new.created_by_id, 'investigator') then return null; end if;
    insert into public.access_accessdecision (id, kind, purpose, reason, granted_by_id, created_at)
         values (decision, 'created', 'P4', '', new.created_by_id, now());
    insert into public.access_casegrant (id, user_id, permission_id, content_object_id, decision_id, granted_by_id,
                                         kind, starts_at, expires_at, sort_date)
         select gen_random_uuid(), new.created_by_id, p.id, new.id, decision, new.created_by_id,
                'created', now(), until, new.sort_date
           from public.auth_permission p join public.django_content_type t on t.id = p.content_type_id
          where t.app_label = 'cases' and t.model = 'case'
            and p.codename in ('view_case', 'change_case', 'export_case', 'reveal_identity', 'reveal_reach',
                               'reveal_health', 'reveal_trajectory');
    return null;
end $$;
drop trigger if exists case_creator_grants on cases_case;
create trigger case_creator_grants after insert on cases_case for each row execute function sec.case_creator_grants();

create or replace function sec.case_sort_date() returns trigger {TRIGGER} as $$
begin
    update public.access_casegrant set sort_date = new.sort_date where content_object_id = new.id;
    return null;
end $$;
drop trigger if exists case_sort_date on cases_case;
create trigger case_sort_date after update on cases_case for each row
    when (old.sort_date is distinct from new.sort_date) execute function sec.case_sort_date();
"""
