"""Taking a person's second factors away when they are lost: the one door to that table for a person's role."""

from __future__ import annotations

from access.sql.functions import TRIGGER

RESET_FUNCTIONS = f"""
create or replace function sec.drop_factors(person uuid, me uuid) returns integer
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare gone integer;
begin
    -- Not a SECURITY DEFINER: whoever calls it needs rights that only the owner of sec has.
    delete from public.mfa_authenticator where user_id = person;
    get diagnostics gone = row_count;
    if gone = 0 then return 0; end if;
    -- All sessions, half-signed-in browsers and tokens of the API are bound to the stamp.
    update public.access_user set session_stamp = gen_random_uuid() where id = person;
    -- Whoever bound a sign-on elsewhere comes in no more, unless it is the person's only way in.
    delete from public.access_binding b using public.access_user u
          where b.user_id = person and u.id = person and u.password not like '!%';
    perform sec.put_notices('factors_reset', array[person], null, null, me);
    perform sec.put_notices('factors_reset_of', array(
        select u.id from public.access_user u where u.role = 'secadmin' and u.id not in (person, me)), null, null, person);
    return gone;
end $$;

create or replace function sec.reset_factors(person uuid) returns integer {TRIGGER} as $$
declare me uuid := sec.uid();
begin
    if me is null or current_setting('role') <> 'ep_secadmin' or person = me then
        raise exception 'second factors are reset by another person' using errcode = 'insufficient_privilege';
    end if;
    if exists (select 1 from public.access_user u where u.id = person and u.role = 'secadmin') then
        raise exception 'a security administrator takes two' using errcode = 'insufficient_privilege';
    end if;
    return sec.drop_factors(person, me);
end $$;
"""
