-- log.append_together for callers with idempotency keys too, which most clients send: a key that nobody has used is nothing out of
-- the ordinary. The function it takes the place of stays, for programs that run while this migration does.
--
-- The keys of a caller: its slot, how many events of its tenant come before its own, how many it has, and its time.
-- Arrays: per tenant, in the order of their ids; per stream, none twice; per event, those of a tenant together, in the order
-- of the tenants. Slots are places in the first arrays, from 1. A column that is null in every event may be left empty.
create function log.append_together(
    tenant_ids uuid[], epochs bigint[], tenant_event_counts bigint[],
    stream_slots integer[], streams text[], expected_versions bigint[],
    event_slots integer[], event_streams text[], event_versions bigint[], event_ids uuid[], event_types text[],
    schema_versions smallint[], recorded_ats timestamptz[], actors text[], event_command_ids uuid[], causation_ids uuid[],
    trace_parents text[], key_ids uuid[], blobs bytea[], payloads bytea[], leaves bytea[],
    keyed_slots integer[], keys text[], fingerprints bytea[], keyed_command_ids uuid[], events_before bigint[],
    keyed_event_counts integer[], keyed_ats timestamptz[]
) returns bigint[]
language plpgsql
security definer
set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
as $$
declare
    heads bigint[];
    head_epochs bigint[];
    -- What the place of an event among the events of the batch lacks to its position.
    shifts bigint[] := tenant_event_counts;
    event_count bigint := 0;
begin
    -- 1. Lock.
    select array_agg(l.position), array_agg(l.epoch) into heads, head_epochs
        from (
            select t.position, t.epoch from log.tenant t
            where t.tenant_id = any (tenant_ids) and t.state = 'active'
            order by t.tenant_id for update
        ) l;
    if head_epochs is distinct from epochs then
        return null;
    end if;

    -- 2. Read, by a statement of its own.
    if exists (
        select from (select unnest(stream_slots) as slot, unnest(streams) as stream, unnest(expected_versions) as expected) s
        where s.expected <> coalesce((
            select e.version from log.event e
            where e.tenant_id = tenant_ids[s.slot] and e.stream = s.stream and e.version >= s.expected
            order by e.version desc limit 1
        ), 0)
    ) then
        return null;
    end if;

    if cardinality(keyed_slots) > 0 and exists (
        select from (select unnest(keyed_slots) as slot, unnest(keys) as key) k
        join log.idempotency i on i.tenant_id = tenant_ids[k.slot] and i.key = k.key
    ) then
        return null;
    end if;

    -- 3. Positions.
    for slot in 1..cardinality(heads) loop
        shifts[slot] := heads[slot] - event_count;
        event_count := event_count + tenant_event_counts[slot];
    end loop;

    -- 4. Write. Functions that return sets are in the select list, where they run side by side; in the from clause each would
    -- fill a table of its own first.
    update log.tenant t set position = t.position + n.event_count
        from (select unnest(tenant_ids) as tenant_id, unnest(tenant_event_counts) as event_count) n
        where t.tenant_id = n.tenant_id;
    insert into log.event (
        tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at, actor, command_id,
        causation_id, trace_parent, key_id, blob, payload, leaf
    )
    select
        tenant_ids[e.slot], shifts[e.slot] + e.place, e.stream, e.version, e.event_id, e.event_type, e.schema_version,
        e.recorded_at, e.actor, e.command_id, e.causation_id, e.trace_parent, e.key_id, e.blob, e.payload, e.leaf
    from (
        select
            generate_series(1, event_count) as place, unnest(event_slots) as slot, unnest(event_streams) as stream,
            unnest(event_versions) as version, unnest(event_ids) as event_id, unnest(event_types) as event_type,
            unnest(schema_versions) as schema_version, unnest(recorded_ats) as recorded_at, unnest(actors) as actor,
            unnest(event_command_ids) as command_id, unnest(causation_ids) as causation_id,
            unnest(trace_parents) as trace_parent, unnest(key_ids) as key_id, unnest(blobs) as blob,
            unnest(payloads) as payload, unnest(leaves) as leaf
    ) e;
    if cardinality(keyed_slots) > 0 then
        insert into log.idempotency (tenant_id, key, fingerprint, command_id, position, event_count, recorded_at)
        select
            tenant_ids[k.slot], k.key, k.fingerprint, k.command_id, heads[k.slot] + k.events_before + 1, k.event_count,
            k.recorded_at
        from (
            select
                unnest(keyed_slots) as slot, unnest(keys) as key, unnest(fingerprints) as fingerprint,
                unnest(keyed_command_ids) as command_id, unnest(events_before) as events_before,
                unnest(keyed_event_counts) as event_count, unnest(keyed_ats) as recorded_at
        ) k;
    end if;
    return heads;
end $$;

comment on function log.append_together(
    uuid[], bigint[], bigint[], integer[], text[], bigint[], integer[], text[], bigint[], uuid[], text[], smallint[],
    timestamptz[], text[], uuid[], uuid[], text[], uuid[], bytea[], bytea[], bytea[], integer[], text[], bytea[], uuid[], bigint[],
    integer[], timestamptz[]
) is
    'Appends a batch: the positions before it, per tenant, or null if nothing was appended and log.append is to be asked.';

revoke all on function log.append_together(
    uuid[], bigint[], bigint[], integer[], text[], bigint[], integer[], text[], bigint[], uuid[], text[], smallint[],
    timestamptz[], text[], uuid[], uuid[], text[], uuid[], bytea[], bytea[], bytea[], integer[], text[], bytea[], uuid[], bigint[],
    integer[], timestamptz[]
) from public;
grant execute on function log.append_together(
    uuid[], bigint[], bigint[], integer[], text[], bigint[], integer[], text[], bigint[], uuid[], text[], smallint[],
    timestamptz[], text[], uuid[], uuid[], text[], uuid[], bytea[], bytea[], bytea[], integer[], text[], bytea[], uuid[], bigint[],
    integer[], timestamptz[]
) to domicile_desk;
