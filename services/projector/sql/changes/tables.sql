-- The tables of a build of changes. The search path says which build.

create table ticket_change (
    tenant_id uuid not null,
    ticket_id bigint not null,
    position bigint not null,
    is_erased boolean not null,
    primary key (tenant_id, ticket_id)
);
comment on table ticket_change is 'Projection changes: when each ticket changed last. Erased ones stay: exports tell that they are gone.';
comment on column ticket_change.tenant_id is 'Whose.';
comment on column ticket_change.ticket_id is 'Which ticket.';
comment on column ticket_change.position is 'Its last event.';
comment on column ticket_change.is_erased is 'Whether nothing is left of it but this row.';

create table person_change (
    tenant_id uuid not null,
    person_id bigint not null,
    position bigint not null,
    primary key (tenant_id, person_id)
);
comment on table person_change is 'Projection changes: when each person changed last.';
comment on column person_change.tenant_id is 'Whose.';
comment on column person_change.person_id is 'Which person.';
comment on column person_change.position is 'Their last event.';

create table moment (
    tenant_id uuid not null,
    second bigint not null,
    first_position bigint not null,
    primary key (tenant_id, second)
);
comment on table moment is 'Projection changes: time that never goes back. A later position has the same second or a later one.';
comment on column moment.tenant_id is 'Whose.';
comment on column moment.second is 'Seconds since 1970-01-01 UTC, as the clocks of desks had them, but no earlier than before.';
comment on column moment.first_position is 'The first event of that second.';
