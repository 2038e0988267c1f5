-- Webhooks again: breakers that are known before anything is taken, restores that are seen, and what is found by webhook instead of
-- by sorting everything that waits.

create table deliveries.breaker (
    tenant_id uuid not null,
    webhook_id bigint not null,
    until timestamptz not null,
    primary key (tenant_id, webhook_id)
);
comment on table deliveries.breaker is 'Webhooks whose server nearly always fails: until one attempt is taken, what comes is closed.';
comment on column deliveries.breaker.tenant_id is 'Whose.';
comment on column deliveries.breaker.webhook_id is 'The webhook.';
comment on column deliveries.breaker.until is 'Until when nothing is sent; then one is, and what becomes of that decides.';

create table deliveries.trial (
    tenant_id uuid not null,
    trial_id bigint generated always as identity,
    tried_at timestamptz not null,
    primary key (tenant_id, trial_id)
);
comment on table deliveries.trial is 'What accounts that try the product out sent by hand: it counts with what they are told in a minute.';
comment on column deliveries.trial.tenant_id is 'Whose.';
comment on column deliveries.trial.trial_id is 'Which one.';
comment on column deliveries.trial.tried_at is 'When.';
create index trial_by_age on deliveries.trial (tried_at);

grant select, insert, update, delete on deliveries.breaker, deliveries.trial to domicile_desk;
alter table deliveries.breaker enable row level security;
create policy desk_one_tenant on deliveries.breaker to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
alter table deliveries.trial enable row level security;
create policy desk_one_tenant on deliveries.trial to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);

alter table deliveries.attempt add column sent_at timestamptz;
comment on column deliveries.attempt.sent_at is 'When it was sent, as its signature says; unknown of old ones.';

drop index deliveries.invocation_open;
create index invocation_open on deliveries.invocation (tenant_id, webhook_id, due_at, invocation_id) where is_open;
create index invocation_taken on deliveries.invocation (tenant_id, webhook_id, leased_until) where is_open and leased_until is not null;
create index invocation_open_by_age on deliveries.invocation (created_at) where is_open;
create index invocation_of_tenant on deliveries.invocation (tenant_id, created_at);
create index attempt_by_age on deliveries.attempt (completed_at);

create or replace function deliveries.behind() returns table (tenant_id uuid)
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
             where head.state = ''active'' and (
                 head.position > coalesce(known.position, 0)
                     and exists (select from %I.webhook as hook where hook.tenant_id = head.tenant_id and hook.is_active)
                 or known.tenant_id is not null and known.restore_id is distinct from
                     (select back.restore_id from log.restored as back where back.tenant_id = head.tenant_id
                      order by back.restored_at desc, back.restore_id desc limit 1))', home);
    end loop;
end $$;
comment on function deliveries.behind is 'Tenants with a webhook in use whose log was not looked through to its end, and those whose log was brought back since.';

create or replace function deliveries.due(moment timestamptz, at_most integer, of_webhook integer, of_tenant integer)
    returns table (tenant_id uuid, webhook_id bigint, invocation_id bigint)
