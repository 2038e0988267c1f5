-- Keys by their ids in one round trip: every batch of events that a worker opens asks for some.

create function vault.data_keys_by_id(for_tenant_id uuid, key_ids uuid[])
returns table (key_id uuid, scope text, wrapped bytea)
language plpgsql
set search_path = pg_catalog
-- However many ids, each is looked up: a plan for very many would read all keys of the tenant instead.
set plan_cache_mode = force_generic_plan
as $$
begin
    -- Names the tenant until the statement's transaction ends. What follows is a statement of its own, so row-level security
    -- looks at it after the naming.
    perform set_config('domicile.tenant_id', for_tenant_id::text, true);
    return query
        select d.key_id, d.scope, d.wrapped from vault.data_key d
        where d.tenant_id = for_tenant_id and d.key_id = any (key_ids);
end $$;

comment on function vault.data_keys_by_id is
    'The wrapped data keys of a tenant that have these ids; those that were destroyed are missing. With the rights of whoever '
    'asks. To be called in a transaction of its own, which it leaves naming the tenant.';

revoke all on function vault.data_keys_by_id from public;
grant execute on function vault.data_keys_by_id to domicile_desk, domicile_projector, domicile_replicator;
