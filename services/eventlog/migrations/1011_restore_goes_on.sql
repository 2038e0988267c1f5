-- What a restore has to know after it was interrupted.

alter table log.restore add column opens_as text not null default 'active';
alter table log.restore add column has_changed boolean not null default false;
comment on column log.restore.opens_as is 'The state that the tenant gets back at the end: the one it had, or active.';
comment on column log.restore.has_changed is
    'Whether rows were taken out of the log that a projection may have read. Their read models are forgotten before the end.';
