-- The projection audit_log, in its first version. Tenants whose log is long are followed from its beginning, like any that is behind.

create schema read_audit_log_1;
grant usage on schema read_audit_log_1 to domicile_desk, domicile_projector, domicile_replicator;

create table read_audit_log_1.audit_log (
    tenant_id uuid not null,
    audit_log_id bigint not null,
    action text not null,
    source_type text not null,
    source_id bigint not null,
    source_label text not null,
    changes jsonb not null,
    actor_id bigint,
    means text,
    token_id bigint,
    ip_address text,
    client text,
    origin_key_id uuid,
    change_key_id uuid not null,
    created_at timestamptz not null,
    primary key (tenant_id, audit_log_id)
);
comment on table read_audit_log_1.audit_log is 'Projection audit_log: one row a thing that a command changed of settings, people and keys.';
comment on column read_audit_log_1.audit_log.tenant_id is 'Whose.';
comment on column read_audit_log_1.audit_log.audit_log_id is 'The position of the event.';
comment on column read_audit_log_1.audit_log.action is 'create, update, destroy or exported.';
comment on column read_audit_log_1.audit_log.source_type is 'What kind of thing it was done to.';
comment on column read_audit_log_1.audit_log.source_id is 'To which.';
comment on column read_audit_log_1.audit_log.source_label is 'What people call it.';
comment on column read_audit_log_1.audit_log.changes is 'What changed: a list of field, old and new.';
comment on column read_audit_log_1.audit_log.actor_id is 'Who did it; absent for the product itself.';
comment on column read_audit_log_1.audit_log.means is 'By what they came in.';
comment on column read_audit_log_1.audit_log.token_id is 'The API token, if it was one.';
comment on column read_audit_log_1.audit_log.ip_address is 'Their network address.';
comment on column read_audit_log_1.audit_log.client is 'What their program calls itself.';
comment on column read_audit_log_1.audit_log.origin_key_id is 'The key that address and client are sealed under: destroyed with it.';
comment on column read_audit_log_1.audit_log.change_key_id is 'The key that label and changes are sealed under: destroyed with it.';
comment on column read_audit_log_1.audit_log.created_at is 'When.';

create index audit_log_by_source on read_audit_log_1.audit_log (tenant_id, source_type, source_id, audit_log_id);
create index audit_log_by_actor on read_audit_log_1.audit_log (tenant_id, actor_id, audit_log_id);

grant select on read_audit_log_1.audit_log to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_audit_log_1.audit_log to domicile_projector;

alter table read_audit_log_1.audit_log enable row level security;
create policy desk_one_tenant on read_audit_log_1.audit_log for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_audit_log_1.audit_log to domicile_projector using (true) with check (true);
create policy replicator_reads on read_audit_log_1.audit_log for select to domicile_replicator using (true);

insert into read.build (projection, version, shape, state, created_at, completed_at)
values ('audit_log', 1, 1, 'complete', now(), now());
insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build where projection = 'audit_log';
