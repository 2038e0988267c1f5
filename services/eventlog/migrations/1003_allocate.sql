-- Numbers for tickets, people and whatever else wants a small one. They are unique per tenant, not dense: a number whose
-- command never commits is lost.
--
-- Nothing waits for the disk here. A crash can take back an allocation only together with everything written after it,
-- because the write-ahead log is flushed in order: an append that used the number and was acknowledged flushed the
-- allocation with it, and a number that is handed out again was never in an acknowledged append.
-- Within a larger transaction (is_alone false) the setting stays as it is, or the caller's other writes would lose their
-- durability.
create function log.allocate_ticket(for_tenant_id uuid, for_epoch bigint, is_alone boolean) returns bigint
language plpgsql
security definer
set search_path = pg_catalog
as $$
declare
    allocated bigint;
begin
    if is_alone then
        perform set_config('synchronous_commit', 'off', true);
    end if;
    update log.tenant t set next_ticket = t.next_ticket + 1
        where t.tenant_id = for_tenant_id and t.epoch = for_epoch and t.state = 'active'
        returning t.next_ticket - 1 into allocated;
    return allocated;
end $$;

comment on function log.allocate_ticket is 'The next ticket number of a tenant, or null if it is not at home here under this epoch.';

create function log.allocate_ids(for_tenant_id uuid, for_epoch bigint, id_count bigint, is_alone boolean) returns bigint
language plpgsql
security definer
set search_path = pg_catalog
as $$
declare
    allocated bigint;
begin
    if is_alone then
        perform set_config('synchronous_commit', 'off', true);
    end if;
    update log.tenant t set next_id = t.next_id + id_count
        where t.tenant_id = for_tenant_id and t.epoch = for_epoch and t.state = 'active' and id_count >= 1
        returning t.next_id - id_count into allocated;
    return allocated;
end $$;

comment on function log.allocate_ids is
    'The first of id_count consecutive ids of a tenant, or null if it is not at home here under this epoch.';

revoke all on function log.allocate_ticket, log.allocate_ids from public;
grant execute on function log.allocate_ticket, log.allocate_ids to domicile_desk;
