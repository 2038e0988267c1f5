-- The tables of a build of account. The search path says which build.

create table account (
    tenant_id uuid primary key,
    slug text not null,
    company text not null,
    plan text,
    requested text,
    granted text,
    policy_version integer,
    entitled boolean,
    selected boolean,
    committed boolean,
    registered_at timestamptz not null,
    chosen_group_id bigint
);
comment on table account is 'Projection account: the tenant itself and what was decided about its locality.';
comment on column account.tenant_id is 'The tenant.';
comment on column account.slug is 'The name in its address.';
comment on column account.company is 'The company''s name.';
comment on column account.plan is 'The plan.';
comment on column account.requested is 'The locality it asked for.';
comment on column account.granted is 'Its home region.';
comment on column account.policy_version is 'Hosting policy version of the decision.';
comment on column account.entitled is 'Whether the plan may choose.';
comment on column account.selected is 'Whether it did choose.';
comment on column account.committed is 'Whether the place is promised.';
comment on column account.registered_at is 'When it signed up.';
comment on column account.chosen_group_id is 'The group that was chosen to stand first; if none was, or it is gone, the oldest does.';

create table agent_group (
    tenant_id uuid not null,
    group_id bigint not null,
    name text not null,
    created_at timestamptz not null,
    description text not null default '',
    is_public boolean not null default true,
    changed_at timestamptz,
    deleted_at timestamptz,
    primary key (tenant_id, group_id)
);
comment on table agent_group is 'Projection account: groups of agents.';
comment on column agent_group.tenant_id is 'Whose.';
comment on column agent_group.group_id is 'The group.';
comment on column agent_group.name is 'Its name.';
comment on column agent_group.created_at is 'When it was added.';
comment on column agent_group.description is 'What it is for.';
comment on column agent_group.is_public is 'Whether all agents may see it.';
comment on column agent_group.changed_at is 'When it last changed, if it did.';
comment on column agent_group.deleted_at is 'When it was put away; null while it is there.';
