-- What ties tickets to moments, problems and people. Columns that an older program neither reads nor writes, as with 3003; no event
-- of before could have filled them.

do $$
declare
    build text;
begin
    for build in select nspname from pg_namespace where nspname ~ '^read_ticket_list_[0-9]+$' loop
        execute format(
            'alter table %I.ticket_list add column due_at timestamptz, add column problem_id bigint, '
            'add column email_cc_ids bigint[] not null default ''{}'', add column follower_ids bigint[] not null default ''{}'', '
            'add column recipient text, add column followup_source_id bigint',
            build);
        execute format('comment on column %I.ticket_list.due_at is %L', build, 'When it is to be done.');
        execute format('comment on column %I.ticket_list.problem_id is %L', build, 'The problem it is an incident of.');
        execute format('comment on column %I.ticket_list.email_cc_ids is %L', build, 'Who gets copies of its mails, sorted.');
        execute format('comment on column %I.ticket_list.follower_ids is %L', build, 'Which agents follow it, sorted.');
        execute format('comment on column %I.ticket_list.recipient is %L', build, 'The tenant''s address it was sent to.');
        execute format('comment on column %I.ticket_list.followup_source_id is %L', build, 'The closed ticket it follows up.');
        execute format(
            'create index ticket_list_incidents on %I.ticket_list (tenant_id, problem_id, ticket_id) where problem_id is not null',
            build);
        execute format(
            'create index ticket_list_problems on %I.ticket_list (tenant_id, ticket_id) where ticket_type = ''problem''', build);
        execute format(
            'create index ticket_list_followups on %I.ticket_list (tenant_id, followup_source_id, ticket_id) '
            'where followup_source_id is not null', build);
    end loop;
end $$;
