-- The projection ticket_fields, in its first version, and what such fields hold on tickets. The column is one that an older program
-- neither reads nor writes, as with 3003.

create schema read_ticket_fields_1;
grant usage on schema read_ticket_fields_1 to domicile_desk, domicile_projector, domicile_replicator;

create table read_ticket_fields_1.ticket_field (
    tenant_id uuid not null,
    field_id bigint not null,
    kind text not null,
    definition jsonb not null,
    position bigint not null,
    is_active boolean not null,
    is_visible_in_portal boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, field_id)
);
comment on table read_ticket_fields_1.ticket_field is 'Projection ticket_fields: what a tenant asks of its tickets besides what every ticket has.';
comment on column read_ticket_fields_1.ticket_field.tenant_id is 'Whose.';
comment on column read_ticket_fields_1.ticket_field.field_id is 'The field.';
comment on column read_ticket_fields_1.ticket_field.kind is 'What its values are.';
comment on column read_ticket_fields_1.ticket_field.definition is 'What else is said of it.';
comment on column read_ticket_fields_1.ticket_field.position is 'Where it stands among the others.';
comment on column read_ticket_fields_1.ticket_field.is_active is 'Whether tickets take values of it.';
comment on column read_ticket_fields_1.ticket_field.is_visible_in_portal is 'Whether end users see it.';
comment on column read_ticket_fields_1.ticket_field.created_at is 'When it was made.';
comment on column read_ticket_fields_1.ticket_field.updated_at is 'When it last changed.';

grant select on read_ticket_fields_1.ticket_field to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_ticket_fields_1.ticket_field to domicile_projector;

alter table read_ticket_fields_1.ticket_field enable row level security;
create policy desk_one_tenant on read_ticket_fields_1.ticket_field for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_ticket_fields_1.ticket_field to domicile_projector using (true) with check (true);
create policy replicator_reads on read_ticket_fields_1.ticket_field for select to domicile_replicator using (true);

insert into read.build (projection, version, shape, state, created_at, completed_at)
values ('ticket_fields', 1, 1, 'complete', now(), now());
insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build where projection = 'ticket_fields';

do $$
declare
    build text;
begin
    for build in select nspname from pg_namespace where nspname ~ '^read_ticket_list_[0-9]+$' loop
        execute format('alter table %I.ticket_list add column custom_fields jsonb not null default ''{}''', build);
        execute format('comment on column %I.ticket_list.custom_fields is %L', build,
            'What the fields hold that the tenant made, by the field''s id.');
    end loop;
end $$;
