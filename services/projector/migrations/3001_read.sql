-- Read models: derived from the log, rebuilt at will. Each table belongs to the projection its comment names.

create schema read;

create table read.checkpoint (
    tenant_id uuid not null,
    projection text not null,
    position bigint not null check (position >= 0),
    updated_at timestamptz not null,
    halted_at_position bigint,
    halted_event_type text,
    halted_error text,
    primary key (tenant_id, projection)
);
comment on table read.checkpoint is 'How far each projection has handled each tenant; moves in the transaction that changes the tables.';
comment on column read.checkpoint.tenant_id is 'Whose events.';
comment on column read.checkpoint.projection is 'By which projection.';
comment on column read.checkpoint.position is 'The last position fully handled.';
comment on column read.checkpoint.updated_at is 'When it moved.';
comment on column read.checkpoint.halted_at_position is 'The event that could not be applied; nothing is skipped, so the tenant waits here.';
comment on column read.checkpoint.halted_event_type is 'Its type.';
comment on column read.checkpoint.halted_error is 'Why, without data of the event.';

create table read.account (
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
    registered_at timestamptz not null
);
comment on table read.account is 'Projection account: the tenant itself and what was decided about its locality.';
comment on column read.account.tenant_id is 'The tenant.';
comment on column read.account.slug is 'The name in its address.';
comment on column read.account.company is 'The company''s name.';
comment on column read.account.plan is 'The plan.';
comment on column read.account.requested is 'The locality it asked for.';
comment on column read.account.granted is 'Its home region.';
comment on column read.account.policy_version is 'Hosting policy version of the decision.';
comment on column read.account.entitled is 'Whether the plan may choose.';
comment on column read.account.selected is 'Whether it did choose.';
comment on column read.account.committed is 'Whether the place is promised.';
comment on column read.account.registered_at is 'When it signed up.';

create table read.agent_group (
    tenant_id uuid not null,
    group_id bigint not null,
    name text not null,
    created_at timestamptz not null,
    primary key (tenant_id, group_id)
);
comment on table read.agent_group is 'Projection account: groups of agents.';
comment on column read.agent_group.tenant_id is 'Whose.';
comment on column read.agent_group.group_id is 'The group.';
comment on column read.agent_group.name is 'Its name.';
comment on column read.agent_group.created_at is 'When it was added.';

create table read.person (
    tenant_id uuid not null,
    person_id bigint not null,
    name text not null,
    email text,
    role text not null,
    password_phc text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, person_id)
);
-- Not unique: who holds an address is decided by the streams email-<index>, and two people may swap theirs in one batch.
create index person_email on read.person (tenant_id, email);
comment on table read.person is 'Projection people: profiles.';
comment on column read.person.tenant_id is 'Whose.';
comment on column read.person.person_id is 'The person.';
comment on column read.person.name is 'Full name.';
comment on column read.person.email is 'Address, lower case.';
comment on column read.person.role is 'end-user, agent or admin.';
comment on column read.person.password_phc is 'Argon2id in PHC string format, if a password was set.';
comment on column read.person.created_at is 'When the person became known.';
comment on column read.person.updated_at is 'When the profile last changed.';

create table read.api_token (
    tenant_id uuid not null,
    token_id bigint not null,
    token_sha256 text not null,
    person_id bigint not null,
    description text not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, token_id)
);
create unique index api_token_sha256 on read.api_token (tenant_id, token_sha256);
comment on table read.api_token is 'Projection people: API tokens, by hash.';
comment on column read.api_token.tenant_id is 'Whose.';
comment on column read.api_token.token_id is 'The token''s id.';
comment on column read.api_token.token_sha256 is 'SHA-256 of the secret, hex.';
comment on column read.api_token.person_id is 'Whom it speaks for.';
comment on column read.api_token.description is 'What it is for.';
comment on column read.api_token.expires_at is 'When it stops working, if ever.';
comment on column read.api_token.revoked_at is 'When it was revoked, if it was.';
comment on column read.api_token.created_at is 'When it was issued.';

create table read.ticket_list (
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
    primary key (tenant_id, ticket_id)
);
create index ticket_list_external on read.ticket_list (tenant_id, external_id) where external_id is not null;
create index ticket_list_requester on read.ticket_list (tenant_id, requester_id, ticket_id);
comment on table read.ticket_list is 'Projection ticket_list: one row a ticket, as lists and single answers show it.';
comment on column read.ticket_list.tenant_id is 'Whose.';
comment on column read.ticket_list.ticket_id is 'The ticket''s number.';
comment on column read.ticket_list.subject is 'Subject.';
comment on column read.ticket_list.description is 'Text of the first comment.';
comment on column read.ticket_list.status is 'new, open, pending, hold, solved or closed.';
comment on column read.ticket_list.priority is 'low, normal, high or urgent.';
comment on column read.ticket_list.ticket_type is 'problem, incident, question or task.';
comment on column read.ticket_list.requester_id is 'Who wants something.';
comment on column read.ticket_list.submitter_id is 'Who typed it in.';
comment on column read.ticket_list.assignee_id is 'Who works on it.';
comment on column read.ticket_list.group_id is 'Which group does.';
comment on column read.ticket_list.tags is 'Sorted, each once.';
comment on column read.ticket_list.channel is 'Where it came in.';
comment on column read.ticket_list.external_id is 'The id it has elsewhere.';
comment on column read.ticket_list.is_public is 'Whether it has a public comment.';
comment on column read.ticket_list.version is 'The stream''s version: what a safe update names.';
comment on column read.ticket_list.created_at is 'When it was opened.';
comment on column read.ticket_list.updated_at is 'When it last changed.';

