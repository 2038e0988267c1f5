-- Made when a build of ticket_list is filled: cheaper than keeping them up meanwhile. A migration may have made some of them already,
-- in builds that it found.

create index if not exists ticket_list_external on ticket_list (tenant_id, external_id) where external_id is not null;
create index if not exists ticket_list_requester on ticket_list (tenant_id, requester_id, ticket_id);
create index if not exists ticket_list_incidents on ticket_list (tenant_id, problem_id, ticket_id) where problem_id is not null;
create index if not exists ticket_list_problems on ticket_list (tenant_id, ticket_id) where ticket_type = 'problem';
create index if not exists ticket_list_followups on ticket_list (tenant_id, followup_source_id, ticket_id) where followup_source_id is not null;
create index if not exists ticket_list_assignee on ticket_list (tenant_id, assignee_id, ticket_id) where assignee_id is not null;
create index if not exists ticket_list_status on ticket_list (tenant_id, status, ticket_id) where deleted_at is null;
create index if not exists ticket_list_group on ticket_list (tenant_id, group_id, ticket_id) where group_id is not null;
