-- The tables of a build of ticket_thread. The search path says which build.

create table comment (
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
comment on table comment is 'Projection ticket_thread: the comments of tickets.';
comment on column comment.tenant_id is 'Whose.';
comment on column comment.comment_id is 'Derived from the event''s position.';
comment on column comment.ticket_id is 'On which ticket.';
comment on column comment.audit_id is 'In which audit.';
comment on column comment.author_id is 'By whom.';
comment on column comment.is_public is 'Whether the requester may read it.';
comment on column comment.body is 'The text.';
comment on column comment.html_body is 'The cleaned HTML, when the author sent HTML.';
comment on column comment.attachment_ids is 'Files that came along, in order.';
comment on column comment.channel is 'Where it came in.';
comment on column comment.created_at is 'When.';

create table attachment (
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
comment on table attachment is 'Projection ticket_thread: uploaded files, and the comment that claimed each.';
comment on column attachment.tenant_id is 'Whose.';
comment on column attachment.attachment_id is 'The file.';
comment on column attachment.file_name is 'What the sender called it.';
comment on column attachment.content_type is 'What the sender said it is.';
comment on column attachment.size_bytes is 'Length of the plaintext.';
comment on column attachment.uploader_id is 'Who sent it.';
comment on column attachment.token_sha256 is 'SHA-256 of the upload''s token, hex.';
comment on column attachment.token_expires_at is 'Until when the token may be presented.';
comment on column attachment.blob is 'SHA-256 of the ciphertext: the object''s name in the bucket.';
comment on column attachment.key_id is 'The data key it is sealed under.';
comment on column attachment.comment_id is 'The comment that claimed it.';
comment on column attachment.ticket_id is 'That comment''s ticket.';
comment on column attachment.is_public is 'Whether that comment is public.';
comment on column attachment.created_at is 'When it arrived.';
