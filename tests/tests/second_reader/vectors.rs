//! The vectors are what the product writes, byte for byte, and opens.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use archive::{Manifest, Verifier, checkpoint::origin, layout, segment};
use eventlog::{Append, Expected as At, StreamAppend};
use regions::{DatabaseRole, Resident};
use replicator::{ReplicatorDeps, Witnesses, archive_tenant};
use runtime::{Clock, Ids};
use schemas::{Position, Recorded, TenantId, Version};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use system_tests::{
    Ran, vectors,
    vectors::{Files, Mutation},
};
use testkit::TestRegion;
use vault::{SigningKey, SigningKeyFolder};

use crate::readers::{Reader, laid_out};

/// Where the signing keys lie, in the test's folder.
const SIGNING: &str = "signing";

/// What lies in the checkout.
pub(crate) struct Vectors {
    pub(crate) files: Files,
    pub(crate) mutations: Vec<Mutation>,
    /// The region's first.
    pub(crate) verifier: Verifier,
    /// The region's newest.
    pub(crate) newest: Verifier,
    /// Another region's.
    pub(crate) witness: Verifier,
}

pub(crate) fn checked_in() -> anyhow::Result<Vectors> {
    let files = vectors::read(&vectors::folder())?;
    let mutations = serde_json::from_slice(&files[vectors::MUTATIONS])?;
    let key = |file| anyhow::Ok(std::str::from_utf8(&files[file])?.parse()?);
    let (verifier, newest, witness) = (key(vectors::VERIFIER)?, key(vectors::NEWEST_VERIFIER)?, key(vectors::WITNESS)?);
    Ok(Vectors { files, mutations, verifier, newest, witness })
}

/// The tenant of an archive.
pub(crate) fn tenant_id(archive: &str) -> TenantId {
    let archives = ["long", "short", "rotated"];
    let number = archives.iter().position(|name| *name == archive).expect("an archive of the vectors") + 1;
    format!("018f0000-0000-7000-8000-{number:012}").parse().expect("a UUID")
}

/// The objects of an archive, below its prefix.
pub(crate) fn archive_of(files: &Files, archive: &str) -> Files {
    below(files, &format!("bucket/{}", layout::tenant_prefix(tenant_id(archive))))
}

fn below(files: &Files, prefix: &str) -> Files {
    let inside = files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix(prefix)?, bytes)));
    inside.map(|(path, bytes)| (path.to_owned(), bytes.clone())).collect()
}

impl Vectors {
    /// The key of an archive's newest generation, under the name of its log.
    pub(crate) fn verifier_of(&self, archive: &str) -> Verifier {
        let region = "eu".parse().expect("a region's id");
        let key = if archive == "rotated" { &self.newest } else { &self.verifier };
        Verifier::new(origin(&region, tenant_id(archive)), *key.public_key())
    }

    pub(crate) fn named(&self, name: &str) -> Mutation {
        let found = self.mutations.iter().find(|mutation| mutation.name.ends_with(name));
        found.unwrap_or_else(|| panic!("the list holds {name:?}")).clone()
    }
}

#[test]
fn the_vectors_come_out_as_the_same_bytes() -> anyhow::Result<()> {
    let (there, made) = (vectors::read(&vectors::folder())?, vectors::make());
    let differing = vectors::differing(&there, &made);
    let hint = "the format has changed: say so in docs/archive-format.md, think of old archives, then `make generate`";
    anyhow::ensure!(differing.is_empty(), "{hint}\n{}", differing.join("\n"));
    let size: usize = made.values().map(Vec::len).sum();
    assert!(size < 380_000, "the vectors are small: {size}");
    Ok(())
}

#[test]
fn a_changed_byte_of_a_vector_is_noticed() {
    let (whole, mut changed) = (vectors::make(), vectors::make());
    let path = whole.keys().find(|path| path.ends_with("log/checkpoint")).expect("an archive has one").clone();
    changed.get_mut(&path).expect("it is there")[0] ^= 1;
    assert_eq!(vectors::differing(&whole, &changed), [path.as_str()]);
    changed.remove(&path);
    assert_eq!(vectors::differing(&whole, &changed), [path]);
}

#[tokio::test]
async fn the_product_opens_the_vectors_and_writes_the_same_objects_from_their_events() -> anyhow::Result<()> {
    let (vectors, test) = (checked_in()?, testkit::region().await?);
    key_file(&test, &vectors, "region-key.json", "region.key")?;
    let deps = deps(&test).await?;
    for archive in ["long", "short", "rotated"] {
        let objects = archive_of(&vectors.files, archive);
        let resident = test.tenant_with_id(archive, tenant_id(archive)).await?;
        restore_keys(&test, &vectors, archive).await?;
        let events = events(&objects)?;
        append(&test, &resident, &events).await?;
        opens(&deps, &resident, (&vectors, archive), &events).await?;
        let written = written((&test, &vectors), &deps, &resident, &objects).await?;
        let differing = vectors::differing(&objects, &written);
        anyhow::ensure!(differing.is_empty(), "{archive}: the replicator writes other objects: {differing:?}");
        same_exports(&test, &vectors, archive).await?;
    }
    Ok(())
}

