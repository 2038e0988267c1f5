-- Read models get versions. Each build of a projection has a schema of its own, `read_<projection>_<version>`, and one row
-- says which build serves. Statements name tables without a schema; the search path picks the build.

create table read.build (
    projection text not null,
    version integer not null check (version > 0),
    shape integer not null,
    state text not null check (state in ('building', 'complete', 'checking')),
    created_at timestamptz not null,
    completed_at timestamptz,
    primary key (projection, version)
);
comment on table read.build is 'The builds there are: one schema each. They concern all tenants of the region.';
comment on column read.build.projection is 'Of which projection.';
comment on column read.build.version is 'Which of its builds, from 1.';
comment on column read.build.shape is 'Which columns its tables have: what a program can read and write.';
comment on column read.build.state is 'building: being filled, without secondary indexes. complete: may serve. checking: made to be compared and dropped.';
comment on column read.build.created_at is 'When its tables were made.';
comment on column read.build.completed_at is 'When it had its indexes.';

create table read.serving (
    projection text not null,
    shape integer not null,
    version integer not null,
    previous_version integer,
    switched_at timestamptz not null,
    primary key (projection, shape),
    foreign key (projection, version) references read.build (projection, version)
);
comment on table read.serving is 'Which build serves the programs that read a shape. Switching is an update of one row.';
comment on column read.serving.projection is 'Of which projection.';
comment on column read.serving.shape is 'For programs that read these columns.';
comment on column read.serving.version is 'The build they read, and that is followed.';
comment on column read.serving.previous_version is 'The build they read before: kept, not followed, so that one can switch back.';
comment on column read.serving.switched_at is 'Since when.';

-- The default is what a program from before builds means when it names no version.
alter table read.checkpoint
    add column version integer not null default 1,
    drop constraint checkpoint_pkey,
    add primary key (tenant_id, projection, version);
comment on column read.checkpoint.version is 'Of which build.';

grant select on read.build, read.serving to domicile_desk, domicile_replicator;
grant select, insert, update, delete on read.build, read.serving to domicile_projector;

-- What there is becomes version 1. Privileges and policies stay with the tables. The views are for programs from before
-- builds, until none of them runs any more: they go away with version 1.
do $$
declare
    moved record;
    home text;
begin
    for moved in
        select projection, table_name
        from (values ('account', 'account'), ('account', 'agent_group'), ('people', 'person'), ('people', 'api_token'),
                     ('ticket_list', 'ticket_list'), ('ticket_thread', 'comment'), ('ticket_thread', 'attachment'),
                     ('audits', 'audit'), ('audits', 'audit_ticket')) as known (projection, table_name)
    loop
        home := format('read_%s_1', moved.projection);
        execute format('create schema if not exists %I', home);
        execute format('grant usage on schema %I to domicile_desk, domicile_projector, domicile_replicator', home);
        execute format('alter table read.%I set schema %I', moved.table_name, home);
        execute format(
            'create view read.%I with (security_invoker = true) as table %I.%I', moved.table_name, home, moved.table_name);
        execute format('grant select on read.%I to domicile_desk, domicile_replicator', moved.table_name);
        execute format('grant select, insert, update, delete on read.%I to domicile_projector', moved.table_name);
        execute format(
            'comment on view read.%I is ''Version 1 as programs from before builds name it.''', moved.table_name);
    end loop;
end $$;

insert into read.build (projection, version, shape, state, created_at, completed_at)
select projection, 1, 1, 'complete', now(), now()
from unnest(array['account', 'people', 'ticket_list', 'ticket_thread', 'audits']) as known (projection);

insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build;

-- The search path of a reader: the schemas of the builds that serve its shapes. Called when a transaction begins, in the
-- same round trip. In plpgsql, because its statements keep their plans.
create function read.path_of(projections text[], shapes integer[]) returns text
language plpgsql stable as $$
begin
    return (
        select coalesce(string_agg(format('read_%s_%s', serving.projection, serving.version), ', '), '')
        from unnest(projections, shapes) as wanted (projection, shape)
        join read.serving as serving on serving.projection = wanted.projection and serving.shape = wanted.shape
    );
end $$;
comment on function read.path_of is 'The schemas of the builds that serve these shapes, as a search path.';
