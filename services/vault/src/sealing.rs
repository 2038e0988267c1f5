//! Seal and open: AES-256-GCM with a nonce drawn by the library, and the place of the thing as associated data.

use std::{fmt, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use schemas::{Envelope, KeyId, Sealed, TenantLogEvent};
use zeroize::Zeroizing;

/// What was opened; wiped when dropped.
pub type Plaintext = Zeroizing<Vec<u8>>;

/// An unwrapped AES-256 key. The library wipes its memory when the last holder drops it.
pub(crate) struct SealingKey(RandomizedNonceKey);

/// An unwrapped data key. Cheap to clone.
#[derive(Clone)]
pub struct DataKey {
    id: KeyId,
    key: Arc<SealingKey>,
}

impl SealingKey {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, secret).expect("32 bytes are an AES-256 key"))
    }

    /// Nonce, ciphertext and tag, in one allocation.
    pub(crate) fn seal(&self, associated_data: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(NONCE_LEN + plaintext.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plaintext);
        let (nonce, tag) = self
            .0
            .seal_in_place_separate_tag(Aad::from(associated_data), &mut sealed[NONCE_LEN..])
            .expect("a payload is far below the 64 GiB that one AES-GCM message may hold");
        sealed[..NONCE_LEN].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// The plaintext, or `None` if key, associated data or ciphertext are not the ones of the seal.
    pub(crate) fn open(&self, associated_data: &[u8], sealed: &[u8]) -> Option<Plaintext> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(associated_data), &mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}

impl DataKey {
    pub(crate) fn new(id: KeyId, secret: &[u8; 32]) -> Self {
        Self { id, key: Arc::new(SealingKey::new(secret)) }
    }

    /// Its id, which the envelope of what it seals must carry.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Seals: a 12-byte random nonce, then the ciphertext, then its 16-byte tag.
    pub fn seal(&self, associated_data: &[u8], plaintext: &[u8]) -> Vec<u8> {
        self.key.seal(associated_data, plaintext)
    }

    /// The plaintext, or `None` if it was not sealed by this key under this associated data.
    pub(crate) fn open(&self, associated_data: &[u8], sealed: &[u8]) -> Option<Plaintext> {
        self.key.open(associated_data, sealed)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DataKey({})", self.id)
    }
}

/// Seals an event's payload under its envelope.
///
/// # Panics
/// If the envelope names another key: nobody could ever open the payload.
pub fn seal_event(key: &DataKey, envelope: Envelope, event: &TenantLogEvent) -> Sealed {
    assert_eq!(envelope.key_id, key.id(), "an envelope names the key its payload is sealed under");
    let plaintext = Zeroizing::new(event.encode());
    let payload = key.seal(&envelope.associated_data(), &plaintext);
    Sealed::new(envelope, payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let key = SealingKey::new(&[7; 32]);
        let sealed = key.seal(b"here", b"hello");
        assert_eq!(sealed.len(), 12 + 5 + 16);
        assert_eq!(key.open(b"here", &sealed).as_deref().map(Vec::as_slice), Some(&b"hello"[..]));
        assert!(key.open(b"there", &sealed).is_none());
        assert!(SealingKey::new(&[8; 32]).open(b"here", &sealed).is_none());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let key = SealingKey::new(&[7; 32]);
        let sealed = key.seal(b"here", b"hello");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(b"here", &changed).is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(b"here", &sealed[..length]).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn equal_plaintexts_never_seal_to_equal_ciphertexts() {
        let key = SealingKey::new(&[7; 32]);
        assert_ne!(key.seal(b"", b"hello"), key.seal(b"", b"hello"));
    }
}