/// A key file of the vectors, where and as the product wants it: readable by its owner only.
fn key_file(test: &TestRegion, vectors: &Vectors, from: &str, to: &str) -> anyhow::Result<()> {
    let path = test.folder.path().join(to);
    fs::write(&path, &vectors.files[from])?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

async fn deps(test: &TestRegion) -> anyhow::Result<ReplicatorDeps> {
    Ok(ReplicatorDeps {
        region: test.region.clone(),
        pool: test.pool(DatabaseRole::Replicator).await?,
        vault: test.vault(DatabaseRole::Replicator).await?,
        bucket: test.bucket().await?,
        signing: SigningKeyFolder::new(test.folder.path().join(SIGNING)),
        witnesses: Witnesses::default(),
        clock: Arc::clone(&test.clock) as Arc<dyn Clock>,
        ids: Arc::clone(&test.ids) as Arc<dyn Ids>,
        metrics: test.metrics.clone(),
        interval: Duration::from_millis(20),
    })
}

fn exports(vectors: &Vectors, archive: &str) -> anyhow::Result<Vec<(String, Value)>> {
    let exports = below(&vectors.files, &format!("bucket/keys/{}/", tenant_id(archive)));
    exports.into_iter().map(|(name, bytes)| Ok((name, serde_json::from_slice(&bytes)?))).collect()
}

/// The wrapped keys of the exports, as rows.
async fn restore_keys(test: &TestRegion, vectors: &Vectors, archive: &str) -> anyhow::Result<()> {
    let mut owner = regions::connection(&test.region, DatabaseRole::Owner).await?;
    for (_, export) in exports(vectors, archive)? {
        let statement = format!(
            "insert into vault.tenant_key (tenant_id, region_key_id, wrapped, created_at)
            select (e->>'tenant_id')::uuid, e->'tenant_key'->>'region_key_id', decode(e->'tenant_key'->>'wrapped', 'base64'), now()
            from (select '{export}'::jsonb as e) as export on conflict do nothing;
            insert into vault.data_key (tenant_id, key_id, scope, wrapped, created_at)
            select (e->>'tenant_id')::uuid, (k->>'key_id')::uuid, k->>'scope', decode(k->>'wrapped', 'base64'),
                (k->>'created_at')::timestamptz
            from (select '{export}'::jsonb as e) as export, jsonb_array_elements(e->'data_keys') as k on conflict do nothing"
        );
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut owner).await?;
    }
    Ok(())
}

