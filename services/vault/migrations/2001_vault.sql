-- Keys, each wrapped by the next. Nothing here opens without the region key, which lies elsewhere.

create schema vault;

create table vault.tenant_key (
    tenant_id uuid primary key,
    region_key_id text not null,
    wrapped bytea not null,
    created_at timestamptz not null
);
comment on table vault.tenant_key is 'One key per tenant, wrapped by the region key.';
comment on column vault.tenant_key.tenant_id is 'Whose key.';
comment on column vault.tenant_key.region_key_id is 'Which region key wraps it.';
comment on column vault.tenant_key.wrapped is 'Nonce and AES-256-GCM ciphertext of the 32-byte key.';
comment on column vault.tenant_key.created_at is 'When it was made.';

create table vault.data_key (
    tenant_id uuid not null references vault.tenant_key (tenant_id),
    key_id uuid not null,
    scope text not null,
    wrapped bytea not null,
    created_at timestamptz not null,
    primary key (tenant_id, key_id),
    unique (tenant_id, scope)
);
comment on table vault.data_key is 'The keys payloads are sealed under. Deleting a row is erasure: crypto-shredding.';
comment on column vault.data_key.tenant_id is 'Whose key.';
comment on column vault.data_key.key_id is 'Its id, as envelopes carry it.';
comment on column vault.data_key.scope is 'What it seals: general, person-<id>, ticket-<number>, comment-<event id>, attachment-<id>.';
comment on column vault.data_key.wrapped is 'Nonce and AES-256-GCM ciphertext of the 32-byte key, under the tenant key.';
comment on column vault.data_key.created_at is 'When it was made.';

grant usage on schema vault to domicile_desk, domicile_projector, domicile_replicator;
grant select, insert on vault.tenant_key, vault.data_key to domicile_desk;
grant select on vault.tenant_key, vault.data_key to domicile_projector, domicile_replicator;

-- The second fence: the desk sees and makes keys of the tenant it has named, and of no other.
alter table vault.tenant_key enable row level security;
create policy desk_one_tenant on vault.tenant_key to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on vault.tenant_key for select to domicile_projector, domicile_replicator using (true);

alter table vault.data_key enable row level security;
create policy desk_one_tenant on vault.data_key to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on vault.data_key for select to domicile_projector, domicile_replicator using (true);
