"""The schema ``sec``: who is asking, and what the asker may see. Measurements: docs/decisions/0003."""

from __future__ import annotations

from access.roles import EVERY_ROLE, PgRole

SCHEMA = f"""
create schema if not exists sec;
revoke all on schema public from public;
grant usage on schema public, sec to {", ".join((*EVERY_ROLE, PgRole.SEALER, PgRole.SEC))};
grant create on schema sec to {PgRole.SEC};
"""

TICKET_KEY = """
create table if not exists sec.ticket_key (
    id int primary key, ipad bytea not null check (length(ipad) = 64), opad bytea not null check (length(opad) = 64)
);
revoke all on sec.ticket_key from public;
grant select on sec.ticket_key to epi_sec;
"""

DEFINER = "language plpgsql stable security definer parallel restricted set search_path = pg_catalog, pg_temp"

FUNCTIONS = f"""
create or replace function sec.uid() returns uuid {DEFINER} as $$
declare
    part text[] := string_to_array(current_setting('epi.ticket', true), '|');
    person uuid;
begin
    if cardinality(part) is distinct from 5 or part[2] <> current_setting('role')
       or part[4] <> pg_backend_pid()::text
       or part[3]::bigint < extract(epoch from statement_timestamp()) then
        return null;
    end if;
    perform 1 from sec.ticket_key k
     where encode(sha256(k.opad || sha256(k.ipad || convert_to(array_to_string(part[1:4], '|'), 'UTF8'))), 'hex') = part[5];
    if not found then return null; end if;
    select u.id into person from public.access_user u
     where u.id = part[1]::uuid and u.is_active and 'ep_' || u.role = part[2]
       and (u.ends_at is null or u.ends_at > statement_timestamp());
    return person;
end $$;

create or replace function sec.org() returns bigint {DEFINER} as $$
declare place bigint;
begin
    select u.organisation_id into place from public.access_user u where u.id = sec.uid();
    return place;
end $$;

create or replace function sec.granted(wanted text) returns uuid[] {DEFINER} as $$
declare found_ids uuid[];
begin
    select coalesce(array_agg(g.content_object_id), '{{}}') into found_ids
      from public.access_casegrant g
      join public.auth_permission p on p.id = g.permission_id
     where g.user_id = sec.uid() and p.codename = wanted and g.expires_at > statement_timestamp();
    return found_ids;
end $$;

create or replace function sec.area() returns bigint[] {DEFINER} as $$
declare places bigint[];
begin
    with recursive below as (
        select o.id from public.access_organisation o where o.id = sec.org()
        union all select o.id from public.access_organisation o join below b on o.parent_id = b.id
    ) select coalesce(array_agg(id), '{{}}') into places from below;
    return places;
end $$;

create or replace function sec.has_role(person uuid, wanted text) returns boolean {DEFINER} as $$
begin
    return exists (select 1 from public.access_user u where u.id = person and u.is_active and u.role = wanted
                      and (u.ends_at is null or u.ends_at > statement_timestamp()));
end $$;
"""

# The one door to the keyring: wrapped keys of the classes that this person may open, of the scopes asked for.
# Class 9 (system) has no case behind it: its guard is the person it belongs to.
KEYS = f"""
create or replace function sec.keys(scopes uuid[])
    returns table (scope_id uuid, data_class smallint, generation smallint, wrapped bytea)
    {DEFINER} rows 200 as $$
#variable_conflict use_column
declare me uuid := sec.uid(); place bigint := sec.org(); worn text := current_setting('role');
begin
    if me is null then return; end if;
    return query
        select k.scope_id, k.data_class, k.generation, k.wrapped
          from public.vault_keyring k
         where k.scope_id = any(scopes) and k.data_class = 9 and k.guard_id = me;
    if worn = 'ep_supervisor' then
        return query
            select k.scope_id, k.data_class, k.generation, k.wrapped
              from public.vault_keyring k join public.cases_case c on c.id = k.guard_id
             where k.scope_id = any(scopes) and k.data_class <> 9
               and (c.district_id = place or c.city_id = place or c.province_id = place);
    elsif worn = 'ep_investigator' then
        return query
            select k.scope_id, k.data_class, k.generation, k.wrapped
              from public.vault_keyring k
              join public.access_casegrant g on g.content_object_id = k.guard_id and g.user_id = me
              join public.auth_permission p on p.id = g.permission_id
             where k.scope_id = any(scopes) and g.expires_at > statement_timestamp()
               and p.codename = case k.data_class when 1 then 'reveal_identity' when 2 then 'reveal_reach'
                                                  when 3 then 'reveal_health' when 4 then 'reveal_trajectory' end;
    end if;
end $$;
"""

TRIGGER = "language plpgsql security definer set search_path = pg_catalog, pg_temp"

RIGHTS = f"""
revoke all on all functions in schema sec from public;
grant execute on all functions in schema sec to {", ".join((*EVERY_ROLE, PgRole.SEALER, PgRole.OWNER))};
"""
