-- The tables of a build of webhooks. The search path says which build.

create table webhook (
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
comment on table webhook is 'Projection webhooks: servers outside that are told what happens. No secret is here.';
comment on column webhook.tenant_id is 'Whose.';
comment on column webhook.webhook_id is 'The webhook.';
comment on column webhook.settings is 'What it tells, and where.';
comment on column webhook.is_active is 'Whether it is in use.';
comment on column webhook.since is 'The position from which on it is in use: what happened before is not told.';
comment on column webhook.created_by is 'Who made it.';
comment on column webhook.updated_by is 'Who last changed it.';
comment on column webhook.created_at is 'When it was made.';
comment on column webhook.updated_at is 'When it last changed.';
