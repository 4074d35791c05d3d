"""Let the function that ends what rested on revoked access cancel exports, and refuse a download without grants."""

from django.db import migrations

# As in 0002, but for `epi_sec`, which no person can be, and for the last question before a download.
GUARD = """
create or replace function disclosure_export_guard() returns trigger language plpgsql
    set search_path = pg_catalog, pg_temp as $$
declare worn text := current_setting('role');
begin
    if old.status = new.status then return new; end if;
    if (old.status, new.status) not in (
        ('requested', 'approved'), ('requested', 'rejected'), ('requested', 'cancelled'), ('requested', 'expired'),
        ('approved', 'building'), ('approved', 'cancelled'), ('approved', 'failed'), ('approved', 'expired'),
        ('building', 'built'), ('building', 'failed'), ('building', 'cancelled'),
        ('built', 'downloaded'), ('built', 'expired'), ('built', 'cancelled')
    ) then
        raise exception 'an export that is % cannot become %', old.status, new.status using errcode = 'check_violation';
    end if;
    if current_user = 'epi_sec' then
        if new.status <> 'cancelled' then
            raise exception 'only the end of access ends an export here' using errcode = 'insufficient_privilege';
        end if;
        return new;
    end if;
    if (worn = 'ep_investigator' and new.status not in ('cancelled', 'downloaded'))
       or (worn = 'ep_supervisor' and new.status not in ('approved', 'rejected'))
       or (worn = 'ep_job' and new.status not in ('building', 'built', 'failed', 'expired')) then
        raise exception '% may not make an export %', worn, new.status using errcode = 'insufficient_privilege';
    end if;
    if new.status = 'downloaded' then
        if new.expires_at is null or new.expires_at < now() then
            raise exception 'the time of this export has run out' using errcode = 'check_violation';
        end if;
        if worn = 'ep_investigator' and exists (
            select l.case_id from public.disclosure_exportcase l where l.export_id = new.id
            except select unnest(sec.granted('export_case'))
        ) then
            raise exception 'access to a case of this export has ended' using errcode = 'check_violation';
        end if;
    end if;
    return new;
end $$;
"""
BACK = """
create or replace function disclosure_export_guard() returns trigger language plpgsql
    set search_path = pg_catalog, pg_temp as $$
declare worn text := current_setting('role');
begin
    if old.status = new.status then return new; end if;
    if (old.status, new.status) not in (
        ('requested', 'approved'), ('requested', 'rejected'), ('requested', 'cancelled'), ('requested', 'expired'),
        ('approved', 'building'), ('approved', 'cancelled'), ('approved', 'failed'), ('approved', 'expired'),
        ('building', 'built'), ('building', 'failed'), ('building', 'cancelled'),
        ('built', 'downloaded'), ('built', 'expired'), ('built', 'cancelled')
    ) then
        raise exception 'an export that is % cannot become %', old.status, new.status using errcode = 'check_violation';
    end if;
    if (worn = 'ep_investigator' and new.status not in ('cancelled', 'downloaded'))
       or (worn = 'ep_supervisor' and new.status not in ('approved', 'rejected'))
       or (worn = 'ep_job' and new.status not in ('building', 'built', 'failed', 'expired')) then
        raise exception '% may not make an export %', worn, new.status using errcode = 'insufficient_privilege';
    end if;
    if new.status = 'downloaded' and (new.expires_at is null or new.expires_at < now()) then
        raise exception 'the time of this export has run out' using errcode = 'check_violation';
    end if;
    return new;
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("disclosure", "0002_number_and_guard")]
    operations = [migrations.RunSQL(GUARD, BACK)]
