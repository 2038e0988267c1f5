-- What webhooks are told: how far each tenant's log was looked through, what is to be sent, and what became of it. The desk's own, because
-- sending is no reading of the log again: a rebuild of read models changes nothing here, and a restore begins where the log ends then.

create schema deliveries;
grant usage on schema deliveries to domicile_desk;

create table deliveries.checkpoint (
    tenant_id uuid not null,
    position bigint not null,
    restore_id uuid,
    primary key (tenant_id)
);
comment on table deliveries.checkpoint is 'How far each log was looked through for what webhooks are to be told.';
comment on column deliveries.checkpoint.tenant_id is 'Whose log.';
comment on column deliveries.checkpoint.position is 'The last event that was looked at.';
comment on column deliveries.checkpoint.restore_id is 'The newest restore of the log that this knows of: a newer one begins anew at the end of the log.';

create table deliveries.invocation (
    tenant_id uuid not null,
    webhook_id bigint not null,
    invocation_id bigint not null,
    position bigint not null,
    is_open boolean not null,
    attempts integer not null,
    due_at timestamptz not null,
    leased_until timestamptz,
    status text,
    status_code integer,
    created_at timestamptz not null,
    completed_at timestamptz,
    primary key (tenant_id, webhook_id, invocation_id)
);
comment on table deliveries.invocation is 'Events that a webhook is told, one row each. What is told is made from the log anew at each attempt.';
comment on column deliveries.invocation.tenant_id is 'Whose.';
comment on column deliveries.invocation.webhook_id is 'The webhook.';
comment on column deliveries.invocation.invocation_id is 'Which one: made from the position, so that it is the same however often it is found.';
comment on column deliveries.invocation.position is 'The event''s position.';
comment on column deliveries.invocation.is_open is 'Whether another attempt may follow.';
comment on column deliveries.invocation.attempts is 'How many attempts were begun.';
comment on column deliveries.invocation.due_at is 'When the next attempt may begin.';
comment on column deliveries.invocation.leased_until is 'Until when whoever began an attempt has it to themselves.';
comment on column deliveries.invocation.status is 'What became of the last attempt; null before the first.';
comment on column deliveries.invocation.status_code is 'What the server answered to it.';
comment on column deliveries.invocation.created_at is 'When it was found in the log.';
comment on column deliveries.invocation.completed_at is 'When the last attempt ended.';
create index invocation_open on deliveries.invocation (due_at) where is_open;
create index invocation_by_age on deliveries.invocation (created_at);

create table deliveries.attempt (
    tenant_id uuid not null,
    webhook_id bigint not null,
    invocation_id bigint not null,
    number integer not null,
    status text not null,
    status_code integer,
    detail text,
    policy_version integer not null,
    headers jsonb not null,
    body text not null,
    completed_at timestamptz not null,
    primary key (tenant_id, webhook_id, invocation_id, number),
    foreign key (tenant_id, webhook_id, invocation_id) references deliveries.invocation on delete cascade
);
comment on table deliveries.attempt is 'Attempts that ended, also those that the gate did not let out.';
comment on column deliveries.attempt.tenant_id is 'Whose.';
comment on column deliveries.attempt.webhook_id is 'The webhook.';
comment on column deliveries.attempt.invocation_id is 'Of which invocation.';
comment on column deliveries.attempt.number is 'Which attempt, from 1.';
comment on column deliveries.attempt.status is 'What became of it.';
comment on column deliveries.attempt.status_code is 'What the server answered, if it did.';
comment on column deliveries.attempt.detail is 'Why there is no answer, or why nothing was sent.';
comment on column deliveries.attempt.policy_version is 'The version of the hosting policy that was asked.';
comment on column deliveries.attempt.headers is 'The headers of the answer: a list of name and value.';
comment on column deliveries.attempt.body is 'The beginning of the answer.';
comment on column deliveries.attempt.completed_at is 'When it ended.';
create index attempt_of_webhook on deliveries.attempt (tenant_id, webhook_id, completed_at);

