//! The normal work.

use archive::layout;
use eventlog::Expected;
use jiff::ToSpan;
use regions::DatabaseRole;
use replicator::{Error, archive_tenant};
use runtime::Clock;
use schemas::{
    AttachmentId, Hash, PersonId, Position, StreamName,
    upload::{UploadEvent, UploadReceived},
};

use crate::region::{archiving, files_ending};

#[tokio::test]
async fn an_archive_follows_the_log_and_passes_the_auditor() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    for (size, generation) in [(5, 1), (300, 2), (512, 3)] {
        let before = eventlog::head(&mut *eu.deps.pool.acquire().await?, &acme).await?.get();
        eu.append(&acme, 1, before, size - before).await?;
        let archived = archive_tenant(&eu.deps, &acme, None).await?;
        assert_eq!((archived.generation, archived.size.get(), archived.published), (generation, size, 1));
        let report = eu.report(&acme).await?;
        assert_eq!(report.findings, []);
        assert_eq!((report.size as i64, report.root), (size, Some(archived.root)));
        let marks = eventlog::marks(&mut *eu.deps.pool.acquire().await?, &acme).await?;
        assert_eq!(marks.sealed.map(|mark| mark.position.get()), Some(size));
        assert_eq!(marks.archived.map(|mark| mark.position.get()), Some(size));
    }
    Ok(())
}

#[tokio::test]
async fn nothing_new_writes_nothing() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    assert_eq!(archive_tenant(&eu.deps, &acme, None).await?.generation, 0);
    assert_eq!(eu.objects("").await?, [], "a tenant without events has no archive");
    eu.append(&acme, 1, 0, 3).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let before = eu.objects("").await?;
    eu.test.clock.advance(jiff::SignedDuration::from_hours(1));
    assert_eq!(archive_tenant(&eu.deps, &acme, None).await?.published, 0);
    assert_eq!(eu.objects("").await?, before);
    Ok(())
}

#[tokio::test]
async fn an_archive_stops_where_it_is_told() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 20).await?;
    assert_eq!(archive_tenant(&eu.deps, &acme, Some(Position::new(8))).await?.size.get(), 8);
    assert_eq!(archive_tenant(&eu.deps, &acme, Some(Position::new(4))).await?.size.get(), 8, "and never goes back");
    assert_eq!(archive_tenant(&eu.deps, &acme, None).await?.size.get(), 20);
    assert!(eu.report(&acme).await?.is_clean());
    Ok(())
}

#[tokio::test]
async fn what_a_generation_writes_follows_its_events_and_not_the_archive() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    let mut objects = Vec::new();
    for before in [0, 2, 600, 602] {
        eu.append(&acme, 1, before, if before == 2 { 598 } else { 2 }).await?;
        let count = eu.objects("").await?.len();
        archive_tenant(&eu.deps, &acme, None).await?;
        objects.push(eu.objects("").await?.len() - count);
    }
    // Segment, audit, keys, level 0, bundle, manifest; the first writes checkpoint, guide and two schemas besides.
    assert_eq!((objects[0], objects[3]), (10, 6));
    Ok(())
}

#[tokio::test]
async fn keys_lie_outside_of_the_archive_and_cover_the_new_events() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    eu.append(&acme, 2, 0, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let mut scopes = Vec::new();
    for generation in [1, 2] {
        let object = eu.deps.bucket.get(&layout::keys(acme.tenant_id(), generation)).await?;
        let keys: serde_json::Value = serde_json::from_slice(&object.expect("exported").body)?;
        assert!(keys["tenant_key"]["wrapped"].is_string());
        scopes.push(
            keys["data_keys"].as_array().expect("a list").iter().map(|key| key["scope"].clone()).collect::<Vec<_>>(),
        );
    }
    assert_eq!(scopes, [["ticket-1"], ["ticket-2"]]);
    assert!(eu.archive(&acme).await?.iter().all(|(key, _)| !key.contains("keys")));
    Ok(())
}

