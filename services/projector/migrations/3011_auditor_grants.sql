-- Auditors: people who read for a while. Columns that an older program neither reads nor writes, as with 3003.

do $$
declare
    build text;
begin
    for build in select nspname from pg_namespace where nspname ~ '^read_people_[0-9]+$' loop
        execute format(
            'alter table %I.person add column granted_until timestamptz, '
            'add column granted_tickets bigint[] not null default ''{}''',
            build);
        execute format('comment on column %I.person.role is %L', build, 'end-user, agent, admin or auditor.');
        execute format('comment on column %I.person.granted_until is %L', build, 'When an auditor''s grant ends.');
        execute format('comment on column %I.person.granted_tickets is %L', build,
            'The tickets an auditor''s grant is about; all, when there are none.');
    end loop;
end $$;
