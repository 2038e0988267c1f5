-- Bringing logs back from their archives, and keeping a log closed that ends before what was published of it.

comment on column log.tenant.state is
    'active, moving, closed; behind: the log ends before what was published of it; restoring: it is being brought back. '
    'Appends are taken in state active only.';

create table log.restore (
    tenant_id uuid primary key,
    source text not null,
    begun_at timestamptz not null,
    finished_at timestamptz
);
comment on table log.restore is 'The newest restore of each tenant: where an interrupted one goes on.';
comment on column log.restore.tenant_id is 'Whose log. It may have no head row yet.';
comment on column log.restore.source is 'What was asked for: region, tenant or copy, and from what.';
comment on column log.restore.begun_at is 'When it was begun, for the first time.';
comment on column log.restore.finished_at is 'When the tenant was opened again.';

-- What a restore takes out of the log it keeps here: nothing that was acknowledged is thrown away.
create table log.set_aside (
    tenant_id uuid not null,
    set_aside_at timestamptz not null,
    position bigint not null,
    stream text not null,
    version bigint not null,
    event_id uuid not null,
    event_type text not null,
    schema_version smallint not null,
    recorded_at timestamptz not null,
    actor text not null,
    command_id uuid not null,
    causation_id uuid,
    trace_parent text,
    key_id uuid not null,
    blob bytea,
    payload bytea not null,
    leaf bytea not null,
    primary key (tenant_id, set_aside_at, position)
);
comment on table log.set_aside is 'Rows that a restore found where the archive has other events, or damaged. Nobody serves them.';
comment on column log.set_aside.tenant_id is 'Whose event.';
comment on column log.set_aside.set_aside_at is 'When it was taken out.';
comment on column log.set_aside.position is 'Where it stood.';
comment on column log.set_aside.stream is 'As log.event.';
comment on column log.set_aside.version is 'As log.event.';
comment on column log.set_aside.event_id is 'As log.event.';
comment on column log.set_aside.event_type is 'As log.event.';
comment on column log.set_aside.schema_version is 'As log.event.';
comment on column log.set_aside.recorded_at is 'As log.event.';
comment on column log.set_aside.actor is 'As log.event.';
comment on column log.set_aside.command_id is 'As log.event.';
comment on column log.set_aside.causation_id is 'As log.event.';
comment on column log.set_aside.trace_parent is 'As log.event.';
comment on column log.set_aside.key_id is 'As log.event.';
comment on column log.set_aside.blob is 'As log.event.';
comment on column log.set_aside.payload is 'As log.event.';
comment on column log.set_aside.leaf is 'As log.event.';

-- Both are the owner's alone: no role of a service restores.
alter table log.restore enable row level security;
alter table log.set_aside enable row level security;

create function log.hold_behind(for_tenant_id uuid) returns boolean
language plpgsql
security definer
set search_path = pg_catalog
as $$
begin
    update log.tenant t set state = 'behind' where t.tenant_id = for_tenant_id and t.state = 'active';
    return found;
end $$;
comment on function log.hold_behind is
    'Closes a tenant whose log ends before what was published of it: an append would make a second history.';

revoke all on function log.hold_behind from public;
grant execute on function log.hold_behind to domicile_replicator;
