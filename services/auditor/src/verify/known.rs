//! What is known of the archive from elsewhere: trees that it had.

use archive::{BackupManifest, checkpoint, layout, merkle::proof::Tree};

use super::{Options, identity::Identity};
use crate::report::{HeldAgainst, Report, Wrong};

const OLDER: &str = "the older checkpoint";
const BACKUP: &str = "the backup's manifest";

/// A tree that the archive must hold as its beginning.
pub(super) struct KnownTree {
    pub(super) tree: Tree,
    /// Where it is known from.
    pub(super) told_by: String,
}

/// The trees that the options tell of. One whose witness cannot be trusted is a finding.
pub(super) fn known_trees(options: &Options, identity: &Identity, report: &mut Report) -> Vec<KnownTree> {
    let mut known = Vec::new();
    known.extend(options.expected.map(|tree| KnownTree { tree, told_by: layout::EVENTS.to_owned() }));
    let kept = options.older.as_deref().map(|note| (OLDER, older(note, identity).map(|tree| (tree, OLDER.to_owned()))));
    let backup = options.backup.as_deref().map(|bytes| (BACKUP, of_backup(bytes, identity)));
    for (told_by, tree) in kept.into_iter().chain(backup) {
        match tree {
            Ok((tree, what)) => {
                report.held_against.push(HeldAgainst { what, size: tree.size, root: tree.root });
                known.push(KnownTree { tree, told_by: told_by.to_owned() });
            }
            Err(wrong) => report.add(None, told_by, wrong),
        }
    }
    for (told_by, note) in &options.refused {
        match older(note, identity) {
            Ok(tree) => known.push(KnownTree { tree, told_by: told_by.clone() }),
            // Nobody but the log can speak against it.
            Err(wrong) => report.notes.push(format!("{told_by}, and that is not the log's: {wrong}")),
        }
    }
    known
}

fn older(note: &str, identity: &Identity) -> Result<Tree, Wrong> {
    let signed = identity.keys.checkpoint(&identity.origin, note);
    let (head, _) = signed.map_err(|error| Wrong::Signature(error.to_string()))?;
    if head.origin != identity.origin {
        return Err(Wrong::Belongs("log"));
    }
    Ok(Tree { size: head.size, root: head.root })
}

/// The tree that the tenant had in a backup, and which backup that is.
fn of_backup(bytes: &[u8], identity: &Identity) -> Result<(Tree, String), Wrong> {
    let region_name = checkpoint::region_name(&identity.region);
    let mut opened = identity.keys.verifiers(&region_name).map(|key| BackupManifest::open(bytes, &key));
    let backup = opened.find(Result::is_ok).and_then(Result::ok);
    let backup = backup.ok_or_else(|| Wrong::Signature("no key of the region has signed it".to_owned()))?;
    let tenant = backup.tenants.iter().find(|tenant| tenant.tenant_id == identity.tenant_id);
    let tenant = tenant.ok_or(Wrong::Belongs("tenant"))?;
    let what = format!("the manifest of backup {} of {}", backup.backup_id.escape_debug(), backup.cut_at);
    Ok((Tree { size: tenant.size, root: tenant.root }, what))
}
