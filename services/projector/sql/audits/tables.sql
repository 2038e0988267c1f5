-- The tables of a build of audits. The search path says which build.

create table audit (
    tenant_id uuid not null,
    audit_id bigint not null,
    ticket_id bigint not null,
    author_id bigint,
    channel text not null,
    events jsonb not null,
    created_at timestamptz not null,
    primary key (tenant_id, audit_id)
);
comment on table audit is 'Projection audits: one row a command on a ticket, with what it changed.';
comment on column audit.tenant_id is 'Whose.';
comment on column audit.audit_id is 'Derived from the position of the command''s first event.';
comment on column audit.ticket_id is 'On which ticket.';
comment on column audit.author_id is 'By whom; absent for the product itself.';
comment on column audit.channel is 'Where it came in.';
comment on column audit.events is 'Create, Change and Comment entries in the API''s shape; a Comment''s attachments are ids.';
comment on column audit.created_at is 'When.';

create table audit_ticket (
    tenant_id uuid not null,
    ticket_id bigint not null,
    attributes jsonb not null,
    primary key (tenant_id, ticket_id)
);
comment on table audit_ticket is 'Projection audits: a ticket''s attributes as of the last audit, to tell the previous value of a change.';
comment on column audit_ticket.tenant_id is 'Whose.';
comment on column audit_ticket.ticket_id is 'The ticket.';
comment on column audit_ticket.attributes is 'Field name to value, as the API writes them.';
