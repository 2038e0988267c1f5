create index webhook_active on webhook (tenant_id) where is_active;
