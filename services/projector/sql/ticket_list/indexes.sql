-- Made when a build of ticket_list is filled: cheaper than keeping them up meanwhile.

create index ticket_list_external on ticket_list (tenant_id, external_id) where external_id is not null;
create index ticket_list_requester on ticket_list (tenant_id, requester_id, ticket_id);
