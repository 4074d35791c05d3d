"""The tree of organisations: what it may be, and what follows when a part of it moves. Reasons: docs/decisions/0016."""

from __future__ import annotations

from access.sql.functions import DEFINER, TRIGGER

# Cases copy their city and province, so whoever writes a case holds the tree still, and whoever moves a part of the
# tree waits for them (sec.case_place takes the same lock, shared).
ORGANISATION_TRIGGERS = f"""
create or replace function sec.organisation_guard() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare above public.access_organisation; survivor public.access_organisation;
begin
    if current_user = 'ep_secadmin' and sec.uid() is null then
        raise exception 'nobody moves an organisation' using errcode = 'insufficient_privilege';
    end if;
    if tg_op = 'UPDATE' then
        perform pg_advisory_xact_lock(hashtext('epicase.tree'));
        if new.level <> old.level or new.code <> old.code or new.id <> old.id or old.closed_at is not null then
            raise exception 'level and code stay, and a closed organisation stays closed' using errcode = 'check_violation';
        end if;
        if exists (select 1 from public.access_organisation o where o.parent_id = new.id) and new.closed_at is not null then
            raise exception 'an organisation with others below it is not closed' using errcode = 'check_violation';
        end if;
    end if;
    select * into above from public.access_organisation o where o.id = new.parent_id;
    if above.level is distinct from (case new.level when 'city' then 'province' when 'district' then 'city' end)
       or above.closed_at is not null then
        raise exception 'a district lies in a city, a city in a province' using errcode = 'check_violation';
    end if;
    if new.merged_into_id is not null then
        select * into survivor from public.access_organisation o where o.id = new.merged_into_id;
        if new.level <> 'district' or survivor.level <> 'district' or survivor.closed_at is not null or survivor.id = new.id then
            raise exception 'a district is merged into another open district' using errcode = 'check_violation';
        end if;
    end if;
    return new;
end $$;
drop trigger if exists organisation_guard on access_organisation;
create trigger organisation_guard before insert or update of id, code, level, parent_id, merged_into_id, closed_at
    on access_organisation for each row execute function sec.organisation_guard();

create or replace function sec.organisation_moved() returns trigger {TRIGGER} as $$
declare survivor public.access_organisation;
begin
    if new.merged_into_id is not null and old.merged_into_id is null then
        select * into survivor from public.access_organisation o where o.id = new.merged_into_id;
        update public.cases_case set district_id = survivor.id where district_id = new.id;
        update public.contacts_contact set responsible_org_id = survivor.id where responsible_org_id = new.id;
        update public.cases_outbreak set organisation_id = survivor.id where organisation_id = new.id;
        update public.disclosure_export
           set district_id = survivor.id, city_id = survivor.parent_id,
               province_id = (select o.parent_id from public.access_organisation o where o.id = survivor.parent_id)
         where district_id = new.id;
        update public.access_user set organisation_id = survivor.id where organisation_id = new.id;
        update public.access_team t
           set organisation_id = survivor.id,
               name = case when exists (select 1 from public.access_team o
                                         where o.organisation_id = survivor.id and o.name = t.name)
                           then left(t.name, 31) || ' (' || new.code || ')' else t.name end
         where t.organisation_id = new.id;
    elsif new.parent_id is distinct from old.parent_id then
        if new.level = 'district' then
            update public.cases_case set district_id = district_id where district_id = new.id;
            update public.disclosure_export
               set city_id = new.parent_id,
                   province_id = (select o.parent_id from public.access_organisation o where o.id = new.parent_id)
             where district_id = new.id;
        else
            update public.cases_case set district_id = district_id
             where district_id in (select o.id from public.access_organisation o where o.parent_id = new.id);
            update public.disclosure_export set province_id = new.parent_id where city_id = new.id;
        end if;
    end if;
    return null;
end $$;
drop trigger if exists organisation_moved on access_organisation;
create trigger organisation_moved after update of parent_id, merged_into_id on access_organisation
    for each row execute function sec.organisation_moved();
"""

# Before a move: how much it is, as two numbers, for the role that may see neither cases nor grants.
WEIGHT_FUNCTION = f"""
create or replace function sec.weight(place bigint) returns table (n_people bigint, n_cases bigint) {DEFINER} rows 1 as $$
begin
    if sec.uid() is null or current_setting('role') <> 'ep_secadmin' then return; end if;
    return query
        with recursive below as (
            select o.id from public.access_organisation o where o.id = place
            union all select o.id from public.access_organisation o join below b on o.parent_id = b.id
        ) select (select count(*) from public.access_user u where u.organisation_id in (select id from below)),
                 (select count(*) from public.cases_case c where c.district_id in (select id from below));
end $$;
"""
