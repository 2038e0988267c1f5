-- The projection search, in its first version. Tenants whose log is long are followed from its beginning, like any that is behind.

create schema read_search_1;
grant usage on schema read_search_1 to domicile_desk, domicile_projector, domicile_replicator;

create table read_search_1.searched_text (
    tenant_id uuid not null,
    place text collate "C" not null,
    kind text not null,
    thing_id bigint not null,
    part text not null,
    words tsvector not null,
    primary key (tenant_id, place)
);
comment on table read_search_1.searched_text is 'Projection search: one row a text that searches find.';
comment on column read_search_1.searched_text.tenant_id is 'Whose.';
comment on column read_search_1.searched_text.place is 'Where the text stands: the thing, and its place there.';
comment on column read_search_1.searched_text.kind is 'ticket, user or organization.';
comment on column read_search_1.searched_text.thing_id is 'Which one.';
comment on column read_search_1.searched_text.part is 'What of it: subject, description, comment, name and so on.';
comment on column read_search_1.searched_text.words is 'What the text is found by: forms of its words, each behind four bytes of the tenants id.';

create index searched_text_words on read_search_1.searched_text using gin (words);

-- Row-level security would keep Postgres from the index: what it does not know to be silent runs after the policy, row by row. So the
-- policy is said once more here, in the words of the others, and the function sees past it.
create function read_search_1.found_texts(of_kind text, sought tsquery)
returns table (thing_id bigint, part text, rank real)
language sql stable
security definer
set search_path = read_search_1
as $$
    select searched_text.thing_id, searched_text.part, pg_catalog.ts_rank(searched_text.words, sought)
    from read_search_1.searched_text as searched_text
    where searched_text.tenant_id = nullif(pg_catalog.current_setting('domicile.tenant_id', true), '')::uuid
      and searched_text.kind = of_kind and searched_text.words @@ sought
$$;
comment on function read_search_1.found_texts(text, tsquery) is
    'Projection search: the texts of the tenant that is named which hold what is sought, and how well.';
revoke all on function read_search_1.found_texts(text, tsquery) from public;
grant execute on function read_search_1.found_texts(text, tsquery) to domicile_desk;

grant select on read_search_1.searched_text to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_search_1.searched_text to domicile_projector;

alter table read_search_1.searched_text enable row level security;
create policy desk_one_tenant on read_search_1.searched_text for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_search_1.searched_text to domicile_projector using (true) with check (true);
create policy replicator_reads on read_search_1.searched_text for select to domicile_replicator using (true);

insert into read.build (projection, version, shape, state, created_at, completed_at)
values ('search', 1, 1, 'complete', now(), now());
insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build where projection = 'search';
