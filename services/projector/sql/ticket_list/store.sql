-- Writes whole rows of many tickets: new ones, and those that changed.
insert into ticket_list
    (tenant_id, ticket_id, subject, description, status, priority, ticket_type, requester_id, submitter_id, assignee_id,
     group_id, tags, channel, external_id, is_public, version, created_at, updated_at)
select $1, ticket_id, subject, description, status, priority, ticket_type, requester_id, submitter_id, assignee_id,
       group_id, tags::text[], channel, external_id, is_public, version, created_at, updated_at
from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
            $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::boolean[], $16::bigint[],
            $17::timestamptz[], $18::timestamptz[])
     as row (ticket_id, subject, description, status, priority, ticket_type, requester_id, submitter_id, assignee_id,
             group_id, tags, channel, external_id, is_public, version, created_at, updated_at)
on conflict (tenant_id, ticket_id) do update
set subject = excluded.subject, description = excluded.description, status = excluded.status,
    priority = excluded.priority, ticket_type = excluded.ticket_type, requester_id = excluded.requester_id,
    assignee_id = excluded.assignee_id, group_id = excluded.group_id, tags = excluded.tags,
    is_public = excluded.is_public, version = excluded.version, updated_at = excluded.updated_at
