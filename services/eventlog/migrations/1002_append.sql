-- The append: one call takes a whole batch of callers, one commit makes all of it durable.
--
-- The order of the steps is the correctness:
--   1. lock the head row of every tenant of the batch, in the order of their ids, so that two batches never wait for one
--      another in a circle;
--   2. read the streams' versions *after* that, by a statement of its own. In READ COMMITTED a statement that waited for a row
--      lock sees that row anew and every other row as of before the wait, so a version read together with the lock may be stale;
--   3. decide for each caller in turn: a refusal touches its caller only;
--   4. insert the events, move the heads.
-- Positions come from the locked head row, so they are dense and in commit order, and a rollback gives them back.
--
-- Calls carry arrays, all flat: per caller (sorted by tenant), per stream of each caller in turn, per event of each stream in turn.
create function log.append(
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
            where e.tenant_id = s.tenant_id and e.stream = s.stream order by e.version desc limit 1
        ), 0)
        from unnest(stream_tenant_ids, streams) with ordinality as s (tenant_id, stream, place) order by s.place
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

comment on function log.append is
    'Appends a batch: one outcome row per caller, in order. appended, had_been_appended (an earlier try of this command), '
    'replayed (the idempotency key), key_reused, not_at_home, wrong_expected_version (of the caller''s stream stream_index, from 0).';

revoke all on function log.append from public;
grant execute on function log.append to domicile_desk;

-- The same for one event of one caller, which is the commonest batch when little is going on: plain arguments and two plain
-- statements take half the time. It only hopes: if anything is not as it should be, the head goes back, still under the lock,
-- null is the answer, and log.append finds out what.
create function log.append_alone(
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
        where e.tenant_id = for_tenant_id and e.stream = to_stream order by e.version desc limit 1
    ), 0);
    if not found then
        update log.tenant t set position = t.position - 1 where t.tenant_id = for_tenant_id;
        return null;
    end if;
    return head;
end $$;

comment on function log.append_alone is 'Appends one event: its position, or null if nothing was appended and log.append is to be asked.';

revoke all on function log.append_alone from public;
grant execute on function log.append_alone to domicile_desk;
