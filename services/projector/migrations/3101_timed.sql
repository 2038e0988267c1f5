-- What happens by time: for which hour each tenant's automations were asked last. Nothing of it is anybody's content, and all of it may be
-- lost: then an hour is gone through again, in which every ticket says itself what was done to it.

create schema timed;
comment on schema timed is 'What happens because time goes by.';
grant usage on schema timed to domicile_desk;

create table timed.hour (
    tenant_id uuid primary key,
    begun_for timestamptz not null,
    done_for timestamptz,
    leased_until timestamptz
);
comment on table timed.hour is 'For which hour each tenant''s automations were asked last.';
comment on column timed.hour.tenant_id is 'Whose.';
comment on column timed.hour.begun_for is 'The beginning of the hour that was last begun.';
comment on column timed.hour.done_for is 'The beginning of the hour that was last gone through to its end.';
comment on column timed.hour.leased_until is 'Until when somebody is at it.';

grant select, insert, update, delete on timed.hour to domicile_desk;
alter table timed.hour enable row level security;
create policy desk_one_tenant on timed.hour to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);

-- Whoever goes through an hour asks whose it is to be: by ids alone.
create function timed.due(hour timestamptz, moment timestamptz, solved_before timestamptz) returns table (tenant_id uuid)
language plpgsql stable
security definer
set search_path = pg_catalog
as $$
declare
    rules text;
    metrics text;
begin
    for rules, metrics in
        select format('read_rules_%s', of_rules.version), format('read_ticket_metrics_%s', of_metrics.version)
        from read.serving as of_rules cross join read.serving as of_metrics
        where of_rules.projection = 'rules' and of_metrics.projection = 'ticket_metrics'
    loop
        return query execute format(
            'select head.tenant_id from log.tenant as head
             left join timed.hour as known on known.tenant_id = head.tenant_id
             where head.state = ''active'' and (known.done_for is null or known.done_for < $1)
               and (known.leased_until is null or known.leased_until <= $2)
               and (exists (select from %I.rule where rule.tenant_id = head.tenant_id and rule.kind = ''automation'' and rule.is_active)
                    or exists (select from %I.ticket_metric as metric where metric.tenant_id = head.tenant_id
                               and metric.status = ''solved'' and metric.status_updated_at <= $3))', rules, metrics)
            using hour, moment, solved_before;
    end loop;
end $$;
comment on function timed.due is 'Tenants with automations in use, or with tickets that were solved before a moment, whose hour nobody has gone through and nobody is at.';
revoke all on function timed.due from public;
grant execute on function timed.due to domicile_desk;
