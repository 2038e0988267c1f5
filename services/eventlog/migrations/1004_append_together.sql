-- A quicker append.
--
-- 1. A version is looked up from the expected one on. Without that bound the index hands out a whole page of the stream's
--    versions to find the last, which a long stream pays for at every append.
-- 2. log.append_together: a batch in which nothing is out of the ordinary, in four statements and no loop over callers.

create or replace function log.append(
    tenant_ids uuid[], epochs bigint[], command_ids uuid[], stream_counts integer[], event_counts integer[],
    idempotency_keys text[], fingerprints bytea[],
    stream_tenant_ids uuid[], streams text[], expected_versions bigint[], stream_event_counts integer[], earlier_streams integer[],
    event_tenant_ids uuid[], event_streams text[], event_versions bigint[], event_ids uuid[], event_types text[],
    schema_versions smallint[], recorded_ats timestamptz[], actors text[], event_command_ids uuid[], causation_ids uuid[],
    trace_parents text[], key_ids uuid[], blobs bytea[], payloads bytea[], leaves bytea[]
) returns table (outcome text, first_position bigint, last_position bigint, stream_index integer, actual_version bigint)
language plpgsql
security definer
set search_path = pg_catalog
-- The plans depend on no value, and planning would cost more than running.
set plan_cache_mode = force_generic_plan
as $$
declare
    caller_count constant integer := cardinality(tenant_ids);
    event_count constant integer := cardinality(event_ids);
    locked_ids uuid[];
    heads bigint[];
    head_epochs bigint[];
    found_versions bigint[];
    positions bigint[] := array_fill(null::bigint, array[event_count]);
    stream_first integer := 1;
    event_first integer := 1;
    slot integer := 0;
    head bigint;
    head_epoch bigint;
    known record;
begin
    -- 1. Lock.
    select array_agg(l.tenant_id), array_agg(l.position), array_agg(l.epoch) into locked_ids, heads, head_epochs
        from (
            select t.tenant_id, t.position, t.epoch from log.tenant t
            where t.tenant_id = any (tenant_ids) and t.state = 'active'
            order by t.tenant_id for update
        ) l;

    -- 2. Read.
    found_versions := array(
        select coalesce((
            select e.version from log.event e
            where e.tenant_id = s.tenant_id and e.stream = s.stream and e.version >= s.expected
            order by e.version desc limit 1
        ), case when s.expected > 0 then (
            select e.version from log.event e
            where e.tenant_id = s.tenant_id and e.stream = s.stream order by e.version desc limit 1
        ) end, 0)
        from unnest(stream_tenant_ids, streams, expected_versions) with ordinality as s (tenant_id, stream, expected, place)
        order by s.place
    );

    -- 3. Decide.
    for caller in 1..caller_count loop
        if caller = 1 or tenant_ids[caller] <> tenant_ids[caller - 1] then
            if slot > 0 then heads[slot] := head; end if;
            slot := coalesce(array_position(locked_ids, tenant_ids[caller]), 0);
            head := heads[slot];
            head_epoch := head_epochs[slot];
        end if;
        outcome := 'appended';
        first_position := null;
        last_position := null;
        stream_index := null;
        actual_version := null;

        if head_epoch is distinct from epochs[caller] then
            outcome := 'not_at_home';
        elsif idempotency_keys[caller] is not null then
            select i.position, i.event_count, i.fingerprint, i.command_id into known
                from log.idempotency i where i.tenant_id = tenant_ids[caller] and i.key = idempotency_keys[caller];
            if found and known.fingerprint <> fingerprints[caller] then
                outcome := 'key_reused';
            elsif found then
                outcome := case known.command_id when command_ids[caller] then 'had_been_appended' else 'replayed' end;
                first_position := known.position;
                last_position := known.position + known.event_count - 1;
            end if;
        end if;

        for place in stream_first .. stream_first + stream_counts[caller] - 1 loop
            -- An earlier caller of this very batch may have moved the stream since step 2.
            if earlier_streams[place] > 0 then
                found_versions[place] := found_versions[earlier_streams[place]];
            end if;
            if outcome = 'appended' and found_versions[place] <> expected_versions[place] then
                outcome := 'wrong_expected_version';
                stream_index := place - stream_first;
                actual_version := found_versions[place];
            end if;
        end loop;

        if outcome in ('wrong_expected_version', 'not_at_home') then
            -- Perhaps because it is there already: a caller whose connection broke asks again, and this answers it.
            select e.position into known from log.event e
                where e.tenant_id = tenant_ids[caller] and e.stream = streams[stream_first]
                and e.version = expected_versions[stream_first] + 1 and e.command_id = command_ids[caller];
            if found then
                outcome := 'had_been_appended';
                first_position := known.position;
                last_position := known.position + event_counts[caller] - 1;
            end if;
        elsif outcome = 'appended' then
            first_position := head + 1;
            for place in stream_first .. stream_first + stream_counts[caller] - 1 loop
                found_versions[place] := expected_versions[place] + stream_event_counts[place];
            end loop;
            for place in event_first .. event_first + event_counts[caller] - 1 loop
                head := head + 1;
                positions[place] := head;
            end loop;
            last_position := head;
            -- A caller without events found nothing to change; its key is remembered, as of the head.
            if idempotency_keys[caller] is not null then
                insert into log.idempotency (tenant_id, key, fingerprint, command_id, position, event_count, recorded_at)
                values (
                    tenant_ids[caller], idempotency_keys[caller], fingerprints[caller], command_ids[caller], first_position,
                    event_counts[caller],
                    case when event_counts[caller] > 0 then recorded_ats[event_first] else statement_timestamp() end
                );
            end if;
        end if;
        stream_first := stream_first + stream_counts[caller];
        event_first := event_first + event_counts[caller];
        return next;
    end loop;
    if slot > 0 then heads[slot] := head; end if;

    -- 4. Write.
    update log.tenant t set position = h.position
        from unnest(locked_ids, heads) as h (tenant_id, position)
        where t.tenant_id = h.tenant_id and t.position <> h.position;
    insert into log.event (
        tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at, actor, command_id,
        causation_id, trace_parent, key_id, blob, payload, leaf
    )
    select
        e.tenant_id, e.position, e.stream, e.version, e.event_id, e.event_type, e.schema_version, e.recorded_at, e.actor,
        e.command_id, e.causation_id, e.trace_parent, e.key_id, e.blob, e.payload, e.leaf
    from unnest(
        event_tenant_ids, positions, event_streams, event_versions, event_ids, event_types, schema_versions, recorded_ats,
        actors, event_command_ids, causation_ids, trace_parents, key_ids, blobs, payloads, leaves
    ) as e (
        tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at, actor, command_id,
        causation_id, trace_parent, key_id, blob, payload, leaf
    )
    where e.position is not null;
