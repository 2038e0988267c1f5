-- Regions witness each other: what this region has seen of the logs of others, and how far others have seen its own. Origins,
-- sizes, roots and signatures only.

create schema witness;
comment on schema witness is 'Tree heads that regions cosign for each other.';

create table witness.seen (
    tenant_id uuid not null,
    region text not null,
    size bigint not null check (size >= 0),
    head_sha256 bytea not null check (length(head_sha256) = 32),
    note text not null,
    origin_sha256 bytea not null check (length(origin_sha256) = 32),
    cosigned_at timestamptz not null,
    primary key (tenant_id, region)
);
create index seen_origin on witness.seen (origin_sha256);
comment on table witness.seen is 'The last tree head of each foreign log that this region has cosigned. It only grows.';
comment on column witness.seen.tenant_id is 'Whose log.';
comment on column witness.seen.region is 'Of which region: with the tenant, the log''s origin.';
comment on column witness.seen.size is 'How many events it covers.';
comment on column witness.seen.head_sha256 is 'SHA-256 of the checkpoint''s text. A newer head takes its place only from the one it was compared with.';
comment on column witness.seen.note is 'The signed checkpoint with this region''s cosignature.';
comment on column witness.seen.origin_sha256 is 'SHA-256 of the log''s origin, by which others ask for it.';
comment on column witness.seen.cosigned_at is 'When.';

create table witness.conflict (
    tenant_id uuid not null,
    region text not null,
    head_sha256 bytea not null check (length(head_sha256) = 32),
    ours text not null,
    theirs text not null,
    found_at timestamptz not null,
    primary key (tenant_id, region, head_sha256)
);
comment on table witness.conflict is 'Two checkpoints that one log signed, of which the newer was not shown to follow on the older: a fork, unless it is shown later.';
comment on column witness.conflict.tenant_id is 'Whose log.';
comment on column witness.conflict.region is 'Of which region.';
comment on column witness.conflict.head_sha256 is 'SHA-256 of the text of the refused checkpoint, so that it is kept once.';
comment on column witness.conflict.ours is 'The checkpoint that was cosigned before.';
comment on column witness.conflict.theirs is 'The checkpoint that was refused.';
comment on column witness.conflict.found_at is 'When.';

create table witness.submitted (
    tenant_id uuid not null,
    witness text not null,
    size bigint not null check (size >= 0),
    answered_at timestamptz not null,
    refusal text,
    primary key (tenant_id, witness)
);
comment on table witness.submitted is 'How far each other region has cosigned the logs of this one. Can be thrown away: a witness says where it stands.';
comment on column witness.submitted.tenant_id is 'Whose log.';
comment on column witness.submitted.witness is 'Which region cosigns.';
comment on column witness.submitted.size is 'Events under the last cosignature.';
comment on column witness.submitted.answered_at is 'When it answered last.';
comment on column witness.submitted.refusal is 'Why it has refused the last one, if it has.';

grant usage on schema witness to domicile_desk, domicile_replicator;
grant select, insert, update on witness.seen to domicile_desk;
grant select, insert, delete on witness.conflict to domicile_desk;
grant select, insert, update on witness.submitted to domicile_replicator;

-- The second fence. What is seen of others is about no tenant of this region, and the desk names none when it cosigns.
alter table witness.seen enable row level security;
alter table witness.conflict enable row level security;
alter table witness.submitted enable row level security;
create policy foreign_logs on witness.seen to domicile_desk using (true);
create policy foreign_logs on witness.conflict to domicile_desk using (true);
create policy workers_all on witness.submitted to domicile_replicator using (true);
