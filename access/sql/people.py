"""Accounts: who may change them, what a change ends, invitations, passwords. Reasons: docs/decisions/0012 and 0017."""

from __future__ import annotations

from access.sql.functions import DEFINER, TRIGGER

# A merged organisation's people move with their cases: nothing of theirs ends.
_MOVED = (
    "exists (select 1 from public.access_organisation o"
    " where o.id = old.organisation_id and o.merged_into_id = new.organisation_id)"
)

# Runs as whoever changes the row: inside a definer function current_user is epi_sec, by hand it is the person's role.
ACCOUNT_TRIGGERS = f"""
create or replace function sec.account_guard() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare me uuid; is_stop boolean;
begin
    if current_user = 'ep_secadmin' then
        me := sec.uid();
        is_stop := old.is_active and not new.is_active and new.role = old.role
            and new.organisation_id = old.organisation_id and new.is_temporary = old.is_temporary
            and new.ends_at is not distinct from old.ends_at;
        if me is null or old.id = me then
            raise exception 'nobody changes the own account' using errcode = 'insufficient_privilege';
        end if;
        if (old.role = 'secadmin' or new.role = 'secadmin') and not is_stop then
            raise exception 'a security administrator is made and changed by two' using errcode = 'insufficient_privilege';
        end if;
    end if;
    if exists (select 1 from public.access_organisation o where o.id = new.organisation_id and o.closed_at is not null)
       and new.organisation_id <> old.organisation_id then
        raise exception 'the organisation is closed' using errcode = 'check_violation';
    end if;
    if (old.role <> new.role or old.is_active <> new.is_active or old.ends_at is distinct from new.ends_at
        or old.organisation_id <> new.organisation_id) and not {_MOVED} then
        new.session_stamp := gen_random_uuid();
    end if;
    return new;
end $$;
drop trigger if exists account_guard on access_user;
create trigger account_guard before update of role, organisation_id, is_active, is_temporary, ends_at on access_user
    for each row execute function sec.account_guard();

create or replace function sec.temporary_quota() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.is_temporary then
        new.reveals_per_hour := least(new.reveals_per_hour, 20);
    elsif tg_op = 'UPDATE' and old.is_temporary then
        new.reveals_per_hour := null;
    end if;
    return new;
end $$;
drop trigger if exists temporary_quota on access_user;
create trigger temporary_quota before insert or update of is_temporary, reveals_per_hour on access_user
    for each row execute function sec.temporary_quota();

create or replace function sec.account_ends_grants() returns trigger {TRIGGER} as $$
begin
    if (old.role <> new.role or old.is_active <> new.is_active or old.organisation_id <> new.organisation_id)
       and not {_MOVED} then
        delete from public.access_casegrant where user_id = new.id;
        if not new.is_active then
            delete from public.access_binding where user_id = new.id;
        end if;
        -- What a team is given from now on is not for whoever left.
        delete from public.access_teammember where user_id = new.id;
    elsif new.is_temporary and not old.is_temporary then
        delete from public.access_casegrant g using public.auth_permission p
              where g.user_id = new.id and p.id = g.permission_id and p.codename = 'export_case';
        update public.access_casegrant set expires_at = now() + interval '7 days', starts_at = least(starts_at, now())
              where user_id = new.id and expires_at > now() + interval '7 days';
    end if;
    return null;
end $$;
drop trigger if exists account_ends_grants on access_user;
create trigger account_ends_grants after update of role, organisation_id, is_active, is_temporary on access_user
    for each row execute function sec.account_ends_grants();

create or replace function sec.grant_of_temporary() returns trigger {TRIGGER} as $$
begin
    if not exists (select 1 from public.access_user u where u.id = new.user_id and u.is_temporary) then
        return new;
    end if;
    if exists (select 1 from public.auth_permission p where p.id = new.permission_id and p.codename = 'export_case') then
        if new.kind = 'created' then return null; end if;
        raise exception 'temporary staff export nothing' using errcode = 'check_violation';
    end if;
    if new.expires_at > now() + interval '7 days 5 minutes' then
        if new.kind <> 'created' then
            raise exception 'temporary staff have access for 7 days at most' using errcode = 'check_violation';
        end if;
        new.expires_at := now() + interval '7 days';
    end if;
    return new;
end $$;
drop trigger if exists grant_of_temporary on access_casegrant;
create trigger grant_of_temporary before insert or update of expires_at on access_casegrant
    for each row execute function sec.grant_of_temporary();

create or replace function sec.apply_account_change() returns trigger {TRIGGER} as $$
begin
    if new.asked_at < now() - interval '7 days' then
        raise exception 'this change was asked for too long ago' using errcode = 'check_violation';
    end if;
    if not sec.has_role(new.asked_by_id, 'secadmin') then
        raise exception 'whoever asked for this change keeps no accounts any more' using errcode = 'check_violation';
    end if;
    if new.resets_factors then
        perform sec.drop_factors(new.person_id, new.decided_by_id);
        return null;
    end if;
    update public.access_user
       set role = new.role, organisation_id = new.organisation_id, is_active = new.is_active,
           is_temporary = new.is_temporary, ends_at = new.ends_at
     where id = new.person_id;
    return null;
end $$;
drop trigger if exists apply_account_change on access_accountchange;
create trigger apply_account_change after update on access_accountchange for each row
    when (old.verdict = '' and new.verdict = 'confirmed') execute function sec.apply_account_change();
"""

