-- The tables of a build of ticket_list. The search path says which build.

create table ticket_list (
    tenant_id uuid not null,
    ticket_id bigint not null,
    subject text not null,
    description text not null,
    status text not null,
    priority text,
    ticket_type text,
    requester_id bigint not null,
    submitter_id bigint not null,
    assignee_id bigint,
    group_id bigint,
    tags text[] not null,
    channel text not null,
    external_id text,
    is_public boolean not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    deleted_by bigint,
    due_at timestamptz,
    problem_id bigint,
    email_cc_ids bigint[] not null default '{}',
    follower_ids bigint[] not null default '{}',
    recipient text,
    followup_source_id bigint,
    custom_fields jsonb not null default '{}',
    primary key (tenant_id, ticket_id)
);
comment on table ticket_list is 'Projection ticket_list: one row a ticket, as lists and single answers show it.';
comment on column ticket_list.tenant_id is 'Whose.';
comment on column ticket_list.ticket_id is 'The ticket''s number.';
comment on column ticket_list.subject is 'Subject.';
comment on column ticket_list.description is 'Text of the first comment.';
comment on column ticket_list.status is 'new, open, pending, hold, solved or closed.';
comment on column ticket_list.priority is 'low, normal, high or urgent.';
comment on column ticket_list.ticket_type is 'problem, incident, question or task.';
comment on column ticket_list.requester_id is 'Who wants something.';
comment on column ticket_list.submitter_id is 'Who typed it in.';
comment on column ticket_list.assignee_id is 'Who works on it.';
comment on column ticket_list.group_id is 'Which group does.';
comment on column ticket_list.tags is 'Sorted, each once.';
comment on column ticket_list.channel is 'Where it came in.';
comment on column ticket_list.external_id is 'The id it has elsewhere.';
comment on column ticket_list.is_public is 'Whether it has a public comment.';
comment on column ticket_list.version is 'The stream''s version: what a safe update names.';
comment on column ticket_list.created_at is 'When it was opened.';
comment on column ticket_list.updated_at is 'When it last changed.';
comment on column ticket_list.deleted_at is 'When it was deleted; null while it is there.';
comment on column ticket_list.deleted_by is 'Who deleted it; null for the product itself.';
comment on column ticket_list.due_at is 'When it is to be done.';
comment on column ticket_list.problem_id is 'The problem it is an incident of.';
comment on column ticket_list.email_cc_ids is 'Who gets copies of its mails, sorted.';
comment on column ticket_list.follower_ids is 'Which agents follow it, sorted.';
comment on column ticket_list.recipient is 'The tenant''s address it was sent to.';
comment on column ticket_list.followup_source_id is 'The closed ticket it follows up.';
comment on column ticket_list.custom_fields is 'What the fields hold that the tenant made, by the field''s id.';
