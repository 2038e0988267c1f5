-- Made when a build of ticket_metrics is filled.

create index if not exists ticket_metric_solved on ticket_metric (tenant_id, status_updated_at, ticket_id) where status = 'solved';
