-- The projection webhooks, in its first version.

create schema read_webhooks_1;
grant usage on schema read_webhooks_1 to domicile_desk, domicile_projector, domicile_replicator;

create table read_webhooks_1.webhook (
    tenant_id uuid not null,
    webhook_id bigint not null,
    settings jsonb not null,
    is_active boolean not null,
    since bigint not null,
    created_by bigint,
    updated_by bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, webhook_id)
);
comment on table read_webhooks_1.webhook is 'Projection webhooks: servers outside that are told what happens. No secret is here.';
comment on column read_webhooks_1.webhook.tenant_id is 'Whose.';
comment on column read_webhooks_1.webhook.webhook_id is 'The webhook.';
comment on column read_webhooks_1.webhook.settings is 'What it tells, and where.';
comment on column read_webhooks_1.webhook.is_active is 'Whether it is in use.';
comment on column read_webhooks_1.webhook.since is 'The position from which on it is in use: what happened before is not told.';
comment on column read_webhooks_1.webhook.created_by is 'Who made it.';
comment on column read_webhooks_1.webhook.updated_by is 'Who last changed it.';
comment on column read_webhooks_1.webhook.created_at is 'When it was made.';
comment on column read_webhooks_1.webhook.updated_at is 'When it last changed.';

create index webhook_active on read_webhooks_1.webhook (tenant_id) where is_active;

grant select on read_webhooks_1.webhook to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_webhooks_1.webhook to domicile_projector;

alter table read_webhooks_1.webhook enable row level security;
create policy desk_one_tenant on read_webhooks_1.webhook for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_webhooks_1.webhook to domicile_projector using (true) with check (true);
create policy replicator_reads on read_webhooks_1.webhook for select to domicile_replicator using (true);

insert into read.build (projection, version, shape, state, created_at, completed_at)
values ('webhooks', 1, 1, 'complete', now(), now());
insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build where projection = 'webhooks';
