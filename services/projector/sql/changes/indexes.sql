-- Made when a build of changes is filled: cheaper than keeping them up meanwhile.

create unique index ticket_change_by_position on ticket_change (tenant_id, position);
create unique index person_change_by_position on person_change (tenant_id, position);
create unique index moment_by_position on moment (tenant_id, first_position);