language sql stable
security definer
set search_path = pg_catalog
as $$
    with recursive hook as (
        (select open.tenant_id, open.webhook_id from deliveries.invocation as open
         where is_open order by open.tenant_id, open.webhook_id limit 1)
        union all
        select next.tenant_id, next.webhook_id from hook cross join lateral (
            select open.tenant_id, open.webhook_id from deliveries.invocation as open
            where is_open and (open.tenant_id, open.webhook_id) > (hook.tenant_id, hook.webhook_id)
            order by open.tenant_id, open.webhook_id limit 1
        ) as next
    ),
    ready as (
        select hook.tenant_id, hook.webhook_id, running.how_many as running,
            case when breaker.until is null then of_webhook else 1 end as at_a_time
        from hook
        join log.tenant as head on head.tenant_id = hook.tenant_id and head.state = 'active'
        left join deliveries.checkpoint as known on known.tenant_id = hook.tenant_id
        left join deliveries.breaker on breaker.tenant_id = hook.tenant_id and breaker.webhook_id = hook.webhook_id
        cross join lateral (
            select count(*)::integer as how_many from deliveries.invocation as taken
            where taken.tenant_id = hook.tenant_id and taken.webhook_id = hook.webhook_id and is_open and leased_until > moment
        ) as running
        where (breaker.until is null or breaker.until <= moment)
          and known.restore_id is not distinct from
              (select back.restore_id from log.restored as back where back.tenant_id = hook.tenant_id
               order by back.restored_at desc, back.restore_id desc limit 1)
    ),
    waiting as (
        select ready.tenant_id, ready.webhook_id, first.invocation_id, first.due_at, ready.running + row_number() over (
            partition by ready.tenant_id, ready.webhook_id order by first.due_at, first.invocation_id) as of_its_webhook
        from ready cross join lateral (
            select one.invocation_id, one.due_at from deliveries.invocation as one
            where one.tenant_id = ready.tenant_id and one.webhook_id = ready.webhook_id and is_open
              and one.due_at <= moment and (leased_until is null or leased_until <= moment)
            order by one.due_at, one.invocation_id limit greatest(ready.at_a_time - ready.running, 0)
        ) as first
    ),
    fair as (
        select waiting.*,
            row_number() over (partition by waiting.tenant_id order by of_its_webhook, due_at, waiting.invocation_id)
                + (select coalesce(sum(ready.running), 0) from ready where ready.tenant_id = waiting.tenant_id) as of_its_tenant
        from waiting
    )
    select fair.tenant_id, fair.webhook_id, fair.invocation_id from fair
    where of_its_tenant <= of_tenant order by of_its_tenant, due_at limit at_most
$$;
comment on function deliveries.due is 'What may be sent now: so many of a webhook and of a tenant at a time, those that run counted, each tenant''s first before anybody''s second, one alone behind a breaker, and nothing of a log that was brought back since.';

create function deliveries.give_up(moment timestamptz, before timestamptz, at_most integer) returns bigint
language sql
security definer
set search_path = pg_catalog
as $$
    with old as (
        select tenant_id, webhook_id, invocation_id from deliveries.invocation
        where is_open and created_at < before and (leased_until is null or leased_until <= moment)
        order by created_at limit at_most for update skip locked
    ),
    closed as (
        update deliveries.invocation set is_open = false, leased_until = null, status = 'terminated', completed_at = moment
        from old where invocation.tenant_id = old.tenant_id and invocation.webhook_id = old.webhook_id
          and invocation.invocation_id = old.invocation_id returning 1
    )
    select count(*) from closed
$$;
comment on function deliveries.give_up is 'Closes what waits since before a moment, also what nobody ever took.';
revoke all on function deliveries.give_up from public;
grant execute on function deliveries.give_up to domicile_desk;

create or replace function deliveries.forget(before timestamptz, at_most integer) returns bigint
language sql
security definer
set search_path = pg_catalog
as $$
    with old as (
        select tenant_id, webhook_id, invocation_id from deliveries.invocation
        where created_at < before and coalesce(completed_at, created_at) < before order by created_at limit at_most
    ),
    gone as (
        delete from deliveries.invocation using old
        where invocation.tenant_id = old.tenant_id and invocation.webhook_id = old.webhook_id
          and invocation.invocation_id = old.invocation_id returning 1
    ),
    old_attempt as (
        select tenant_id, webhook_id, invocation_id, number from deliveries.attempt
        where completed_at < before order by completed_at limit at_most
    ),
    gone_attempt as (
        delete from deliveries.attempt using old_attempt
        where attempt.tenant_id = old_attempt.tenant_id and attempt.webhook_id = old_attempt.webhook_id
          and attempt.invocation_id = old_attempt.invocation_id and attempt.number = old_attempt.number returning 1
    ),
    old_trial as (
        select tenant_id, trial_id from deliveries.trial where tried_at < before order by tried_at limit at_most
    ),
    gone_trial as (
        delete from deliveries.trial using old_trial
        where trial.tenant_id = old_trial.tenant_id and trial.trial_id = old_trial.trial_id returning 1
    ),
    gone_breaker as (
        delete from deliveries.breaker where until < before returning 1
    )
    select greatest((select count(*) from gone), (select count(*) from gone_attempt), (select count(*) from gone_trial))
$$;
comment on function deliveries.forget is 'Deletes what was told before a moment, and what was answered before it, and breakers that nothing came to since; how much that was, of what there was most.';
