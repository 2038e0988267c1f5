-- The projection jobs, in its first version.

create schema read_jobs_1;
grant usage on schema read_jobs_1 to domicile_desk, domicile_projector, domicile_replicator;

create table read_jobs_1.job (
    tenant_id uuid not null,
    job_id uuid not null,
    queued_position bigint not null,
    kind text not null,
    total integer not null,
    done integer not null,
    results jsonb not null,
    asked_by bigint not null,
    queued_at timestamptz not null,
    changed_at timestamptz not null,
    finished_at timestamptz,
    primary key (tenant_id, job_id)
);
comment on table read_jobs_1.job is 'Projection jobs: work on many things that one request asked for.';
comment on column read_jobs_1.job.tenant_id is 'Whose.';
comment on column read_jobs_1.job.job_id is 'The job.';
comment on column read_jobs_1.job.queued_position is 'The position of its first event: newer jobs have greater ones.';
comment on column read_jobs_1.job.kind is 'What is done to each item.';
comment on column read_jobs_1.job.total is 'How many items it has.';
comment on column read_jobs_1.job.done is 'How many of them are done or refused.';
comment on column read_jobs_1.job.results is 'What became of each: a list of index, item, error and details.';
comment on column read_jobs_1.job.asked_by is 'Who asked.';
comment on column read_jobs_1.job.queued_at is 'When.';
comment on column read_jobs_1.job.changed_at is 'When something was last done.';
comment on column read_jobs_1.job.finished_at is 'When all was done; null until then.';

create index job_by_position on read_jobs_1.job (tenant_id, queued_position);
create index job_unfinished on read_jobs_1.job (changed_at) where finished_at is null;

grant select on read_jobs_1.job to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_jobs_1.job to domicile_projector;

alter table read_jobs_1.job enable row level security;
create policy desk_one_tenant on read_jobs_1.job for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_jobs_1.job to domicile_projector using (true) with check (true);
create policy replicator_reads on read_jobs_1.job for select to domicile_replicator using (true);

insert into read.build (projection, version, shape, state, created_at, completed_at)
values ('jobs', 1, 1, 'complete', now(), now());
insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build where projection = 'jobs';

-- Whoever works on jobs asks for those that were left, of whichever tenant: by their ids alone.
create function read.unfinished_jobs(quiet_since timestamptz, at_most integer) returns table (tenant_id uuid, job_id uuid)
language plpgsql stable
security definer
set search_path = pg_catalog
as $$
declare
    home text;
begin
    for home in select format('read_jobs_%s', serving.version) from read.serving as serving where serving.projection = 'jobs' loop
        return query execute format(
            'select tenant_id, job_id from %I.job where finished_at is null and changed_at < $1 order by changed_at limit $2', home)
            using quiet_since, at_most;
    end loop;
end $$;
comment on function read.unfinished_jobs is 'Jobs that are not finished, and to which nothing was done since a moment.';
revoke all on function read.unfinished_jobs from public;
grant execute on function read.unfinished_jobs to domicile_desk;
