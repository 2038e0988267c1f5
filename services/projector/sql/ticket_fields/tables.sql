-- The tables of a build of ticket_fields. The search path says which build.

create table ticket_field (
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
comment on table ticket_field is 'Projection ticket_fields: what a tenant asks of its tickets besides what every ticket has.';
comment on column ticket_field.tenant_id is 'Whose.';
comment on column ticket_field.field_id is 'The field.';
comment on column ticket_field.kind is 'What its values are.';
comment on column ticket_field.definition is 'What else is said of it.';
comment on column ticket_field.position is 'Where it stands among the others.';
comment on column ticket_field.is_active is 'Whether tickets take values of it.';
comment on column ticket_field.is_visible_in_portal is 'Whether end users see it.';
comment on column ticket_field.created_at is 'When it was made.';
comment on column ticket_field.updated_at is 'When it last changed.';
