-- The region's topic: whose brokers hold it, and how far the relay has copied the log. What the topic itself holds is nowhere
-- relied upon.

do $$
begin
    -- As in 1001: roles belong to the cluster, and on a managed server the administrator makes them.
    if not exists (select from pg_roles where rolname = 'domicile_relay') then
        create role domicile_relay nologin;
    end if;
exception when duplicate_object or unique_violation then null;
end $$;

create schema topic;

create table topic.home (
    is_only_row boolean primary key default true check (is_only_row),
    cluster_id text not null,
    topic text not null,
    partitions integer not null check (partitions > 0),
    first_seen_at timestamptz not null default now()
);
comment on table topic.home is 'Which Kafka cluster holds the region''s records: written by the first relay, compared by every client.';
comment on column topic.home.is_only_row is 'Keeps the table at one row.';
comment on column topic.home.cluster_id is 'The id the brokers give themselves.';
comment on column topic.home.topic is 'The topic''s name.';
comment on column topic.home.partitions is 'How many partitions the region file asked for then.';
comment on column topic.home.first_seen_at is 'When the cluster was recorded.';

create table topic.relayed (
    tenant_id uuid primary key,
    position bigint not null default 0 check (position >= 0),
    updated_at timestamptz not null,
    halted_at_position bigint,
    halted_event_type text,
    halted_error text,
    halted_times integer not null default 0,
    retry_at timestamptz
);
comment on table topic.relayed is 'How far each tenant''s log is copied to the topic. One that is lost makes doubles, which readers skip.';
comment on column topic.relayed.tenant_id is 'Whose log.';
comment on column topic.relayed.position is 'The last position the brokers have acknowledged.';
comment on column topic.relayed.updated_at is 'When a relay last worked on it: who waits longest comes first.';
comment on column topic.relayed.halted_at_position is 'The event that cannot be published; nothing is skipped, so the tenant waits here.';
comment on column topic.relayed.halted_event_type is 'Its type.';
comment on column topic.relayed.halted_error is 'Why.';
comment on column topic.relayed.halted_times is 'How often in a row it was tried in vain.';
comment on column topic.relayed.retry_at is 'When it is tried again.';

grant usage on schema log to domicile_relay;
grant select on log.home, log.tenant, log.event to domicile_relay;
create policy relay_all on log.event for select to domicile_relay using (true);

grant usage on schema topic to domicile_relay, domicile_projector, domicile_replicator;
grant select on topic.home to domicile_relay, domicile_projector, domicile_replicator;
grant insert, update on topic.home to domicile_relay;
grant select, insert, update on topic.relayed to domicile_relay;
