-- Exports of wrapped keys live short. Those of living keys are therefore written anew before they end.

create table vault.key_renewal (
    tenant_id uuid primary key references vault.tenant_key (tenant_id),
    renewed_at timestamptz not null
);
comment on table vault.key_renewal is 'When all living keys of a tenant were last exported; without a row, with the generations since it was made.';
comment on column vault.key_renewal.tenant_id is 'Whose keys.';
comment on column vault.key_renewal.renewed_at is 'When the export began: every key of before is in it, and every key made since in a later one.';

grant select, insert, update on vault.key_renewal to domicile_replicator;
alter table vault.key_renewal enable row level security;
create policy replicator_all on vault.key_renewal to domicile_replicator using (true) with check (true);
