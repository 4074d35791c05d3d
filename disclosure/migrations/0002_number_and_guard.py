"""Numbers for exports, and the database's own refusal of a step that may not follow."""

from django.db import migrations

NUMBER = "create sequence disclosure_export_number owned by disclosure_export.number"
DROP_NUMBER = "drop sequence disclosure_export_number"

# The steps as they stood when this was written; models.TRANSITIONS says the same (a test compares them).
GUARD = """
create function disclosure_export_guard() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
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
create trigger export_guard before update on disclosure_export
    for each row execute function disclosure_export_guard();
"""
DROP_GUARD = """
drop trigger export_guard on disclosure_export;
drop function disclosure_export_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("disclosure", "0001_exports")]
    operations = [migrations.RunSQL(NUMBER, DROP_NUMBER), migrations.RunSQL(GUARD, DROP_GUARD)]