_WORKS = """v.code_hash = code and v.used_at is null and v.withdrawn_at is null
       and v.expires_at > statement_timestamp() and sec.has_role(v.made_by_id, 'secadmin')
       and (sec.has_role(v.confirmed_by_id, 'secadmin') and v.confirmed_by_id is distinct from v.person_id
            or v.role <> 'secadmin' and not sec.has_role(v.person_id, 'secadmin'))"""

# A password changes in three ways only: by its owner who knows the present hash, by an invitation, by the owner of
# the tables. ep_none, which reads accounts to sign people in, has no right to write the column.
PASSWORD_FUNCTIONS = f"""
create or replace function sec.set_password(present text, wanted text, ends_sessions boolean) returns boolean {TRIGGER} as $$
declare me uuid := sec.uid();
begin
    if me is null then
        raise exception 'a password is changed by its person' using errcode = 'insufficient_privilege';
    end if;
    update public.access_user u
       set password = wanted, session_stamp = case when ends_sessions then gen_random_uuid() else u.session_stamp end
     where u.id = me and u.password = present;
    return found;
end $$;

create or replace function sec.invited(code bytea) returns table (username text, display_name text, is_reset boolean)
    {DEFINER} rows 1 as $$
begin
    return query select v.username::text, v.display_name::text, v.person_id is not null
      from public.access_invitation v where {_WORKS};
end $$;

create or replace function sec.accept_invitation(code bytea, password_hash text) returns uuid {TRIGGER} as $$
declare i public.access_invitation; person uuid := gen_random_uuid();
begin
    if current_setting('role') <> 'ep_none' then
        raise exception 'an invitation is for a visitor' using errcode = 'insufficient_privilege';
    end if;
    update public.access_invitation v set used_at = clock_timestamp() where {_WORKS} returning * into i;
    if not found then return null; end if;
    if i.person_id is not null then
        update public.access_user u set password = password_hash, session_stamp = gen_random_uuid()
         where u.id = i.person_id and u.is_active and (u.ends_at is null or u.ends_at > statement_timestamp());
        if not found then return null; end if;
        delete from public.access_binding where user_id = i.person_id;
        return i.person_id;
    end if;
    insert into public.access_user
        (id, username, display_name, role, organisation_id, password, language, single_key_shortcuts, is_active,
         is_superuser, is_temporary, ends_at, created_at, session_stamp)
    select person, i.username, i.display_name, i.role, coalesce(o.merged_into_id, o.id), password_hash, i.language, true,
           true, false, i.is_temporary, i.ends_at, now(), gen_random_uuid()
      from public.access_organisation o where o.id = i.organisation_id;
    return person;
exception when unique_violation then
    return null;
end $$;

create or replace function sec.accept_invitation_bound(code bytea, password_hash text, provider text, subject text)
    returns uuid {TRIGGER} as $$
declare person uuid;
begin
    if password_hash not like '!%' or exists (
        select 1 from public.access_invitation v where v.code_hash = code and v.person_id is not null) then
        return null;
    end if;
    person := sec.accept_invitation(code, password_hash);
    if person is not null then
        insert into public.access_binding (id, user_id, issuer, subject_hash, bound_at)
        values (gen_random_uuid(), person, provider, subject, clock_timestamp());
    end if;
    return person;
exception when unique_violation then
    -- Whoever it is there has an account: everything above is undone, the code can still be used.
    return null;
end $$;
"""
