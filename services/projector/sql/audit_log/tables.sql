-- The tables of a build of audit_log. The search path says which build.

create table audit_log (
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
comment on table audit_log is 'Projection audit_log: one row a thing that a command changed of settings, people and keys.';
comment on column audit_log.tenant_id is 'Whose.';
comment on column audit_log.audit_log_id is 'The position of the event.';
comment on column audit_log.action is 'create, update, destroy or exported.';
comment on column audit_log.source_type is 'What kind of thing it was done to.';
comment on column audit_log.source_id is 'To which.';
comment on column audit_log.source_label is 'What people call it.';
comment on column audit_log.changes is 'What changed: a list of field, old and new.';
comment on column audit_log.actor_id is 'Who did it; absent for the product itself.';
comment on column audit_log.means is 'By what they came in.';
comment on column audit_log.token_id is 'The API token, if it was one.';
comment on column audit_log.ip_address is 'Their network address.';
comment on column audit_log.client is 'What their program calls itself.';
comment on column audit_log.origin_key_id is 'The key that address and client are sealed under: destroyed with it.';
comment on column audit_log.change_key_id is 'The key that label and changes are sealed under: destroyed with it.';
comment on column audit_log.created_at is 'When.';
