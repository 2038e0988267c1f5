-- A restore can bring back the key of a scope for which an older database has made another one. One of them seals from then on;
-- the other opens what it has sealed, and is erased with its scope.

alter table vault.data_key add column set_aside_at timestamptz;
comment on column vault.data_key.set_aside_at is
    'When a restore put another key to work for this scope; null for the one that seals. It opens what it sealed.';

create unique index data_key_at_work on vault.data_key (
    tenant_id, scope, (case when set_aside_at is null then '00000000-0000-0000-0000-000000000000'::uuid else key_id end)
);
alter table vault.data_key drop constraint data_key_tenant_id_scope_key;
