create unique index session_by_secret on session (tenant_id, secret_sha256);
create index session_of_person on session (tenant_id, person_id, session_id);
