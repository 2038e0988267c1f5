-- Who may do what with the tables of a build that is filled, as with those of version 1: the desk sees rows of the tenant it
-- has named. A build that an older program began has them already.
do $$
declare
    build text := current_schema();
    table_name text;
begin
    execute format('grant usage on schema %I to domicile_desk, domicile_replicator', build);
    execute format('grant select on all tables in schema %I to domicile_desk, domicile_replicator', build);
    for table_name in select tablename from pg_tables where schemaname = build and not rowsecurity loop
        execute format('alter table %I enable row level security', table_name);
        execute format(
            'create policy desk_one_tenant on %I for select to domicile_desk '
            'using (tenant_id = nullif(current_setting(''domicile.tenant_id'', true), '''')::uuid)', table_name);
        execute format('create policy workers_all on %I to domicile_projector using (true) with check (true)', table_name);
        execute format('create policy replicator_reads on %I for select to domicile_replicator using (true)', table_name);
    end loop;
end $$
