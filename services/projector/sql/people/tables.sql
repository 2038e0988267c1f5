-- The tables of a build of people. The search path says which build.

create table person (
    tenant_id uuid not null,
    person_id bigint not null,
    name text not null,
    email text,
    role text not null,
    password_phc text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    granted_until timestamptz,
    granted_tickets bigint[] not null default '{}',
    details jsonb not null default '{}',
    tags text[] not null default '{}',
    suspended_at timestamptz,
    primary key (tenant_id, person_id)
);
comment on table person is 'Projection people: profiles.';
comment on column person.tenant_id is 'Whose.';
comment on column person.person_id is 'The person.';
comment on column person.name is 'Full name.';
comment on column person.email is 'Address, lower case.';
comment on column person.role is 'end-user, agent, admin or auditor.';
comment on column person.password_phc is 'Argon2id in PHC string format, if a password was set.';
comment on column person.created_at is 'When the person became known.';
comment on column person.updated_at is 'When the profile last changed.';
comment on column person.deleted_at is 'When the person was deleted; null while there.';
comment on column person.granted_until is 'When an auditor''s grant ends.';
comment on column person.granted_tickets is 'The tickets an auditor''s grant is about; all, when there are none.';
comment on column person.details is 'What else the profile tells: phone, alias, details, notes, signature, external_id, time_zone, locale.';
comment on column person.tags is 'Sorted, each once.';
comment on column person.suspended_at is 'Since when the person may not come in.';

create table api_token (
    tenant_id uuid not null,
    token_id bigint not null,
    token_sha256 text not null,
    person_id bigint not null,
    description text not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, token_id)
);
comment on table api_token is 'Projection people: API tokens, by hash.';
comment on column api_token.tenant_id is 'Whose.';
comment on column api_token.token_id is 'The token''s id.';
comment on column api_token.token_sha256 is 'SHA-256 of the secret, hex.';
comment on column api_token.person_id is 'Whom it speaks for.';
comment on column api_token.description is 'What it is for.';
comment on column api_token.expires_at is 'When it stops working, if ever.';
comment on column api_token.revoked_at is 'When it was revoked, if it was.';
comment on column api_token.created_at is 'When it was issued.';
-- A rule, so it is here from the first row on.
create unique index api_token_sha256 on api_token (tenant_id, token_sha256);

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