fn events(objects: &Files) -> anyhow::Result<Vec<Recorded>> {
    let segments = objects.iter().filter(|(key, _)| key.starts_with(layout::EVENTS));
    let events = segments.map(|(_, object)| Ok(segment::read(object)?.1)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(events.into_iter().flatten().collect())
}

/// Appends the events as they are sealed, command by command.
async fn append(test: &TestRegion, resident: &Resident, events: &[Recorded]) -> anyhow::Result<()> {
    let appender = test.appender().await?;
    let command = |event: &Recorded| event.sealed.envelope.command_id;
    for events in events.chunk_by(|one, next| command(one) == command(next)) {
        let mut streams: Vec<StreamAppend> = Vec::new();
        for Recorded { sealed, .. } in events {
            let stream = sealed.envelope.stream.clone();
            match streams.iter_mut().find(|append| append.stream == stream) {
                Some(append) => append.events.push(sealed.clone()),
                None => {
                    let before = Version::new(sealed.envelope.version.get() - 1);
                    let expected = if before == Version::ZERO { At::NoStream } else { At::Exact(before) };
                    streams.push(StreamAppend { stream, expected, events: vec![sealed.clone()] });
                }
            }
        }
        let command_id = command(&events[0]);
        let append = Append { resident: resident.clone(), command_id, idempotency: None, streams };
        let appended = appender.append(append).await?;
        assert_eq!(appended.first, events[0].position);
    }
    Ok(())
}

/// The vault opens every payload whose key is there, to what the vectors say.
async fn opens(
    deps: &ReplicatorDeps,
    resident: &Resident,
    (vectors, archive): (&Vectors, &str),
    events: &[Recorded],
) -> anyhow::Result<()> {
    let opened = deps.vault.open_all(resident, events).await?;
    let Some(told) = vectors.files.get(&format!("{archive}.events.ndjson")) else {
        anyhow::ensure!(opened.iter().all(Option::is_some), "every key of the long archive is there");
        return Ok(());
    };
    let told = std::str::from_utf8(told)?.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    for (opened, told) in opened.into_iter().zip(&told) {
        let data = opened.map_or(Ok(Value::Null), |plaintext| serde_json::from_slice(&plaintext))?;
        assert_eq!((&data, data.is_null()), (&told["data"], told["is_erased"] == true));
    }
    Ok(())
}

/// What the replicator writes of the events, generation by generation, at the times of the vectors.
async fn written(
    (test, vectors): (&TestRegion, &Vectors),
    deps: &ReplicatorDeps,
    resident: &Resident,
    objects: &Files,
) -> anyhow::Result<Files> {
    let prefix = layout::tenant_prefix(resident.tenant_id());
    for (key, bytes) in objects.iter().filter(|(key, _)| key.starts_with(layout::ATTACHMENTS)) {
        deps.bucket.put_new(&format!("{prefix}{key}"), bytes.clone().into()).await?;
    }
    for (_, manifest) in objects.iter().filter(|(key, _)| key.starts_with(layout::MANIFESTS)) {
        let manifest = Manifest::claimed(manifest)?;
        signing_keys(test, vectors, &manifest)?;
        test.clock.advance(test.clock.now().duration_until(manifest.created_at));
        archive_tenant(deps, resident, Some(Position::new(manifest.size as i64))).await?;
    }
    let mut written = Files::new();
    for listed in deps.bucket.list(&prefix).await? {
        let object = deps.bucket.get(&listed.key).await?.context("it was listed")?;
        written.insert(listed.key.replacen(&prefix, "", 1), object.body.to_vec());
    }
    Ok(written)
}

/// The folder of the signing keys as it was when a manifest was signed.
fn signing_keys(test: &TestRegion, vectors: &Vectors, manifest: &Manifest) -> anyhow::Result<()> {
    let folder = test.folder.path().join(SIGNING);
    fs::create_dir_all(folder.join("successions"))?;
    for number in 0..vectors::SIGNING_KEYS {
        key_file(test, vectors, &vectors::signing_key(number), &format!("{SIGNING}/signing.key"))?;
        if number > 0 {
            let statement = layout::succession(number.into());
            fs::write(folder.join(&statement), &archive_of(&vectors.files, "rotated")[&statement])?;
        }
        let key = SigningKey::load(&folder.join("signing.key"))?.public_key();
        if manifest.verifier.parse::<Verifier>()?.public_key() == &key {
            return Ok(());
        }
    }
    anyhow::bail!("no key of the vectors has signed the manifest")
}

/// The exports hold the same keys, wrapped as they were.
async fn same_exports(test: &TestRegion, vectors: &Vectors, archive: &str) -> anyhow::Result<()> {
    for (name, export) in exports(vectors, archive)? {
        let key = format!("keys/{}/{name}", tenant_id(archive));
        let object = test.bucket().await?.get(&key).await?.context("the replicator exports keys")?;
        assert_eq!(serde_json::from_slice::<Value>(&object.body)?, export, "{key}");
    }
    Ok(())
}

#[tokio::test]
async fn the_second_reader_prints_the_vectors_and_their_file() -> anyhow::Result<()> {
    let Some(python) = Reader::second("the_second_reader_prints_the_vectors_and_their_file").await? else {
        return Ok(());
    };
    let vectors = checked_in()?;
    let (folder, out) = (laid_out(&vectors.files)?, laid_out(&Files::new())?);
    let printed = print(&python, folder.path(), &["--files", text(out.path())?]).await?.expect(0)?;
    assert_eq!(printed.stdout.as_bytes(), vectors.files["short.events.ndjson"]);
    let file = fs::read(out.path().join("attachment-21"))?;
    assert!(file.starts_with(b"%PDF-1.4") && file.len() == 52, "{file:?}");

    // Another place: the key of one event under the id of another.
    let export = format!("bucket/keys/{}/00000001.json", tenant_id("short"));
    let mut moved: Value = serde_json::from_slice(&vectors.files[&export])?;
    let first = moved["data_keys"][0]["wrapped"].clone();
    moved["data_keys"][1]["wrapped"] = first;
    fs::write(folder.path().join(export), moved.to_string())?;
    let refused = print(&python, folder.path(), &[]).await?.expect(1)?;
    assert!(refused.stderr.contains("does not open: it was changed or moved"), "{refused:?}");
    Ok(())
}

async fn print(python: &Reader, folder: &Path, more: &[&str]) -> anyhow::Result<Ran> {
    let tenant = tenant_id("short");
    let paths = [format!("bucket/tenants/{tenant}"), format!("bucket/keys/{tenant}"), "region-key.json".into()];
    let paths = paths.map(|path| folder.join(path));
    let [archive, keys, region_key] = [&paths[0], &paths[1], &paths[2]];
    let print = ["print", text(archive)?, "--format", "json", "--keys", text(keys)?, "--region-key", text(region_key)?];
    python.run(&[&print, more].concat()).await
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path of this test")
}
