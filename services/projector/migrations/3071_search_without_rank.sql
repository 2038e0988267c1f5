-- What searches ask again and again is which texts hold a word, not how well: a function that does not rank, in every build there is.
-- Both functions run with the owner's rights, so nobody's temporary tables come first: those that are not named would.

do $$
declare
    build text;
begin
    for build in select format('read_search_%s', version) from read.build where projection = 'search' loop
        execute format($function$
            create function %1$I.texts_with(of_kind text, sought tsquery)
            returns table (thing_id bigint, part text)
            language sql stable
            security definer
            set search_path = %1$I, pg_temp
            as $body$
                select searched_text.thing_id, searched_text.part
                from searched_text as searched_text
                where searched_text.tenant_id = nullif(pg_catalog.current_setting('domicile.tenant_id', true), '')::uuid
                  and searched_text.kind = of_kind and searched_text.words @@ sought
            $body$
        $function$, build);
        execute format('comment on function %I.texts_with(text, tsquery) is %L', build,
            'Projection search: the texts of the tenant that is named which hold what is sought.');
        execute format('revoke all on function %I.texts_with(text, tsquery) from public', build);
        execute format('grant execute on function %I.texts_with(text, tsquery) to domicile_desk', build);
        execute format('alter function %1$I.found_texts(text, tsquery) set search_path = %1$I, pg_temp', build);
    end loop;
end $$;