create table read.comment (
    tenant_id uuid not null,
    comment_id bigint not null,
    ticket_id bigint not null,
    audit_id bigint not null,
    author_id bigint not null,
    is_public boolean not null,
    body text not null,
    html_body text,
    attachment_ids bigint[] not null,
    channel text not null,
    created_at timestamptz not null,
    primary key (tenant_id, comment_id)
);
create index comment_ticket on read.comment (tenant_id, ticket_id, comment_id);
comment on table read.comment is 'Projection ticket_thread: the comments of tickets.';
comment on column read.comment.tenant_id is 'Whose.';
comment on column read.comment.comment_id is 'Derived from the event''s position.';
comment on column read.comment.ticket_id is 'On which ticket.';
comment on column read.comment.audit_id is 'In which audit.';
comment on column read.comment.author_id is 'By whom.';
comment on column read.comment.is_public is 'Whether the requester may read it.';
comment on column read.comment.body is 'The text.';
comment on column read.comment.html_body is 'The cleaned HTML, when the author sent HTML.';
comment on column read.comment.attachment_ids is 'Files that came along, in order.';
comment on column read.comment.channel is 'Where it came in.';
comment on column read.comment.created_at is 'When.';

create table read.attachment (
    tenant_id uuid not null,
    attachment_id bigint not null,
    file_name text not null,
    content_type text not null,
    size_bytes bigint not null,
    uploader_id bigint not null,
    token_sha256 text not null,
    token_expires_at timestamptz not null,
    blob bytea not null,
    key_id uuid not null,
    comment_id bigint,
    ticket_id bigint,
    is_public boolean,
    created_at timestamptz not null,
    primary key (tenant_id, attachment_id)
);
create index attachment_token on read.attachment (tenant_id, token_sha256);
comment on table read.attachment is 'Projection ticket_thread: uploaded files, and the comment that claimed each.';
comment on column read.attachment.tenant_id is 'Whose.';
comment on column read.attachment.attachment_id is 'The file.';
comment on column read.attachment.file_name is 'What the sender called it.';
comment on column read.attachment.content_type is 'What the sender said it is.';
comment on column read.attachment.size_bytes is 'Length of the plaintext.';
comment on column read.attachment.uploader_id is 'Who sent it.';
comment on column read.attachment.token_sha256 is 'SHA-256 of the upload''s token, hex.';
comment on column read.attachment.token_expires_at is 'Until when the token may be presented.';
comment on column read.attachment.blob is 'SHA-256 of the ciphertext: the object''s name in the bucket.';
comment on column read.attachment.key_id is 'The data key it is sealed under.';
comment on column read.attachment.comment_id is 'The comment that claimed it.';
comment on column read.attachment.ticket_id is 'That comment''s ticket.';
comment on column read.attachment.is_public is 'Whether that comment is public.';
comment on column read.attachment.created_at is 'When it arrived.';

create table read.audit (
    tenant_id uuid not null,
    audit_id bigint not null,
    ticket_id bigint not null,
    author_id bigint,
    channel text not null,
    events jsonb not null,
    created_at timestamptz not null,
    primary key (tenant_id, audit_id)
);
create index audit_by_ticket on read.audit (tenant_id, ticket_id, audit_id);
comment on table read.audit is 'Projection audits: one row a command on a ticket, with what it changed.';
comment on column read.audit.tenant_id is 'Whose.';
comment on column read.audit.audit_id is 'Derived from the position of the command''s first event.';
comment on column read.audit.ticket_id is 'On which ticket.';
comment on column read.audit.author_id is 'By whom; absent for the product itself.';
comment on column read.audit.channel is 'Where it came in.';
comment on column read.audit.events is 'Create, Change and Comment entries in the API''s shape; a Comment''s attachments are ids.';
comment on column read.audit.created_at is 'When.';

create table read.audit_ticket (
    tenant_id uuid not null,
    ticket_id bigint not null,
    attributes jsonb not null,
    primary key (tenant_id, ticket_id)
);
comment on table read.audit_ticket is 'Projection audits: a ticket''s attributes as of the last audit, to tell the previous value of a change.';
comment on column read.audit_ticket.tenant_id is 'Whose.';
comment on column read.audit_ticket.ticket_id is 'The ticket.';
comment on column read.audit_ticket.attributes is 'Field name to value, as the API writes them.';

grant usage on schema read to domicile_desk, domicile_projector, domicile_replicator;
grant select on all tables in schema read to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on all tables in schema read to domicile_projector;

-- The second fence: the desk sees rows of the tenant it has named, and of no other.
do $$
declare
    table_name text;
begin
    for table_name in select tablename from pg_tables where schemaname = 'read' loop
        execute format('alter table read.%I enable row level security', table_name);
        execute format(
            'create policy desk_one_tenant on read.%I for select to domicile_desk '
            'using (tenant_id = nullif(current_setting(''domicile.tenant_id'', true), '''')::uuid)', table_name);
        execute format(
            'create policy workers_all on read.%I to domicile_projector using (true) with check (true)', table_name);
        execute format(
            'create policy replicator_reads on read.%I for select to domicile_replicator using (true)', table_name);
    end loop;
end $$;