grant select, insert, update, delete on deliveries.checkpoint, deliveries.invocation, deliveries.attempt to domicile_desk;

alter table deliveries.checkpoint enable row level security;
create policy desk_one_tenant on deliveries.checkpoint to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
alter table deliveries.invocation enable row level security;
create policy desk_one_tenant on deliveries.invocation to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
alter table deliveries.attempt enable row level security;
create policy desk_one_tenant on deliveries.attempt to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);

-- Whoever sends asks for work of whichever tenant: by ids alone.
create function deliveries.behind() returns table (tenant_id uuid)
language plpgsql stable
security definer
set search_path = pg_catalog
as $$
declare
    home text;
begin
    for home in select format('read_webhooks_%s', serving.version) from read.serving as serving where serving.projection = 'webhooks' loop
        return query execute format(
            'select head.tenant_id from log.tenant as head
             left join deliveries.checkpoint as known on known.tenant_id = head.tenant_id
             where head.position > coalesce(known.position, 0) and head.state = ''active''
               and exists (select from %I.webhook as hook where hook.tenant_id = head.tenant_id and hook.is_active)', home);
    end loop;
end $$;
comment on function deliveries.behind is 'Tenants with a webhook in use whose log was not looked through to its end.';
revoke all on function deliveries.behind from public;
grant execute on function deliveries.behind to domicile_desk;

create function deliveries.due(moment timestamptz, at_most integer, of_webhook integer, of_tenant integer)
    returns table (tenant_id uuid, webhook_id bigint, invocation_id bigint)
language sql stable
security definer
set search_path = pg_catalog
as $$
    with running as (
        select invocation.tenant_id, invocation.webhook_id from deliveries.invocation
        where is_open and leased_until > moment
    ),
    waiting as (
        select invocation.tenant_id, invocation.webhook_id, invocation.invocation_id, due_at,
            row_number() over (partition by invocation.tenant_id, invocation.webhook_id order by due_at, invocation.invocation_id)
                + (select count(*) from running
                   where running.tenant_id = invocation.tenant_id and running.webhook_id = invocation.webhook_id) as of_its_webhook
        from deliveries.invocation
        join log.tenant as head on head.tenant_id = invocation.tenant_id and head.state = 'active'
        where is_open and due_at <= moment and (leased_until is null or leased_until <= moment)
    ),
    fair as (
        select waiting.*,
            row_number() over (partition by waiting.tenant_id order by of_its_webhook, due_at, waiting.invocation_id)
                + (select count(*) from running where running.tenant_id = waiting.tenant_id) as of_its_tenant
        from waiting where of_its_webhook <= of_webhook
    )
    select fair.tenant_id, fair.webhook_id, fair.invocation_id from fair
    where of_its_tenant <= of_tenant order by of_its_tenant, due_at limit at_most
$$;
comment on function deliveries.due is 'What may be sent now: so many of a webhook and of a tenant at a time, those that run counted, and each tenant''s first before anybody''s second.';
revoke all on function deliveries.due from public;
grant execute on function deliveries.due to domicile_desk;

create function deliveries.forget(before timestamptz, at_most integer) returns bigint
language sql
security definer
set search_path = pg_catalog
as $$
    with old as (
        select tenant_id, webhook_id, invocation_id from deliveries.invocation
        where created_at < before order by created_at limit at_most
    ),
    gone as (
        delete from deliveries.invocation using old
        where invocation.tenant_id = old.tenant_id and invocation.webhook_id = old.webhook_id
          and invocation.invocation_id = old.invocation_id returning 1
    )
    select count(*) from gone
$$;
comment on function deliveries.forget is 'Deletes what was told before a moment, with all attempts.';
revoke all on function deliveries.forget from public;
grant execute on function deliveries.forget to domicile_desk;
