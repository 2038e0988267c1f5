-- What an interrupted restore was asked for, so that another one is not mixed with it, and whether it is over.

alter table log.restore add column backup_id text;
alter table log.restore add column refused_at timestamptz;
comment on column log.restore.source is 'What was asked for: region, tenant or copy, and of which moment.';
comment on column log.restore.backup_id is 'The backup that said what must be there; nothing where none did.';
comment on column log.restore.refused_at is
    'When the restore of its region was over without this tenant. Asked for again, it is tried again.';
