-- The projection sessions, in its first version.

create schema read_sessions_1;
grant usage on schema read_sessions_1 to domicile_desk, domicile_projector, domicile_replicator;

create table read_sessions_1.session (
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
comment on table read_sessions_1.session is 'Projection sessions: where people are signed in. One that is over has no row.';
comment on column read_sessions_1.session.tenant_id is 'Whose.';
comment on column read_sessions_1.session.session_id is 'The session.';
comment on column read_sessions_1.session.person_id is 'Who is signed in.';
comment on column read_sessions_1.session.secret_sha256 is 'SHA-256 of the secret that the browser holds, in hex.';
comment on column read_sessions_1.session.address is 'The network address they came from, where the router names it.';
comment on column read_sessions_1.session.client is 'What their program calls itself.';
comment on column read_sessions_1.session.started_at is 'When they signed in.';
comment on column read_sessions_1.session.expires_at is 'When it is over in any case.';

create unique index session_by_secret on read_sessions_1.session (tenant_id, secret_sha256);
create index session_of_person on read_sessions_1.session (tenant_id, person_id, session_id);

grant select on read_sessions_1.session to domicile_desk, domicile_replicator;
grant select, insert, update, delete, truncate on read_sessions_1.session to domicile_projector;

alter table read_sessions_1.session enable row level security;
create policy desk_one_tenant on read_sessions_1.session for select to domicile_desk
    using (tenant_id = nullif(current_setting('domicile.tenant_id', true), '')::uuid);
create policy workers_all on read_sessions_1.session to domicile_projector using (true) with check (true);
create policy replicator_reads on read_sessions_1.session for select to domicile_replicator using (true);

insert into read.build (projection, version, shape, state, created_at, completed_at)
values ('sessions', 1, 1, 'complete', now(), now());
insert into read.serving (projection, shape, version, switched_at)
select projection, shape, version, created_at from read.build where projection = 'sessions';
