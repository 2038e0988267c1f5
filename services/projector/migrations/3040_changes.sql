-- The projection changes, in its first version. Tenants whose log is long are followed from its beginning, like any that is behind.

create schema read_changes_1;
grant usage on schema read_changes_1 to domicile_desk, domicile_projector, domicile_replicator;

create table read_changes_1.ticket_change (
    tenant_id uuid not null,
    ticket_id bigint not null,
    position bigint not null,
    is_erased boolean not null,
    primary key (tenant_id, ticket_id)
);
comment on table read_changes_1.ticket_change is 'Projection changes: when each ticket changed last. Erased ones stay: exports tell that they are gone.';
comment on column read_changes_1.ticket_change.tenant_id is 'Whose.';
comment on column read_changes_1.ticket_change.ticket_id is 'Which ticket.';
comment on column read_changes_1.ticket_change.position is 'Its last event.';
comment on column read_changes_1.ticket_change.is_erased is 'Whether nothing is left of it but this row.';

create table read_changes_1.person_change (
    tenant_id uuid not null,
    person_id bigint not null,
    position bigint not null,
    primary key (tenant_id, person_id)
);
comment on table read_changes_1.person_change is 'Projection changes: when each person changed last.';
comment on column read_changes_1.person_change.tenant_id is 'Whose.';
comment on column read_changes_1.person_change.person_id is 'Which person.';
comment on column read_changes_1.person_change.position is 'Their last event.';

create table read_changes_1.moment (
    tenant_id uuid not null,
    second bigint not null,
    first_position bigint not null,
    primary key (tenant_id, second)
);
comment on table read_changes_1.moment is 'Projection changes: time that never goes back. A later position has the same second or a later one.';
comment on column read_changes_1.moment.tenant_id is 'Whose.';
comment on column read_changes_1.moment.second is 'Seconds since 1970-01-01 UTC, as the clocks of desks had them, but no earlier than before.';
comment on column read_changes_1.moment.first_position is 'The first event of that second.';

create unique index ticket_change_by_position on read_changes_1.ticket_change (tenant_id, position);
create unique index person_change_by_position on read_changes_1.person_change (tenant_id, position);
create unique index moment_by_position on read_changes_1.moment (tenant_id, first_position);

grant select on read_changes_1.ticket_change to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_changes_1.ticket_change to domicile_projector;

alter table read_changes_1.ticket_change enable row level security;
create policy desk_one_tenant on read_changes_1.ticket_change for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_changes_1.ticket_change to domicile_projector using (true) with check (true);
create policy replicator_reads on read_changes_1.ticket_change for select to domicile_replicator using (true);

grant select on read_changes_1.person_change to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_changes_1.person_change to domicile_projector;

alter table read_changes_1.person_change enable row level security;
create policy desk_one_tenant on read_changes_1.person_change for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_changes_1.person_change to domicile_projector using (true) with check (true);
create policy replicator_reads on read_changes_1.person_change for select to domicile_replicator using (true);

grant select on read_changes_1.moment to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_changes_1.moment to domicile_projector;

alter table read_changes_1.moment enable row level security;
create policy desk_one_tenant on read_changes_1.moment for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_changes_1.moment to domicile_projector using (true) with check (true);
create policy replicator_reads on read_changes_1.moment for select to domicile_replicator using (true);

insert into read.build (projection, version, shape, state, created_at, completed_at)
values ('changes', 1, 1, 'complete', now(), now());
insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build where projection = 'changes';