end $$;

create or replace function log.append_alone(
    for_tenant_id uuid, for_epoch bigint, to_stream text, expected_version bigint, new_event_id uuid, new_event_type text,
    new_schema_version smallint, at timestamptz, by_actor text, by_command_id uuid, by_causation_id uuid,
    with_trace_parent text, under_key_id uuid, with_blob bytea, new_payload bytea, new_leaf bytea
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog
as $$
declare
    head bigint;
begin
    -- Locks the head row; if it had to wait, it checks epoch and state anew on the row it waited for.
    update log.tenant t set position = t.position + 1
        where t.tenant_id = for_tenant_id and t.epoch = for_epoch and t.state = 'active'
        returning t.position into head;
    if not found then
        return null;
    end if;
    -- A statement of its own, so that it reads the version as of after the lock.
    insert into log.event (
        tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at, actor, command_id,
        causation_id, trace_parent, key_id, blob, payload, leaf
    )
    select
        for_tenant_id, head, to_stream, expected_version + 1, new_event_id, new_event_type, new_schema_version, at, by_actor,
        by_command_id, by_causation_id, with_trace_parent, under_key_id, with_blob, new_payload, new_leaf
    where expected_version = coalesce((
        select e.version from log.event e
        where e.tenant_id = for_tenant_id and e.stream = to_stream and e.version >= expected_version
        order by e.version desc limit 1
    ), 0);
    if not found then
        update log.tenant t set position = t.position - 1 where t.tenant_id = for_tenant_id;
        return null;
    end if;
    return head;
end $$;

-- A batch in which everybody is at home, every stream is where it is expected, and nobody sent an idempotency key. Like
-- log.append_alone it only hopes: if anything is not as it should be it writes nothing, null is the answer, and log.append,
-- which can tell callers apart, finds out what. The order of the steps is the one of log.append, for its reasons.
--
-- Arrays: per tenant, in the order of their ids; per stream, none twice; per event, those of a tenant together, in the order
-- of the tenants. Slots are places in the first arrays, from 1. A column that is null in every event may be left empty.
create function log.append_together(
    tenant_ids uuid[], epochs bigint[], tenant_event_counts bigint[],
    stream_slots integer[], streams text[], expected_versions bigint[],
    event_slots integer[], event_streams text[], event_versions bigint[], event_ids uuid[], event_types text[],
    schema_versions smallint[], recorded_ats timestamptz[], actors text[], event_command_ids uuid[], causation_ids uuid[],
    trace_parents text[], key_ids uuid[], blobs bytea[], payloads bytea[], leaves bytea[]
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
    return heads;
end $$;

comment on function log.append_together is
    'Appends a batch without idempotency keys: the positions before it, per tenant, or null if nothing was appended and log.append '
    'is to be asked.';

revoke all on function log.append_together from public;
grant execute on function log.append_together to domicile_desk;

-- Whose head rows are free right now: asked after a batch waited too long, to find out who is to blame.
create function log.free_tenants(tenant_ids uuid[]) returns uuid[]
language plpgsql
security definer
set search_path = pg_catalog
-- Nothing is written but the marks of the locks, which nobody needs after a crash.
set synchronous_commit = off
as $$
begin
    return array(select t.tenant_id from log.tenant t where t.tenant_id = any (tenant_ids) for update skip locked);
end $$;

comment on function log.free_tenants is 'Those of the given tenants whose head row nobody holds at this moment.';

revoke all on function log.free_tenants from public;
grant execute on function log.free_tenants to domicile_desk;
