-- The tickets that somebody works on are a list of their own.

do $$
declare
    build text;
begin
    for build in select nspname from pg_namespace where nspname ~ '^read_ticket_list_[0-9]+$' loop
        execute format(
            'create index ticket_list_assignee on %I.ticket_list (tenant_id, assignee_id, ticket_id) where assignee_id is not null',
            build);
    end loop;
end $$;
