//! Verifying an archive, against decompressing and hashing the same segments: `zstd -dc | sha256sum`.

use std::{fs, path::Path, process::Command, time::Instant};

use archive::{Generation, Signer, checkpoint::origin, generation::Step, guide, layout, tile::Tail};
use auditor::{Folder, Options};
use schemas::{Hash, Position, Recorded};
use vault::SigningKey;

use super::Bench;
use crate::{
    ground::Store,
    history,
    report::{Figure, Reach},
    turns::turns,
};

const EVENTS_PER_GENERATION: usize = 10_000;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    if Command::new("zstd").arg("--version").output().is_err() {
        bench.report.leave_out("verify", "zstd is not installed");
        return Ok(());
    }
    let store = bench.ground.store().await?;
    let resident = store.tenant().await?;
    history::write(&store, &resident, 1, bench.pace.tickets).await?;
    let mut connection = store.owner(1).await?.acquire().await?;
    let events = eventlog::read_log(&mut connection, &resident, Position::ZERO, i64::MAX).await?;
    drop(connection);
    let folder = bench.ground.folder().join("archive");
    write(&store, &events, &folder)?;
    let segments = folder.join(layout::EVENTS);
    let bytes = size(&segments)?;
    let rate = |begun: Instant| bytes as f64 / 1e6 / begun.elapsed().as_secs_f64();
    let ours = async || {
        let begun = Instant::now();
        let found = auditor::verify(&Folder::new(&folder), &Options::default(), &mut |_| {}).await?;
        anyhow::ensure!(found.is_clean(), "the archive of the benchmark verifies: {:?}", found.findings);
        Ok(rate(begun))
    };
    let against = async || {
        let begun = Instant::now();
        let peer = Command::new("sh").args(["-c", "zstd -dcq *.zst | sha256sum"]).current_dir(&segments).output()?;
        anyhow::ensure!(peer.status.success(), "zstd and sha256sum run: {}", String::from_utf8_lossy(&peer.stderr));
        Ok(rate(begun))
    };
    let pairs = turns(bench.pace.rounds, ours, against).await?;
    let (name, against, unit) = ("verify", "zstd -dc | sha256sum", "MB/s of segments");
    bench.report.add(Figure { name, against, unit, reach: Reach::AtLeast(0.5) }, &pairs);
    store.end(&bench.ground).await
}

fn size(folder: &Path) -> std::io::Result<u64> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

fn write(store: &Store, events: &[Recorded], folder: &Path) -> anyhow::Result<()> {
    let tenant_id = events.first().ok_or_else(|| anyhow::anyhow!("there are events"))?.sealed.envelope.tenant_id;
    let region = store.region.id.clone();
    let signer = signer(store, folder, origin(&region, tenant_id))?;
    put(folder, layout::GUIDE, guide::text(signer.verifier()).as_bytes())?;
    let (mut tail, mut previous_sha256) = (Tail::default(), None);
    for (number, events) in events.chunks(EVENTS_PER_GENERATION).enumerate() {
        let generation = number as u64 + 1;
        let (region, sealed_at) = (region.clone(), store.clock.now());
        let step = Step { tenant_id, region, generation, previous_sha256, tail, sealed_at };
        let step = Generation::build(step, events, &signer)?;
        let next = step.tail.clone();
        let objects = [&step.segment, &step.checkpoint]
            .into_iter()
            .chain(&step.audit)
            .chain(step.schemas.values())
            .chain(&step.tree);
        for object in objects {
            put(folder, &object.key, &object.bytes)?;
        }
        let manifest = step.manifest(Vec::new(), &signer);
        put(folder, &manifest.key, &manifest.bytes)?;
        previous_sha256 = Some(Hash::of(&[&manifest.bytes]));
        tail = next;
    }
    Ok(())
}

fn signer(store: &Store, folder: &Path, name: String) -> anyhow::Result<Signer> {
    let key = SigningKey::load_or_create(&folder.with_extension("key"), store.ids.as_ref())?;
    Ok(Signer::new(name, key.public_key(), move |bytes| key.sign(bytes)))
}

fn put(folder: &Path, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(key);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, bytes)?)
}
