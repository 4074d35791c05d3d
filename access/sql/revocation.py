"""Ending access in bulk, ending what rested on it, and telling what had been seen with it."""

from __future__ import annotations

from access.sql.functions import DEFINER, TRIGGER

HOLDERS_FUNCTION = f"""
create or replace function sec.holders() returns table (user_id uuid, n_cases bigint, first_end timestamptz)
    {DEFINER} rows 200 as $$
#variable_conflict use_column
declare me uuid := sec.uid(); worn text := current_setting('role'); places bigint[] := sec.area();
begin
    if me is null or worn not in ('ep_supervisor', 'ep_secadmin') then return; end if;
    return query
        select g.user_id, count(distinct g.content_object_id), min(g.expires_at)
          from public.access_casegrant g join public.cases_case c on c.id = g.content_object_id
         where g.expires_at > statement_timestamp()
           and (worn = 'ep_secadmin' or c.district_id = any(places))
         group by g.user_id;
end $$;
"""

# A security administrator has no right to the table of grants: this door ends them, and answers with ids only.
END_ACCESS_FUNCTION = f"""
create or replace function sec.end_access(people uuid[]) returns table (user_id uuid, case_id uuid, codename text)
    {TRIGGER} as $$
#variable_conflict use_column
begin
    if sec.uid() is null or current_setting('role') <> 'ep_secadmin' then
        raise exception 'not a door for this role' using errcode = 'insufficient_privilege';
    end if;
    return query
        with gone as (
            delete from public.access_casegrant g
             where g.user_id = any(people) and g.expires_at > statement_timestamp()
            returning g.user_id, g.content_object_id, g.permission_id
        ) select gone.user_id, gone.content_object_id, p.codename::text
            from gone join public.auth_permission p on p.id = gone.permission_id;
end $$;
"""

# Whatever the caller names, only exports end whose requester may no longer export all of their cases.
END_EXPORTS_FUNCTION = f"""
create or replace function sec.end_exports(people uuid[], cases uuid[])
    returns table (id uuid, number text, requester_id uuid, purpose text, file_name text)
    {TRIGGER} as $$
#variable_conflict use_column
declare may_export int;
begin
    if not (current_setting('role') = 'ep_job' or sec.uid() is not null
            and current_setting('role') in ('ep_supervisor', 'ep_secadmin')) then
        raise exception 'not a door for this role' using errcode = 'insufficient_privilege';
    end if;
    select p.id into may_export
      from public.auth_permission p join public.django_content_type t on t.id = p.content_type_id
     where t.app_label = 'cases' and t.model = 'case' and p.codename = 'export_case';
    return query
        update public.disclosure_export e set status = 'cancelled', passphrase = null, claim = null
         where e.requester_id = any(people) and e.status in ('requested', 'approved', 'building', 'built')
           and exists (
               select 1 from public.disclosure_exportcase l
                where l.export_id = e.id and l.case_id = any(cases)
                  and not exists (
                      select 1 from public.access_casegrant g
                       where g.user_id = e.requester_id and g.content_object_id = l.case_id
                         and g.permission_id = may_export and g.expires_at > statement_timestamp()))
        returning e.id, e.number::text, e.requester_id, e.purpose::text, e.file_name::text;
end $$;
"""

# What a person had seen of a case since they were first given it: numbers and names of fields, never a value.
# It answers whoever ended the access, for the cases of their area.
SEEN_FUNCTION = f"""
create or replace function sec.seen(revocation uuid)
    returns table (user_id uuid, case_id uuid, began timestamptz, views bigint, lists bigint, reveals bigint,
                   exports bigint, fields text[], classes text[], last_at timestamptz)
    {DEFINER} rows 200 as $$
#variable_conflict use_column
declare me uuid := sec.uid(); places bigint[] := sec.area();
begin
    if me is null or current_setting('role') <> 'ep_supervisor' then return; end if;
    return query
        with ended as (
            select l.user_id, l.case_id, b.began
              from public.access_endedaccess l
              join public.access_revocation r on r.id = l.revocation_id and r.by_id = me
              join public.cases_case c on c.id = l.case_id and c.district_id = any(places)
              cross join lateral (
                  select coalesce(min(h.happened_at), r.created_at) as began from public.access_granthistory h
                   where h.case_id = l.case_id and h.user_id = l.user_id and h.change = 'insert') b
             where r.id = revocation
        ), acts as materialized (
            select n.user_id, n.case_id, e.id, e.act, e.occurred_at, e.object_pk,
                   convert_from(e.body, 'UTF8')::jsonb as body
              from ended n
              join public.audit_touch t on t.object_id = n.case_id and t.occurred_at >= n.began
              join public.audit_event e on e.id = t.event_id and e.occurred_at = t.occurred_at
             where e.actor_id = n.user_id and e.outcome = 0
        ), counted as (
            select a.user_id, a.case_id,
                   count(*) filter (where a.act = 'case.view') as views,
                   count(*) filter (where a.act in ('case.list', 'contact.list')) as lists,
                   count(*) filter (where a.act = 'reveal') as reveals,
                   count(distinct a.object_pk) filter (where a.act in ('export.rows', 'export.download')) as exports,
                   max(a.occurred_at) as last_at
              from acts a group by 1, 2
        ), named as (
            select a.user_id, a.case_id,
                   array_agg(distinct f.name order by f.name) filter (where f.kind = 'fields') as fields,
                   array_agg(distinct f.name order by f.name) filter (where f.kind = 'classes') as classes
              from acts a cross join lateral (
                  select 'fields' as kind, jsonb_array_elements_text(a.body -> 'fields') as name
                  union all select 'classes', jsonb_array_elements_text(a.body -> 'classes')) f
             where a.act in ('reveal', 'export.rows', 'export.download', 'case.view', 'contact.view')
             group by 1, 2
        ) select n.user_id, n.case_id, n.began, coalesce(k.views, 0), coalesce(k.lists, 0), coalesce(k.reveals, 0),
                 coalesce(k.exports, 0), coalesce(m.fields, '{{}}'), coalesce(m.classes, '{{}}'), k.last_at
            from ended n
            left join counted k on k.user_id = n.user_id and k.case_id = n.case_id
            left join named m on m.user_id = n.user_id and m.case_id = n.case_id;
end $$;
"""

REVOCATION_TRIGGERS = """
drop trigger if exists revocation_stays on access_revocation;
create trigger revocation_stays before update or delete on access_revocation
    for each row execute function sec.refuse_change();
drop trigger if exists ended_access_stays on access_endedaccess;
create trigger ended_access_stays before update or delete on access_endedaccess
    for each row execute function sec.refuse_change();
"""
