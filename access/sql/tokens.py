"""Looking up a token of the API by its hash: the one thing that can be done with it before it is known whose it is."""

from __future__ import annotations

# Whoever calls it must know the token itself; a token that is revoked, over, or of an account that has ended or was
# changed since, is no token.
TOKENS = """
create or replace function sec.token(wanted text) returns table (token_id uuid, user_id uuid, purpose text, scopes text[])
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare found_id uuid;
begin
    select t.id into found_id
      from public.access_apitoken t join public.access_user u on u.id = t.user_id
     where t.token_hash = wanted and t.revoked_at is null and t.expires_at > statement_timestamp()
       and u.is_active and (u.ends_at is null or u.ends_at > statement_timestamp()) and u.session_stamp = t.stamp;
    if found_id is null then return; end if;
    update public.access_apitoken t set last_used_at = statement_timestamp()
     where t.id = found_id
       and (t.last_used_at is null or t.last_used_at < statement_timestamp() - interval '1 minute');
    return query select t.id, t.user_id, t.purpose::text, t.scopes::text[] from public.access_apitoken t where t.id = found_id;
end $$;
"""