#[tokio::test]
async fn a_file_is_named_once_it_is_there_and_not_before() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    let event: UploadEvent = UploadReceived {
        attachment: AttachmentId::new(1),
        file_name: "a.txt".to_owned().into(),
        content_type: "text/plain".to_owned().into(),
        size_bytes: 3,
        uploader: PersonId::new(1),
        token_sha256: String::new(),
        expires_at: eu.test.clock.now() + 1.hours(),
    }
    .into();
    let stream = StreamName::Upload(AttachmentId::new(1));
    eu.test.append(&acme, stream, Expected::NoStream, vec![event.into()]).await?;
    let log = eventlog::read_log(&mut *eu.deps.pool.acquire().await?, &acme, Position::ZERO, 1).await?;
    let missing = log[0].sealed.envelope.blob.expect("an upload has a file");
    let error = archive_tenant(&eu.deps, &acme, None).await.expect_err("the file is not there");
    assert!(matches!(error, Error::AttachmentMissing { position, blob } if position.get() == 1 && blob == missing));
    assert_eq!(eu.archive(&acme).await?, [], "nothing was written");

    // The test kit's ciphertext of a file is the text of its event's id.
    let bytes = log[0].sealed.envelope.event_id.to_string();
    assert_eq!(Hash::of(&[bytes.as_bytes()]), missing);
    let key = format!("{}{}", layout::tenant_prefix(acme.tenant_id()), layout::attachment(missing));
    eu.deps.bucket.put_new(&key, bytes.into()).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let report = eu.report(&acme).await?;
    assert_eq!((report.findings.as_slice(), report.attachments), ([].as_slice(), 1));
    Ok(())
}

#[tokio::test]
async fn twin_tenants_have_archives_of_their_own() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let twins = [eu.test.tenant("castor").await?, eu.test.tenant("pollux").await?];
    for twin in &twins {
        eu.append(twin, 1, 0, 10).await?;
        archive_tenant(&eu.deps, twin, None).await?;
    }
    for (twin, other) in [(&twins[0], &twins[1]), (&twins[1], &twins[0])] {
        let report = eu.report(twin).await?;
        assert_eq!((report.findings.as_slice(), report.size), ([].as_slice(), 10));
        let other = other.tenant_id().to_string();
        for (key, bytes) in eu.archive(twin).await? {
            assert!(!key.contains(&other) && !bytes.windows(other.len()).any(|window| window == other.as_bytes()));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_changed_row_of_the_log_is_not_archived() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    sqlx::query!(
        "update log.event set actor = 'person-666' where tenant_id = $1 and position = 3",
        acme.tenant_id().get()
    )
    .execute(&owner)
    .await?;
    let error = archive_tenant(&eu.deps, &acme, None).await.expect_err("the row was changed");
    assert!(
        matches!(error, Error::Generation(archive::generation::Error::LeafDiffers { position }) if position.get() == 3)
    );
    assert!(!error.is_transient());
    assert_eq!(eu.archive(&acme).await?, [], "nothing was written");
    Ok(())
}

#[tokio::test]
async fn a_schema_that_no_generation_names_is_not_taken_over() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 2).await?;
    let key = layout::schema("status_set@1");
    let name = |key: &str| format!("{}{key}", layout::tenant_prefix(acme.tenant_id()));
    eu.deps.bucket.put_new(&name(&key), "{}".into()).await?;
    let error = archive_tenant(&eu.deps, &acme, None).await.expect_err("nobody of us wrote that schema");
    assert!(matches!(&error, Error::ObjectDiffers { object } if *object == key), "{error:?}");

    // As an older program described it: its manifest names those bytes.
    let schema = eu.s3_folder().join(&eu.deps.region.bucket).join(name(&key));
    std::fs::remove_file(&schema)?;
    archive_tenant(&eu.deps, &acme, None).await?;
    std::fs::write(&schema, "{}")?;
    let mut manifest = eu.manifest(&acme, 1).await?;
    let named = manifest.schemas.iter_mut().find(|schema| layout::schema(&schema.name) == key).expect("it was used");
    named.sha256 = Hash::of(&[b"{}"]);
    let signer = eu.test.signing_key.clone();
    let origin = archive::checkpoint::origin(&eu.deps.region.id, acme.tenant_id());
    let signer = archive::Signer::new(origin, signer.public_key(), move |message| signer.sign(message));
    std::fs::write(files_ending(&eu.s3_folder(), "manifest/00000001.json").remove(0), manifest.sign(&signer))?;
    for from in [2, 4] {
        eu.append(&acme, 1, from, 2).await?;
        archive_tenant(&eu.deps, &acme, None).await?;
    }
    assert_eq!(eu.report(&acme).await?.findings, []);
    Ok(())
}
