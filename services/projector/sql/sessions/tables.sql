-- The tables of a build of sessions. The search path says which build.

create table session (
    tenant_id uuid not null,
    session_id bigint not null,
    person_id bigint not null,
    secret_sha256 text not null,
    address text,
    client text,
    started_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (tenant_id, session_id)
);
comment on table session is 'Projection sessions: where people are signed in. One that is over has no row.';
comment on column session.tenant_id is 'Whose.';
comment on column session.session_id is 'The session.';
comment on column session.person_id is 'Who is signed in.';
comment on column session.secret_sha256 is 'SHA-256 of the secret that the browser holds, in hex.';
comment on column session.address is 'The network address they came from, where the router names it.';
comment on column session.client is 'What their program calls itself.';
comment on column session.started_at is 'When they signed in.';
comment on column session.expires_at is 'When it is over in any case.';
