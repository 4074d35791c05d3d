"""Triggers on grants, decisions and the keyring."""

from __future__ import annotations

from access.sql.functions import DEFINER, TRIGGER

# Whoever gives access stands behind it: the decision of a grant is the grantor's own.
DECISION_FUNCTION = f"""
create or replace function sec.decided(decision uuid, person uuid) returns boolean {DEFINER} as $$
begin
    return exists (select 1 from public.access_accessdecision d where d.id = decision and d.granted_by_id = person);
end $$;
"""

GRANT_TRIGGERS = f"""
create or replace function sec.grant_sort_date() returns trigger {TRIGGER} as $$
begin
    select c.sort_date into new.sort_date from public.cases_case c where c.id = new.content_object_id;
    return new;
end $$;
drop trigger if exists grant_sort_date on access_casegrant;
create trigger grant_sort_date before insert on access_casegrant for each row execute function sec.grant_sort_date();

create or replace function sec.grant_history() returns trigger {TRIGGER} as $$
declare g public.access_casegrant := case when tg_op = 'DELETE' then old else new end;
begin
    if tg_op = 'UPDATE' and old.expires_at = new.expires_at and old.decision_id = new.decision_id then return null; end if;
    insert into public.access_granthistory
        (happened_at, change, by_id, by_role, grant_id, user_id, case_id, codename, decision_id, kind, expires_at,
         single_use)
    select clock_timestamp(), lower(tg_op), sec.uid(), left(current_setting('role'), 16), g.id, g.user_id,
           g.content_object_id, p.codename, g.decision_id, g.kind, g.expires_at, g.single_use
      from public.auth_permission p where p.id = g.permission_id;
    return null;
end $$;
drop trigger if exists grant_history on access_casegrant;
create trigger grant_history after insert or update or delete on access_casegrant
    for each row execute function sec.grant_history();

create or replace function sec.keyring_guard() returns trigger {TRIGGER} as $$
begin
    if exists (select 1 from public.vault_keyring k where k.scope_id = new.scope_id and k.guard_id <> new.guard_id
                  and (k.data_class = 9) = (new.data_class = 9))
       or (new.data_class <> 9 and new.scope_id <> new.guard_id
           and exists (select 1 from public.cases_case c where c.id = new.scope_id)) then
        raise exception 'the keys of one record have one guard' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
drop trigger if exists keyring_guard on vault_keyring;
create trigger keyring_guard before insert on vault_keyring for each row execute function sec.keyring_guard();

create or replace function sec.refuse_pinned() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'a column of % that never changes', tg_table_name using errcode = 'insufficient_privilege';
end $$;

create or replace function sec.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is never changed or deleted', tg_table_name using errcode = 'insufficient_privilege';
end $$;
drop trigger if exists decision_stays on access_accessdecision;
create trigger decision_stays before update or delete on access_accessdecision
    for each row execute function sec.refuse_change();
drop trigger if exists history_stays on access_granthistory;
create trigger history_stays before update or delete on access_granthistory
    for each row execute function sec.refuse_change();
"""

CONSTRAINTS = """
alter table access_casegrant drop constraint if exists grant_at_most_90_days;
alter table access_casegrant add constraint grant_at_most_90_days check (expires_at - starts_at <= interval '90 days');
"""
