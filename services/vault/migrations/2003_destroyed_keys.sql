-- Erasure: a key is destroyed by taking its wrapped bytes out of its row. The row stays as the scope's tombstone, so that the
-- unique scope refuses a second key for what was erased, whoever asks and whatever a restore brings along.

alter table vault.data_key alter column wrapped drop not null;
alter table vault.data_key add column destroyed_at timestamptz;
comment on table vault.data_key is
    'The keys payloads are sealed under. A row without its wrapped bytes is an erasure: crypto-shredding.';
comment on column vault.data_key.wrapped is
    'Nonce and AES-256-GCM ciphertext of the 32-byte key, under the tenant key; null once the key was destroyed.';
comment on column vault.data_key.destroyed_at is 'When the key was destroyed; null while it lives.';

-- What an update leaves behind is swept with the next round of autovacuum, not when a fifth of all keys were destroyed.
alter table vault.data_key set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 0);

create table vault.erasure_mark (
    tenant_id uuid primary key references vault.tenant_key (tenant_id),
    version bigint not null
);
comment on table vault.erasure_mark is 'How far each tenant''s erasure list, the stream erasures, has been carried out.';
comment on column vault.erasure_mark.tenant_id is 'Whose list.';
comment on column vault.erasure_mark.version is 'The last event of the stream whose keys are all destroyed.';

grant select on vault.erasure_mark to domicile_desk, domicile_projector, domicile_replicator;
alter table vault.erasure_mark enable row level security;
create policy desk_one_tenant on vault.erasure_mark to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on vault.erasure_mark for select to domicile_projector, domicile_replicator using (true);

create function vault.bury_keys(for_tenant_id uuid, key_ids uuid[], scopes text[], at timestamptz) returns bigint
language plpgsql
set search_path = pg_catalog
as $$
declare
    lived bigint;
begin
    if 'general' = any (scopes) then
        raise exception 'the general key of a tenant is never destroyed: the erasure list itself is sealed under it';
    end if;
    -- One erasure of a tenant at a time, so that two never wait for each other's rows. Makers of keys do not wait.
    perform from vault.tenant_key where tenant_id = for_tenant_id for no key update;
    update vault.data_key set wrapped = null, destroyed_at = at
    where tenant_id = for_tenant_id and wrapped is not null and (key_id = any (key_ids) or scope = any (scopes));
    get diagnostics lived = row_count;
    -- Into a vault that never had the key, or does not have it yet: the tombstone is there before it.
    insert into vault.data_key (tenant_id, key_id, scope, wrapped, created_at, destroyed_at)
    select for_tenant_id, buried.key_id, buried.scope, null, at, at
    from unnest(key_ids, scopes) as buried (key_id, scope)
    on conflict do nothing;
    return lived;
end $$;

comment on function vault.bury_keys is
    'Destroys keys, by id and by scope, and refuses these ids and scopes for ever. Returns how many lived. For the owner only: '
    'a restore, which brings the erasure list along. Everybody else destroys what the log says: vault.destroy_keys.';
revoke all on function vault.bury_keys from public;

create function vault.destroy_keys(for_tenant_id uuid, at_version bigint, key_ids uuid[], scopes text[], at timestamptz)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog
as $$
declare
    lived bigint;
begin
    perform from log.event where tenant_id = for_tenant_id and stream = 'erasures' and version = at_version;
    if not found then
        raise exception 'keys are destroyed for a recorded reason: tenant % has no event % in erasures', for_tenant_id, at_version;
    end if;
    lived := vault.bury_keys(for_tenant_id, key_ids, scopes, at);
    -- In the order of the list, so that a mark says: everything up to here. What comes too early is done, and done again.
    if at_version = 1 then
        insert into vault.erasure_mark (tenant_id, version) values (for_tenant_id, 1) on conflict do nothing;
    else
        update vault.erasure_mark set version = at_version where tenant_id = for_tenant_id and version = at_version - 1;
    end if;
    return lived;
end $$;

comment on function vault.destroy_keys is
    'Destroys the keys that one event of the tenant''s erasure list names, and moves the mark. Returns how many lived. The '
    'desk may not touch keys otherwise, and not without that event: no key goes without a record.';
revoke all on function vault.destroy_keys from public;
grant execute on function vault.destroy_keys to domicile_desk;

create function vault.erasures_due() returns table (tenant_id uuid, since bigint)
language sql
stable
security definer
set search_path = pg_catalog
as $$
    select tenant.tenant_id, coalesce(mark.version, 0)
    from log.tenant as tenant
    cross join lateral (
        select event.version from log.event as event
        where event.tenant_id = tenant.tenant_id and event.stream = 'erasures'
        order by event.version desc limit 1
    ) as newest
    left join vault.erasure_mark as mark on mark.tenant_id = tenant.tenant_id
    where newest.version > coalesce(mark.version, 0)
    order by tenant.tenant_id
$$;

comment on function vault.erasures_due is
    'The tenants whose erasure list has events that are not carried out, and how far they are: ids and numbers only.';
revoke all on function vault.erasures_due from public;
grant execute on function vault.erasures_due to domicile_desk;

-- A destroyed key is missing, as before.
create or replace function vault.data_keys_by_id(for_tenant_id uuid, key_ids uuid[])
returns table (key_id uuid, scope text, wrapped bytea)
language plpgsql
set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
as $$
begin
    perform set_config('domicile.tenant_id', for_tenant_id::text, true);
    return query
        select d.key_id, d.scope, d.wrapped from vault.data_key d
        where d.tenant_id = for_tenant_id and d.key_id = any (key_ids) and d.wrapped is not null;
end $$;
