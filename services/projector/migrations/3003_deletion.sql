-- Deleted tickets and people. Columns that an older program neither reads nor writes, so the shapes stay as they are; every build
-- that is there gets them, and no event of before could have filled them.

do $$
declare
    build text;
begin
    for build in select nspname from pg_namespace where nspname ~ '^read_ticket_list_[0-9]+$' loop
        execute format('alter table %I.ticket_list add column deleted_at timestamptz, add column deleted_by bigint', build);
        execute format('comment on column %I.ticket_list.deleted_at is %L', build,
            'When it was deleted; null while it is there.');
        execute format('comment on column %I.ticket_list.deleted_by is %L', build,
            'Who deleted it; null for the product itself.');
    end loop;
    for build in select nspname from pg_namespace where nspname ~ '^read_people_[0-9]+$' loop
        execute format('alter table %I.person add column deleted_at timestamptz', build);
        execute format('comment on column %I.person.deleted_at is %L', build,
            'When the person was deleted; null while there.');
    end loop;
end $$;
