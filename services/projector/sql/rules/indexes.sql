create index rule_of_kind on rule (tenant_id, kind, position, rule_id);
