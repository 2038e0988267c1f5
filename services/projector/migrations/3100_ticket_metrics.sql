-- The projection ticket_metrics, in its first version. Tenants whose log is long are followed from its beginning, like any that is behind.

create schema read_ticket_metrics_1;
grant usage on schema read_ticket_metrics_1 to domicile_desk, domicile_projector, domicile_replicator;

create table read_ticket_metrics_1.ticket_metric (
    tenant_id uuid not null,
    ticket_id bigint not null,
    version bigint not null,
    status text not null,
    requester_id bigint not null,
    assignee_id bigint,
    group_id bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    status_updated_at timestamptz not null,
    initially_assigned_at timestamptz,
    assigned_at timestamptz,
    requester_updated_at timestamptz,
    assignee_updated_at timestamptz,
    latest_comment_added_at timestamptz,
    first_replied_at timestamptz,
    first_solved_at timestamptz,
    solved_at timestamptz,
    replies integer not null,
    reopens integer not null,
    group_stations integer not null,
    assignee_stations integer not null,
    requester_wait_seconds bigint not null,
    agent_wait_seconds bigint not null,
    hold_seconds bigint not null,
    automated jsonb not null,
    automation_updates integer not null,
    primary key (tenant_id, ticket_id)
);
comment on table read_ticket_metrics_1.ticket_metric is 'Projection ticket_metrics: when things happened to each ticket, and how long they took.';
comment on column read_ticket_metrics_1.ticket_metric.tenant_id is 'Whose.';
comment on column read_ticket_metrics_1.ticket_metric.ticket_id is 'The ticket''s number.';
comment on column read_ticket_metrics_1.ticket_metric.version is 'The stream''s version that all of it is as of.';
comment on column read_ticket_metrics_1.ticket_metric.status is 'new, open, pending, hold, solved or closed.';
comment on column read_ticket_metrics_1.ticket_metric.requester_id is 'Who wants something.';
comment on column read_ticket_metrics_1.ticket_metric.assignee_id is 'Who works on it.';
comment on column read_ticket_metrics_1.ticket_metric.group_id is 'Which group does.';
comment on column read_ticket_metrics_1.ticket_metric.created_at is 'When it was opened.';
comment on column read_ticket_metrics_1.ticket_metric.updated_at is 'When it last changed.';
comment on column read_ticket_metrics_1.ticket_metric.status_updated_at is 'Since when it has its status.';
comment on column read_ticket_metrics_1.ticket_metric.initially_assigned_at is 'When somebody first worked on it.';
comment on column read_ticket_metrics_1.ticket_metric.assigned_at is 'Since when its assignee works on it; null while nobody does.';
comment on column read_ticket_metrics_1.ticket_metric.requester_updated_at is 'When its requester last did something to it.';
comment on column read_ticket_metrics_1.ticket_metric.assignee_updated_at is 'When its assignee last did something to it.';
comment on column read_ticket_metrics_1.ticket_metric.latest_comment_added_at is 'When somebody last said something.';
comment on column read_ticket_metrics_1.ticket_metric.first_replied_at is 'When somebody else than its requester first answered for all to read.';
comment on column read_ticket_metrics_1.ticket_metric.first_solved_at is 'When it was first solved.';
comment on column read_ticket_metrics_1.ticket_metric.solved_at is 'When it was last solved.';
comment on column read_ticket_metrics_1.ticket_metric.replies is 'How many public comments of others than its requester it has, the first comment not counted.';
comment on column read_ticket_metrics_1.ticket_metric.reopens is 'How often it was solved and went on all the same.';
comment on column read_ticket_metrics_1.ticket_metric.group_stations is 'How many groups it was given to, one after another.';
comment on column read_ticket_metrics_1.ticket_metric.assignee_stations is 'How many assignees it was given to, one after another.';
comment on column read_ticket_metrics_1.ticket_metric.requester_wait_seconds is 'For how long it was new, open or on hold, as of its last change of status.';
comment on column read_ticket_metrics_1.ticket_metric.agent_wait_seconds is 'For how long it was pending, as of its last change of status.';
comment on column read_ticket_metrics_1.ticket_metric.hold_seconds is 'For how long it was on hold, as of its last change of status.';
comment on column read_ticket_metrics_1.ticket_metric.automated is 'When each automation last changed it, in seconds since 1970, by the automation''s id.';
comment on column read_ticket_metrics_1.ticket_metric.automation_updates is 'How often automations changed it.';

create index ticket_metric_solved on read_ticket_metrics_1.ticket_metric (tenant_id, status_updated_at, ticket_id) where status = 'solved';

grant select on read_ticket_metrics_1.ticket_metric to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_ticket_metrics_1.ticket_metric to domicile_projector;

alter table read_ticket_metrics_1.ticket_metric enable row level security;
create policy desk_one_tenant on read_ticket_metrics_1.ticket_metric for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_ticket_metrics_1.ticket_metric to domicile_projector using (true) with check (true);
create policy replicator_reads on read_ticket_metrics_1.ticket_metric for select to domicile_replicator using (true);

insert into read.build (projection, version, shape, state, created_at, completed_at)
values ('ticket_metrics', 1, 1, 'complete', now(), now());
insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build where projection = 'ticket_metrics';
