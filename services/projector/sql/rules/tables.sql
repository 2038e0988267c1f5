-- The tables of a build of rules. The search path says which build.

create table rule (
    tenant_id uuid not null,
    rule_id bigint not null,
    kind text not null,
    owner_id bigint,
    group_ids bigint[] not null,
    definition jsonb not null,
    position bigint not null,
    is_active boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, rule_id)
);
comment on table rule is 'Projection rules: views and macros, what a tenant says once about its tickets.';
comment on column rule.tenant_id is 'Whose.';
comment on column rule.rule_id is 'The rule.';
comment on column rule.kind is 'view or macro.';
comment on column rule.owner_id is 'Whose own it is; null, if it is shared.';
comment on column rule.group_ids is 'The groups that share it, sorted; none, if all do or it is somebody''s own.';
comment on column rule.definition is 'What it says, in the words it was sent in.';
comment on column rule.position is 'Where it stands among the others of its kind.';
comment on column rule.is_active is 'Whether it is in use.';
comment on column rule.created_at is 'When it was made.';
comment on column rule.updated_at is 'When it last changed.';
