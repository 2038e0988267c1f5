-- Made when a build of people is filled: cheaper than keeping them up meanwhile.

-- Not unique: who holds an address is decided by the streams email-<index>, and two people may swap theirs in one batch.
create index person_email on person (tenant_id, email);
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
