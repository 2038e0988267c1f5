-- The tables of a build of jobs. The search path says which build.

create table job (
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
comment on table job is 'Projection jobs: work on many things that one request asked for.';
comment on column job.tenant_id is 'Whose.';
comment on column job.job_id is 'The job.';
comment on column job.queued_position is 'The position of its first event: newer jobs have greater ones.';
comment on column job.kind is 'What is done to each item.';
comment on column job.total is 'How many items it has.';
comment on column job.done is 'How many of them are done or refused.';
comment on column job.results is 'What became of each: a list of index, item, error and details.';
comment on column job.asked_by is 'Who asked.';
comment on column job.queued_at is 'When.';
comment on column job.changed_at is 'When something was last done.';
comment on column job.finished_at is 'When all was done; null until then.';
