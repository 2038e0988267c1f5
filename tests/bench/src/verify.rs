//! Verifying an archive, against decompressing and hashing the same segments: `zstd -dc | sha256sum`.

use std::{fs, path::Path, process::Command, time::Instant};

use archive::{Generation, Signer, checkpoint::origin, generation::Step, guide, layout, tile::Tail};
use auditor::{Folder, Options};
use runtime::Ids;
use schemas::{Hash, Recorded};
use vault::SigningKey;

use crate::{
    ground::Ground,
    report::{Figure, ROUNDS, Report},
};

const EVENTS_PER_GENERATION: usize = 10_000;

pub(crate) async fn measure(ground: &Ground, events: &[Recorded], report: &mut Report) -> anyhow::Result<()> {
    let folder = ground.folder.path().join("archive");
    write(ground, events, &folder)?;
    let (options, source) = (Options::default(), Folder::new(&folder));
    let segments = folder.join(layout::EVENTS);
    let bytes: u64 =
        fs::read_dir(&segments)?.map(|entry| Ok(entry?.metadata()?.len())).sum::<std::io::Result<u64>>()?;
    let mut pairs = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let found = auditor::verify(&source, &options, &mut |_| {}).await?;
        anyhow::ensure!(found.is_clean(), "the archive of the benchmark verifies: {:?}", found.findings);
        let ours = bytes as f64 / 1e6 / begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        let peer = Command::new("sh").args(["-c", "zstd -dcq *.zst | sha256sum"]).current_dir(&segments).output()?;
        anyhow::ensure!(peer.status.success(), "zstd and sha256sum run: {}", String::from_utf8_lossy(&peer.stderr));
        pairs.push((ours, bytes as f64 / 1e6 / begun.elapsed().as_secs_f64()));
    }
    let figure = Figure { name: "verify", unit: "MB/s of segments", reach: 0.5, is_less_better: false };
    report.add(figure, &pairs);
    Ok(())
}

fn write(ground: &Ground, events: &[Recorded], folder: &Path) -> anyhow::Result<()> {
    let tenant_id = events.first().ok_or_else(|| anyhow::anyhow!("there are events"))?.sealed.envelope.tenant_id;
    let ids: &dyn Ids = ground.ids.as_ref();
    let key = SigningKey::load_or_create(&ground.folder.path().join("signing.key"), ids)?;
    let region = ground.region.id.clone();
    let (public_key, name) = (key.public_key(), origin(&region, tenant_id));
    let signer = Signer::new(name, public_key, move |bytes| key.sign(bytes));
    put(folder, layout::GUIDE, guide::text(signer.verifier()).as_bytes())?;
    let (mut tail, mut previous_sha256) = (Tail::default(), None);
    for (number, events) in events.chunks(EVENTS_PER_GENERATION).enumerate() {
        let generation = number as u64 + 1;
        let (region, sealed_at) = (region.clone(), ground.clock.now());
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

fn put(folder: &Path, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(key);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, bytes)?)
}
