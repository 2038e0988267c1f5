//! `domicile audit export`: a tenant's archive as a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use archive::{Manifest, layout};
use auditor::Source;
use clap::Args;

use super::archive::objects;
use crate::{
    cli::{Place, TenantOption},
    deployment::Deployment,
    exit::{Failure, Outcome},
    progress::Progress,
};

/// `domicile audit export`.
#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tenant: TenantOption,
    /// The folder to write; made when missing.
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
}

pub(super) async fn run(place: &Place, options: &Export) -> Outcome {
    let deployment = Deployment::open(place)?;
    let source = objects(&deployment, &options.tenant.region, &options.tenant.tenant).await?.source;
    // The checkpoint is taken from the newest manifest that is copied: the published one may have moved on meanwhile.
    let keys: Vec<String> = source.list().await?.into_iter().filter(|key| key != layout::CHECKPOINT).collect();
    let newest = keys.iter().filter_map(|key| Some((layout::manifest_generation(key)?, key))).max();
    let progress = Progress::new("export, objects", keys.len() as u64);
    for key in &keys {
        let object = source.get(key).await?.ok_or_else(|| anyhow::anyhow!("{key} went away while it was copied"))?;
        if newest.is_some_and(|(_, newest)| newest == key) {
            write(&options.to, layout::CHECKPOINT, Manifest::claimed(&object)?.checkpoint.as_bytes())?;
        }
        write(&options.to, key, &object)?;
        progress.advance(1);
    }
    progress.finish();
    let folder = options.to.display();
    println!("{} objects in {folder}; check them with: domicile audit verify --from {folder}", keys.len());
    Ok(())
}

/// Writes a copy. Keys come from the bucket: none may lead out of the folder.
fn write(folder: &Path, key: &str, bytes: &[u8]) -> Outcome {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if !key.split('/').all(is_plain) {
        return Err(Failure::check(format!("the archive holds an object whose key leads out of its folder: {key:?}")));
    }
    let path = folder.join(key);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, bytes));
    written.map_err(|error| Failure::usage(format!("--to: {} cannot be written: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_key_that_leads_out_of_the_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("copy");
        for key in ["/etc/passwd", "../escaped", "events/../../escaped", "events//x", "./x", ""] {
            assert_eq!(write(&target, key, b"x").expect_err(key).exit(), Exit::CheckFailed);
        }
        write(&target, "events/x", b"x").expect("a plain key");
        assert!(!folder.path().join("escaped").exists());
    }
}
