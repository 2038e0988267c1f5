-- The projection rules, in its first version, and the indexes that views find their tickets by.

create schema read_rules_1;
grant usage on schema read_rules_1 to domicile_desk, domicile_projector, domicile_replicator;

create table read_rules_1.rule (
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
comment on table read_rules_1.rule is 'Projection rules: views and macros, what a tenant says once about its tickets.';
comment on column read_rules_1.rule.tenant_id is 'Whose.';
comment on column read_rules_1.rule.rule_id is 'The rule.';
comment on column read_rules_1.rule.kind is 'view or macro.';
comment on column read_rules_1.rule.owner_id is 'Whose own it is; null, if it is shared.';
comment on column read_rules_1.rule.group_ids is 'The groups that share it, sorted; none, if all do or it is somebody''s own.';
comment on column read_rules_1.rule.definition is 'What it says, in the words it was sent in.';
comment on column read_rules_1.rule.position is 'Where it stands among the others of its kind.';
comment on column read_rules_1.rule.is_active is 'Whether it is in use.';
comment on column read_rules_1.rule.created_at is 'When it was made.';
comment on column read_rules_1.rule.updated_at is 'When it last changed.';

create index rule_of_kind on read_rules_1.rule (tenant_id, kind, position, rule_id);

grant select on read_rules_1.rule to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_rules_1.rule to domicile_projector;

alter table read_rules_1.rule enable row level security;
create policy desk_one_tenant on read_rules_1.rule for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_rules_1.rule to domicile_projector using (true) with check (true);
create policy replicator_reads on read_rules_1.rule for select to domicile_replicator using (true);

insert into read.build (projection, version, shape, state, created_at, completed_at)
values ('rules', 1, 1, 'complete', now(), now());
insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build where projection = 'rules';

do $$
declare
    build text;
begin
    for build in select nspname from pg_namespace where nspname ~ '^read_ticket_list_[0-9]+$' loop
        execute format('create index ticket_list_status on %I.ticket_list (tenant_id, status, ticket_id) where deleted_at is null', build);
        execute format('create index ticket_list_group on %I.ticket_list (tenant_id, group_id, ticket_id) where group_id is not null', build);
    end loop;
end $$;
