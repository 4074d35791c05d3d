"""The ledger's hand-written SQL: partitioned tables, their guards, and two functions in the schema `sec`."""

from django.db.backends.base.base import BaseDatabaseWrapper

EVENT_TABLE = """
create table audit_event (
    id uuid not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    act text not null,
    outcome smallint not null,
    actor_id uuid,
    actor_name text not null,
    role text not null,
    org_id integer,
    org_name text not null,
    content_type_id integer,
    object_pk text not null,
    object_id uuid,
    object_label text not null,
    request_id uuid not null,
    purpose text not null,
    grant_id uuid,
    decision_id uuid,
    n_objects integer not null,
    session_h bytea not null,
    ip inet,
    trace_code text not null,
    salt bytea not null check (length(salt) = 16),
    body bytea not null check (length(body) <= 65000),
    mac bytea not null check (length(mac) = 32),
    primary key (id, occurred_at)
) partition by range (occurred_at);
create table audit_event_default partition of audit_event default;
create index audit_event_time on audit_event (occurred_at desc, id desc);
create index audit_event_brin on audit_event using brin (occurred_at) with (pages_per_range = 32);
create index audit_event_actor on audit_event (actor_id, occurred_at desc, id desc);
create index audit_event_act on audit_event (act, occurred_at desc, id desc);
create index audit_event_outcome on audit_event (occurred_at desc, id desc) where outcome <> 0;
create index audit_event_label on audit_event (object_label, occurred_at desc) where object_label <> '';
create index audit_event_trace on audit_event (trace_code) where trace_code <> '';
"""

TOUCH_TABLE = """
create table audit_touch (
    occurred_at timestamptz not null,
    event_id uuid not null,
    object_id uuid not null,
    subject_h bytea
) partition by range (occurred_at);
create table audit_touch_default partition of audit_touch default;
create index audit_touch_object on audit_touch (object_id, occurred_at desc, event_id desc);
create index audit_touch_subject on audit_touch (subject_h, occurred_at desc, event_id desc)
    where subject_h is not null;
create index audit_touch_brin on audit_touch using brin (occurred_at) with (pages_per_range = 32);
"""

REFUSE_FUNCTION = """
create or replace function audit_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on % refused: the ledger is insert-only', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
"""

# The queue is filled by the database, so no writer can forget it, and with epi_sec's right, so no writer
# needs one.
ENQUEUE_FUNCTION = """
create or replace function sec.audit_enqueue() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into public.audit_pending (event_id, occurred_at) select id, occurred_at from added order by id;
    return null;
end $$;
"""

ENQUEUE_TRIGGER = """
create trigger audit_enqueue after insert on audit_event
    referencing new table as added for each statement execute function sec.audit_enqueue();
"""

# A person's own events, newest first, without their addresses or fingerprints. It needs access's sec.uid(),
# so the access room creates it, as epi_sec, after that function.
OWN_EVENTS_FUNCTION = """
create or replace function sec.own_events(before timestamptz default 'infinity', at_most integer default 51)
    returns table (id uuid, occurred_at timestamptz, body bytea, trace_code text, leaf_index bigint)
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare me uuid := sec.uid();
begin
    if me is null then return; end if;
    return query
        select e.id, e.occurred_at, e.body, e.trace_code, l.leaf_index
        from public.audit_event e left join public.audit_leaf l on l.event_id = e.id
        where e.actor_id = me and e.occurred_at < before
        order by e.occurred_at desc, e.id desc limit least(at_most, 501);
end $$;
"""


def insert_only(table: str) -> str:
    """SQL for triggers that refuse UPDATE, DELETE and TRUNCATE on a table, its owner included."""
    return f"""
create trigger audit_no_change before update or delete on {table}
    for each row execute function audit_refuse_change();
{no_truncate(table)}"""


def no_truncate(table: str) -> str:
    """SQL for the trigger that refuses TRUNCATE; partitions do not inherit it, so each needs its own."""
    return f"""
create trigger audit_no_truncate before truncate on {table}
    for each statement execute function audit_refuse_change();
"""


def run_as_sec(connection: BaseDatabaseWrapper, *statements: str) -> None:
    """Run statements as `epi_sec` in its schema `sec`, made when missing, then wear this role again."""
    with connection.cursor() as cursor:
        cursor.execute("select quote_ident(current_user)")
        owner = cursor.fetchone()[0]
        cursor.execute("select 1 from pg_namespace where nspname = 'sec'")
        if cursor.fetchone() is None:
            cursor.execute("create schema sec; revoke all on schema sec from public")
            cursor.execute("grant usage, create on schema sec to epi_sec")
        cursor.execute("grant usage on schema public to epi_sec")
        cursor.execute("set local role epi_sec")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(f"set local role {owner}")
