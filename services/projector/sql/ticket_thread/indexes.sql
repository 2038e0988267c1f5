-- Made when a build of ticket_thread is filled: cheaper than keeping them up meanwhile.

create index comment_ticket on comment (tenant_id, ticket_id, comment_id);
create index attachment_token on attachment (tenant_id, token_sha256);
