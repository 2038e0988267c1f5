-- Every restore that came to its end, until its tenant's own log says so and after it.

alter table log.restore add column old_end bigint;
comment on column log.restore.old_end is 'Where the log ended when the restore was begun, for the first time.';

create table log.restored (
    tenant_id uuid not null,
    restore_id uuid not null,
    command text not null,
    backup_id text,
    archived bigint not null,
    old_end bigint not null,
    new_end bigint not null,
    set_aside bigint not null,
    restored_at timestamptz not null,
    primary key (tenant_id, restore_id)
);
comment on table log.restored is 'Restores in place that came to their end. A desk tells each in the log of its tenant.';
comment on column log.restored.tenant_id is 'Whose log.';
comment on column log.restored.restore_id is 'Which restore: the event that tells it names it.';
comment on column log.restored.command is 'How it was asked for.';
comment on column log.restored.backup_id is 'The backup that said what must be there; nothing where none did.';
comment on column log.restored.archived is 'The last position of the archive.';
comment on column log.restored.old_end is 'Where the log ended when the restore was begun.';
comment on column log.restored.new_end is 'Where it ended when the tenant was opened.';
comment on column log.restored.set_aside is 'How many of its rows are in log.set_aside.';
comment on column log.restored.restored_at is 'When the tenant was opened.';

-- The owner's, as the restore is. A desk looks whom to tell, and names no tenant when it does.
alter table log.restored enable row level security;
create policy desk_tells_all on log.restored for select to domicile_desk using (true);
grant select on log.restored to domicile_desk;
