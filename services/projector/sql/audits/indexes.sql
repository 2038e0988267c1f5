-- Made when a build of audits is filled: cheaper than keeping them up meanwhile.

create index audit_by_ticket on audit (tenant_id, ticket_id, audit_id);
