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
-- One event alone, the commonest batch when little is going on, tries the same in two plain statements first (step 0).
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
    -- 0. Hope. The update locks the head row and moves it; the insert reads the version by its own, later snapshot. If anything
    -- is not as it should be, the head goes back, still under the lock, and the long way finds out what.
    if event_count = 1 and idempotency_keys[1] is null then
        update log.tenant t set position = t.position + 1
            where t.tenant_id = tenant_ids[1] and t.epoch = epochs[1] and t.state = 'active'
            returning t.position into head;
        if found then
            insert into log.event (
                tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at, actor, command_id,
                causation_id, trace_parent, key_id, blob, payload, leaf
            )
            select
                event_tenant_ids[1], head, event_streams[1], event_versions[1], event_ids[1], event_types[1],
                schema_versions[1], recorded_ats[1], actors[1], event_command_ids[1], causation_ids[1], trace_parents[1],
                key_ids[1], blobs[1], payloads[1], leaves[1]
            where expected_versions[1] = coalesce((
                select e.version from log.event e
                where e.tenant_id = tenant_ids[1] and e.stream = streams[1] order by e.version desc limit 1
            ), 0);
            if found then
                outcome := 'appended';
                first_position := head;
                last_position := head;
                return next;
                return;
            end if;
            update log.tenant t set position = t.position - 1 where t.tenant_id = tenant_ids[1];
        end if;
    end if;

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
            if idempotency_keys[caller] is not null then
                insert into log.idempotency (tenant_id, key, fingerprint, command_id, position, event_count, recorded_at)
                values (
                    tenant_ids[caller], idempotency_keys[caller], fingerprints[caller], command_ids[caller], first_position,
                    event_counts[caller], recorded_ats[event_first]
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
