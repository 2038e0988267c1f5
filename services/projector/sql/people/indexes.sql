-- Made when a build of people is filled: cheaper than keeping them up meanwhile.

-- Not unique: who holds an address is decided by the streams email-<index>, and two people may swap theirs in one batch.
create index person_email on person (tenant_id, email);
