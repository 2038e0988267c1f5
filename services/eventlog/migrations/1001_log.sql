-- The event log. Only the crate eventlog writes here; the roles below are the second fence behind the code.

do $$
declare role_name text;
begin
    -- Roles belong to the whole cluster, so another database of it may have made them already, perhaps right now.
    foreach role_name in array array['domicile_desk', 'domicile_projector', 'domicile_replicator'] loop
        -- Looked for first: on a managed server the administrator makes them, and the owner of the database may not.
        continue when exists (select from pg_roles where rolname = role_name);
        begin
            execute format('create role %I nologin', role_name);
        exception when duplicate_object or unique_violation then null;
        end;
    end loop;
end $$;

create schema log;

create table log.home (
    is_only_row boolean primary key default true check (is_only_row),
    region text not null
);
comment on table log.home is 'Which region this database belongs to: written once, compared at every connect.';
comment on column log.home.is_only_row is 'Keeps the table at one row.';
comment on column log.home.region is 'The region''s id.';

-- Neither this table nor log.event has check constraints: Postgres parses them anew for every statement that writes, which
-- costs a lone append a seventh of its time. log.append keeps what they would check.
create table log.tenant (
    tenant_id uuid primary key,
    slug text not null unique,
    region text not null,
    position bigint not null default 0,
    epoch bigint not null,
    state text not null,
    next_ticket bigint not null default 1,
    next_id bigint not null default 1,
    created_at timestamptz not null
) with (fillfactor = 50);
comment on table log.tenant is 'The head row of each tenant at home here: every append locks it, checks it and moves it.';
comment on column log.tenant.tenant_id is 'The tenant, for ever.';
comment on column log.tenant.slug is 'The name in its address.';
comment on column log.tenant.region is 'The region it is at home in: this one.';
comment on column log.tenant.position is 'The last position assigned; 0 before the first event.';
comment on column log.tenant.epoch is 'How often its home was set; an append that carries another epoch is refused.';
comment on column log.tenant.state is 'active, moving or closed. Appends are taken in state active only.';
comment on column log.tenant.next_ticket is 'The next ticket number to hand out.';
comment on column log.tenant.next_id is 'The next id of a person, group, attachment or token to hand out.';
comment on column log.tenant.created_at is 'When the tenant was made here.';

-- One table, not partitions: a lookup through eight of them costs a quarter of the append (docs/adr/0002).
-- No foreign key to log.tenant: log.append holds the tenant's head row locked while it inserts, and checking again for every
-- event costs as much as inserting it.
create table log.event (
    tenant_id uuid not null,
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
    primary key (tenant_id, position),
    unique (tenant_id, stream, version)
);
comment on table log.event is 'Every event of every tenant at home here, sealed. Rows are never updated and never deleted.';
comment on column log.event.tenant_id is 'Whose event.';
comment on column log.event.position is 'Its place in the tenant''s log: dense, from 1, in commit order.';
comment on column log.event.stream is 'Of which aggregate: ids only, no data.';
comment on column log.event.version is 'Its place in the stream: dense, from 1.';
comment on column log.event.event_id is 'Its own id, UUIDv7.';
comment on column log.event.event_type is 'What kind of fact.';
comment on column log.event.schema_version is 'In which shape the payload was written.';
comment on column log.event.recorded_at is 'When the command read the clock.';
comment on column log.event.actor is 'Who caused it: person-<id> or system.';
comment on column log.event.command_id is 'By which command; an audit is the events of one.';
comment on column log.event.causation_id is 'The event that caused the command, if one did.';
comment on column log.event.trace_parent is 'W3C trace context of the command.';
comment on column log.event.key_id is 'The data key the payload is sealed under.';
comment on column log.event.blob is 'SHA-256 of the ciphertext of a file that belongs to the event.';
comment on column log.event.payload is 'Nonce and AES-256-GCM ciphertext.';
comment on column log.event.leaf is 'SHA-256(0x00 || entry), RFC 6962 section 2.1; 32 bytes.';

create table log.idempotency (
    tenant_id uuid not null references log.tenant (tenant_id),
    key text not null check (octet_length(key) between 1 and 255),
    fingerprint bytea not null,
    command_id uuid not null,
    position bigint not null,
    event_count integer not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, key)
);
comment on table log.idempotency is 'What became of a request that carried an idempotency key.';
comment on column log.idempotency.tenant_id is 'Whose request.';
comment on column log.idempotency.key is 'The person, and the SHA-256 of the key it sent.';
comment on column log.idempotency.fingerprint is 'SHA-256 of the request: the same key with another request is refused.';
comment on column log.idempotency.command_id is 'The command that did the work.';
comment on column log.idempotency.position is 'Position of the command''s first event; the one it would have had, if it had none.';
comment on column log.idempotency.event_count is 'How many events it appended; none, if it found nothing to change.';
comment on column log.idempotency.recorded_at is 'When.';

create table log.tree_head (
    tenant_id uuid primary key references log.tenant (tenant_id),
    size bigint not null check (size >= 0),
    root bytea not null check (octet_length(root) = 32),
    frontier bytea[] not null,
    note text not null,
    sealed_at timestamptz not null
);
comment on table log.tree_head is 'The newest signed tree head of each tenant''s Merkle log: the mark "sealed".';
comment on column log.tree_head.tenant_id is 'Whose log.';
comment on column log.tree_head.size is 'How many leaves: the last position under the head.';
comment on column log.tree_head.root is 'The root hash at that size.';
comment on column log.tree_head.frontier is 'Roots of the perfect subtrees, largest first: what the next head grows from.';
comment on column log.tree_head.note is 'The signed note (C2SP checkpoint).';
comment on column log.tree_head.sealed_at is 'When it was signed.';

create table log.mark (
    tenant_id uuid not null references log.tenant (tenant_id),
    mark text not null check (mark in ('archived', 'verified')),
    position bigint not null,
    reached_at timestamptz not null,
    primary key (tenant_id, mark)
);
comment on table log.mark is 'How far each tenant''s log is archived and verified; acked and sealed follow from tenant and tree_head.';
comment on column log.mark.tenant_id is 'Whose log.';
comment on column log.mark.mark is 'archived: in the bucket under a published manifest; verified: restored and compared.';
comment on column log.mark.position is 'Up to and including this position.';
comment on column log.mark.reached_at is 'When.';

grant usage on schema log to domicile_desk, domicile_projector, domicile_replicator;
grant select on log.home, log.tenant, log.event, log.idempotency, log.tree_head, log.mark
    to domicile_desk, domicile_projector, domicile_replicator;
-- The desk makes tenants and appends through functions of the owner; it holds no right to change or delete a row.
grant insert (tenant_id, slug, region, epoch, state, created_at) on log.tenant to domicile_desk;
grant insert, update on log.tree_head, log.mark to domicile_replicator;

-- The second fence: the desk sees rows of the tenant it has named, and of no other.
do $$
declare
    fenced text;
begin
    foreach fenced in array array['event', 'idempotency', 'tree_head', 'mark'] loop
        execute format('alter table log.%I enable row level security', fenced);
        execute format(
            'create policy desk_one_tenant on log.%I for select to domicile_desk '
            'using (tenant_id = nullif(current_setting(''domicile.tenant_id'', true), '''')::uuid)', fenced);
        execute format(
            'create policy workers_all on log.%I to domicile_projector, domicile_replicator using (true)', fenced);
    end loop;
end $$;
