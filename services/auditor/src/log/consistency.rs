//! That an older tree head is the beginning of the published one: nothing that it covered was changed or taken away.

use archive::{
    Checkpoint,
    merkle::proof::{Tree, consistency_holds, consistency_path},
};
use schemas::Hash;

use super::{Error, Log};

/// How an older tree head stands to the published one. Both are signed by the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consistency {
    /// It is the beginning, which these hashes prove (RFC 6962, section 2.1.2).
    Beginning(Vec<Hash>),
    /// It is of another history: this is the root that the published one has over as many events.
    Fork(Hash),
    /// It covers more events than the published one: the log has lost its end.
    Shorter,
}

impl Log<'_> {
    /// Reads an older tree head of this log.
    ///
    /// # Errors
    /// If it is of another log, or signed by none of its keys.
    pub fn older(&self, note: &str) -> Result<Checkpoint, Error> {
        let (old, _) = self.keys.checkpoint(&self.head.origin, note).map_err(Error::OldHead)?;
        Ok(old)
    }

    /// The proof that the tree of `old_size` leaves is the beginning of the published one's (RFC 6962, section 2.1.2).
    ///
    /// # Errors
    /// If the tiles cannot be read.
    ///
    /// # Panics
    /// If `old_size` is beyond the published head.
    pub async fn growth(&self, old_size: u64) -> Result<Vec<Hash>, Error> {
        self.hashes(&consistency_path(old_size, self.head.size)).await
    }

    /// The proof that one older tree head of this log follows on another. Nothing if it does not, or if this log, as far as it is
    /// published, cannot tell.
    ///
    /// # Errors
    /// If the tiles cannot be read.
    pub async fn growth_between(&self, old: &Checkpoint, new: &Checkpoint) -> Result<Option<Vec<Hash>>, Error> {
        if old.size > new.size || new.size > self.head.size {
            return Ok(None);
        }
        let proof = self.hashes(&consistency_path(old.size, new.size)).await?;
        Ok(consistency_holds(&tree(old), &tree(new), &proof).then_some(proof))
    }

    /// Compares an older tree head with the published one.
    ///
    /// # Errors
    /// If what lies in the archive does not make the published root: then nothing can be said.
    pub async fn consistency(&self, old: &Checkpoint) -> Result<Consistency, Error> {
        if old.size > self.head.size {
            return Ok(Consistency::Shorter);
        }
        let (old, new) = (tree(old), tree(&self.head));
        let proof = self.hashes(&consistency_path(old.size, new.size)).await?;
        if consistency_holds(&old, &new, &proof) {
            return Ok(Consistency::Beginning(proof));
        }
        let here = self.hashes(std::slice::from_ref(&(0..old.size))).await?[0];
        // Where the same hashes lead from the tiles' own root to the signed one, it is the older head that does not belong.
        let is_signed = consistency_holds(&Tree { root: here, ..old }, &new, &proof);
        if is_signed { Ok(Consistency::Fork(here)) } else { Err(Error::TreeDiffers) }
    }
}

fn tree(head: &Checkpoint) -> Tree {
    Tree { size: head.size, root: head.root }
}
