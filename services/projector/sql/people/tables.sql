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
