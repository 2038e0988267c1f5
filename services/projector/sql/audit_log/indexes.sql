-- Made when a build of audit_log is filled: cheaper than keeping them up meanwhile.

create index audit_log_by_source on audit_log (tenant_id, source_type, source_id, audit_log_id);
create index audit_log_by_actor on audit_log (tenant_id, actor_id, audit_log_id);
