-- Made when a build of jobs is filled: cheaper than keeping them up meanwhile.

create index job_by_position on job (tenant_id, queued_position);
create index job_unfinished on job (changed_at) where finished_at is null;
