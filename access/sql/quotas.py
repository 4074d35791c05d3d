"""The tally of shown values: counted in five-minute slots over the hour before, under a lock of the person."""

from __future__ import annotations

from access.sql.functions import TRIGGER

QUOTAS = f"""
create or replace function sec.count_reveals(wanted integer, allowed integer, is_settled boolean)
    returns table (is_refused boolean, shown integer, quota integer, retry_seconds integer) {TRIGGER} as $$
#variable_conflict use_column
declare
    me uuid := sec.uid();
    moment timestamptz;
    present timestamptz;
    already integer;
    most integer;
    free_at timestamptz;
begin
    if me is null then
        raise exception 'values are counted for a person' using errcode = 'insufficient_privilege';
    end if;
    if wanted is null or wanted < 1 or allowed is null or allowed < 0 then
        raise exception 'counts go up only' using errcode = 'check_violation';
    end if;
    perform sec.lock_person(me);
    moment := clock_timestamp();
    present := date_bin('5 minutes', moment, timestamptz '2000-01-01 00:00:00+00');
    select least(allowed, u.reveals_per_hour) into most from public.access_user u where u.id = me;
    delete from public.access_revealtally t where t.person_id = me and t.slot <= moment - interval '65 minutes';
    select coalesce(sum(t.shown), 0) into already from public.access_revealtally t where t.person_id = me;
    if not coalesce(is_settled, false) and already + wanted > most then
        select min(f.slot) into free_at from (
            select t.slot, already - sum(t.shown) over (order by t.slot) as left_over
              from public.access_revealtally t where t.person_id = me) f
         where f.left_over + wanted <= most;
        return query select true, already, most, greatest(1, ceil(extract(epoch from
            coalesce(free_at + interval '65 minutes', moment + interval '1 hour') - moment))::integer);
        return;
    end if;
    update public.access_revealtally t set shown = t.shown + wanted where t.person_id = me and t.slot = present;
    if not found then
        insert into public.access_revealtally (person_id, slot, shown) values (me, present, wanted);
    end if;
    return query select false, already + wanted, most, 0;
end $$;

create or replace function sec.note_breach(allowed integer) returns uuid {TRIGGER} as $$
declare me uuid := sec.uid(); place bigint := sec.org(); most integer; breach uuid := gen_random_uuid();
begin
    if me is null then
        raise exception 'a breach is a person''s' using errcode = 'insufficient_privilege';
    end if;
    perform sec.lock_person(me);
    if exists (select 1 from public.access_quotabreach b
                where b.person_id = me and b.happened_at > clock_timestamp() - interval '1 hour') then
        return null;
    end if;
    select least(allowed, u.reveals_per_hour) into most from public.access_user u where u.id = me;
    insert into public.access_quotabreach (id, person_id, organisation_id, happened_at, quota, verdict)
         values (breach, me, place, clock_timestamp(), greatest(most, 0), '');
    perform sec.put_notices('quota_exceeded',
        array_remove(sec.answerable(place) || sec.holders_of_role('auditor'), me), null, null, me);
    return breach;
end $$;
"""
