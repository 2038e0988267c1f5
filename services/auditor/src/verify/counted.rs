//! Counts what is read.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::source::{Error, Source};

/// A source that counts the objects and bytes it gave.
pub(super) struct Counted<'source> {
    source: &'source dyn Source,
    objects: AtomicU64,
    bytes: AtomicU64,
}

impl<'source> Counted<'source> {
    pub(super) fn new(source: &'source dyn Source) -> Self {
        Self { source, objects: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        let object = self.source.get(key).await?;
        if let Some(bytes) = &object {
            self.count(bytes);
        }
        Ok(object)
    }

    /// Counts an object that was read already.
    pub(super) fn count(&self, object: &Bytes) {
        self.objects.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(object.len() as u64, Ordering::Relaxed);
    }

    /// An object that is not counted: it will be read again.
    pub(super) async fn peek(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.source.get(key).await
    }

    pub(super) async fn list(&self) -> Result<Vec<String>, Error> {
        self.source.list().await
    }

    pub(super) fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
