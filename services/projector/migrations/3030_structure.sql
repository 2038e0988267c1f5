-- People and structure: more of a profile, identities, memberships, organizations, and groups whole. Columns and tables that an older
-- program neither reads nor writes, so the shapes stay as they are; of what they hold only the first addresses were recorded before.

do $$
declare
    before text := current_setting('search_path');
    build text;
    made text;
begin
    for build in select nspname from pg_namespace where nspname ~ '^read_people_[0-9]+$' loop
        perform set_config('search_path', build, true);
        alter table person
            add column details jsonb not null default '{}',
            add column tags text[] not null default '{}',
            add column suspended_at timestamptz;
        comment on column person.details is 'What else the profile tells: phone, alias, details, notes, signature, external_id, time_zone, locale.';
        comment on column person.tags is 'Sorted, each once.';
        comment on column person.suspended_at is 'Since when the person may not come in.';
        create table identity (
            tenant_id uuid not null,
            identity_id bigint not null,
            person_id bigint not null,
            kind text not null,
            value text not null,
            is_primary boolean not null,
            is_verified boolean not null,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (tenant_id, identity_id)
        );
        comment on table identity is 'Projection people: by what people are reached and known.';
        comment on column identity.tenant_id is 'Whose.';
        comment on column identity.identity_id is 'The identity; that of the address a person came with has the person''s number.';
        comment on column identity.person_id is 'Whose it is.';
        comment on column identity.kind is 'email or phone_number.';
        comment on column identity.value is 'The address, lower case, or the number.';
        comment on column identity.is_primary is 'Whether it is the address that is shown and written to.';
        comment on column identity.is_verified is 'Whether it is known to be the person''s.';
        comment on column identity.created_at is 'When it was added; of the first one, when the person was.';
        comment on column identity.updated_at is 'When it was changed or verified, if it was.';

        create table membership (
            tenant_id uuid not null,
            membership_id bigint not null,
            person_id bigint not null,
            organization_id bigint,
            group_id bigint,
            is_chosen boolean not null,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (tenant_id, membership_id),
            check ((organization_id is null) <> (group_id is null))
        );
        comment on table membership is 'Projection people: who belongs to which organization or group.';
        comment on column membership.tenant_id is 'Whose.';
        comment on column membership.membership_id is 'The membership.';
        comment on column membership.person_id is 'Who.';
        comment on column membership.organization_id is 'To which organization. It may have been deleted since.';
        comment on column membership.group_id is 'Or to which group. It may have been deleted since.';
        comment on column membership.is_chosen is 'Whether it was chosen as the person''s default; if none is, the oldest is the default.';
        comment on column membership.created_at is 'Since when.';
        comment on column membership.updated_at is 'When it last changed.';

        create table organization (
            tenant_id uuid not null,
            organization_id bigint not null,
            name text not null,
            details jsonb not null,
            domain_names text[] not null,
            tags text[] not null,
            group_id bigint,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (tenant_id, organization_id)
        );
        comment on table organization is 'Projection people: organizations that people belong to. Of a deleted one there is no row.';
        comment on column organization.tenant_id is 'Whose.';
        comment on column organization.organization_id is 'The organization.';
        comment on column organization.name is 'Its name.';
        comment on column organization.details is 'What else is told of it: details, notes, external_id.';
        comment on column organization.domain_names is 'New people with an address of these domains become its members. Sorted.';
        comment on column organization.tags is 'Sorted, each once.';
        comment on column organization.group_id is 'Which group works on its new tickets.';
        comment on column organization.created_at is 'When it became known.';
        comment on column organization.updated_at is 'When it last changed.';

        create table organization_domain (
            tenant_id uuid not null,
            place text not null,
            organization_id bigint not null,
            domain text not null,
            primary key (tenant_id, place)
        );
        comment on table organization_domain is 'Projection people: organizations by domain.';
        comment on column organization_domain.tenant_id is 'Whose.';
        comment on column organization_domain.place is 'The organization and the domain.';
        comment on column organization_domain.organization_id is 'The organization.';
        comment on column organization_domain.domain is 'One of its domains.';

        create index person_external_id on person (tenant_id, lower(details ->> 'external_id')) where details ? 'external_id';
        create index person_name on person (tenant_id, lower(name) text_pattern_ops);
        create index identity_of_person on identity (tenant_id, person_id, identity_id);
        create index identity_value on identity (tenant_id, value);
        create index membership_of_person on membership (tenant_id, person_id, membership_id);
        create index membership_of_organization on membership (tenant_id, organization_id, membership_id) where organization_id is not null;
        create index member_of_organization on membership (tenant_id, organization_id, person_id) where organization_id is not null;
        create index membership_of_group on membership (tenant_id, group_id, membership_id) where group_id is not null;
        create index member_of_group on membership (tenant_id, group_id, person_id) where group_id is not null;
        create index membership_in_groups on membership (tenant_id, membership_id) where group_id is not null;
        create index organization_name on organization (tenant_id, lower(name) text_pattern_ops);
        create index organization_external_id on organization (tenant_id, lower(details ->> 'external_id')) where details ? 'external_id';
        create index organization_by_domain on organization_domain (tenant_id, domain, organization_id);

        -- An auditor's address is told, not claimed.
        insert into identity (tenant_id, identity_id, person_id, kind, value, is_primary, is_verified, created_at, updated_at)
        select tenant_id, person_id, person_id, 'email', email, true, false, created_at, created_at
        from person where email is not null and role <> 'auditor';

        foreach made in array array['identity', 'membership', 'organization', 'organization_domain'] loop
            execute format('grant select on %I to domicile_desk, domicile_replicator', made);
            execute format('grant select, insert, update, delete, truncate on %I to domicile_projector', made);
            execute format('alter table %I enable row level security', made);
            execute format(
                'create policy desk_one_tenant on %I for select to domicile_desk '
                'using (tenant_id = nullif(current_setting(''domicile.tenant_id'', true), '''')::uuid)', made);
            execute format('create policy workers_all on %I to domicile_projector using (true) with check (true)', made);
            execute format('create policy replicator_reads on %I for select to domicile_replicator using (true)', made);
        end loop;
    end loop;
    for build in select nspname from pg_namespace where nspname ~ '^read_account_[0-9]+$' loop
        perform set_config('search_path', build, true);
        alter table account add column chosen_group_id bigint;
        comment on column account.chosen_group_id is 'The group that was chosen to stand first; if none was, or it is gone, the oldest does.';
        alter table agent_group
            add column description text not null default '',
            add column is_public boolean not null default true,
            add column changed_at timestamptz,
            add column deleted_at timestamptz;
        comment on column agent_group.description is 'What it is for.';
        comment on column agent_group.is_public is 'Whether all agents may see it.';
        comment on column agent_group.changed_at is 'When it last changed, if it did.';
        comment on column agent_group.deleted_at is 'When it was put away; null while it is there.';
    end loop;
    perform set_config('search_path', before, true);
end $$;
