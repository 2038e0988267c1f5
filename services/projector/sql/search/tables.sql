-- The tables of a build of search. The search path says which build.

create table searched_text (
    tenant_id uuid not null,
    place text collate "C" not null,
    kind text not null,
    thing_id bigint not null,
    part text not null,
    words tsvector not null,
    primary key (tenant_id, place)
);
comment on table searched_text is 'Projection search: one row a text that searches find.';
comment on column searched_text.tenant_id is 'Whose.';
comment on column searched_text.place is 'Where the text stands: the thing, and its place there.';
comment on column searched_text.kind is 'ticket, user or organization.';
comment on column searched_text.thing_id is 'Which one.';
comment on column searched_text.part is 'What of it: subject, description, comment, name and so on.';
comment on column searched_text.words is 'What the text is found by: forms of its words, each behind four bytes of the tenants id.';

-- Row-level security would keep Postgres from the index: what it does not know to be silent runs after the policy, row by row. So the
-- policy is said once more here, in the words of the others, and the functions see past it. One ranks what it finds, which reads each
-- text; the other only finds.
create function found_texts(of_kind text, sought tsquery)
returns table (thing_id bigint, part text, rank real)
language sql stable
security definer
set search_path from current
as $$
    select searched_text.thing_id, searched_text.part, pg_catalog.ts_rank(searched_text.words, sought)
    from searched_text as searched_text
    where searched_text.tenant_id = nullif(pg_catalog.current_setting('domicile.tenant_id', true), '')::uuid
      and searched_text.kind = of_kind and searched_text.words @@ sought
$$;
comment on function found_texts(text, tsquery) is
    'Projection search: the texts of the tenant that is named which hold what is sought, and how well.';

create function texts_with(of_kind text, sought tsquery)
returns table (thing_id bigint, part text)
language sql stable
security definer
set search_path from current
as $$
    select searched_text.thing_id, searched_text.part
    from searched_text as searched_text
    where searched_text.tenant_id = nullif(pg_catalog.current_setting('domicile.tenant_id', true), '')::uuid
      and searched_text.kind = of_kind and searched_text.words @@ sought
$$;
comment on function texts_with(text, tsquery) is
    'Projection search: the texts of the tenant that is named which hold what is sought.';

revoke all on function found_texts(text, tsquery), texts_with(text, tsquery) from public;
grant execute on function found_texts(text, tsquery), texts_with(text, tsquery) to domicile_desk;

-- They run with the owner's rights, so nobody's temporary tables come first: those that are not named would.
do $$
begin
    execute format('alter function found_texts(text, tsquery) set search_path = %I, pg_temp', current_schema());
    execute format('alter function texts_with(text, tsquery) set search_path = %I, pg_temp', current_schema());
end $$;
