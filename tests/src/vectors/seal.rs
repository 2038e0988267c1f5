//! Keys and seals that are the same in every run.

use archive::{Signer, Succession, Verifier};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use schemas::{Hash, TenantId};
use serde::Serialize;

/// The region of all vectors.
pub(super) const REGION: &str = "eu";
/// When every key was made.
const MADE_AT: &str = "2026-11-22T09:00:00Z";
const REGION_KEY_ID: &str = "018f0000-0001-7000-8000-000000000001";
/// But for its last digit.
const SIGNING_KEY_ID: &str = "018f0000-0001-7000-8000-00000000000";

/// 32 bytes that follow from a name. Whoever can read this file knows them, so they protect nothing.
fn secret(of: &str) -> [u8; 32] {
    *Hash::of(&[b"domicile archive vectors: ", of.as_bytes()]).as_bytes()
}

/// Seals as the vault does, but for the nonce: one place is sealed once under a key, so the place gives the nonce.
fn seal(key: &[u8; 32], place: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    nonce.copy_from_slice(&Hash::of(&[b"nonce", key, place]).as_bytes()[..NONCE_LEN]);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key"));
    let mut sealed = plaintext.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
        .expect("a payload is short");
    [nonce.as_slice(), &sealed].concat()
}

fn signing_pair(seed: &str) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&secret(seed)).expect("a seed has 32 bytes")
}

/// Whose key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The region's, by its number: 0 is the first.
    Region(u8),
    /// A stranger's, likewise.
    Stranger(u8),
    /// Another region's, which cosigns.
    Witness,
}

impl Who {
    fn seed(self) -> String {
        match self {
            Self::Region(0) => "signing key".to_owned(),
            Self::Region(number) => format!("signing key, successor {number}"),
            Self::Witness => "another region's key".to_owned(),
            Self::Stranger(0) => "a stranger's key".to_owned(),
            Self::Stranger(number) => format!("a stranger's key, successor {number}"),
        }
    }
}

/// Signs under a name with the region's first key, or with a stranger's.
pub(super) fn signer(name: &str, is_stranger: bool) -> Signer {
    signer_of(name, if is_stranger { Who::Stranger(0) } else { Who::Region(0) })
}

/// Signs under a name.
pub(super) fn signer_of(name: &str, who: Who) -> Signer {
    let pair = signing_pair(&who.seed());
    let public_key = pair.public_key().as_ref().try_into().expect("a key has 32 bytes");
    Signer::new(name, public_key, move |message| pair.sign(message).as_ref().try_into().expect("64 bytes"))
}

/// A public key of the region, by its number, under the region's name.
pub(super) fn verifier(number: u8) -> Verifier {
    signer_of(&region_name(), Who::Region(number)).verifier().clone()
}

/// The name under which another region cosigns.
pub(super) const WITNESS: &str = "domicile/us";

/// The public key of the region that cosigns.
pub(super) fn witness() -> Verifier {
    signer_of(WITNESS, Who::Witness).verifier().clone()
}

fn region_name() -> String {
    format!("domicile/{REGION}")
}

/// The statement that one key follows another.
pub(super) fn succession(number: u64, old: Who, new: Who) -> Vec<u8> {
    let keys = (&signer_of(&region_name(), old), &signer_of(&region_name(), new));
    Succession::sign(number, keys, MADE_AT.parse().expect("a time")).into_bytes()
}

/// The region key's file.
pub(super) fn region_key_file() -> Vec<u8> {
    key_file("domicile region key, AES-256", REGION_KEY_ID, "region key")
}

/// The file of a signing key, by the key's number.
pub(super) fn signing_key_file(number: u8) -> Vec<u8> {
    let id = format!("{SIGNING_KEY_ID}{}", number + 2);
    key_file("domicile signing key, Ed25519", &id, &Who::Region(number).seed())
}

fn key_file(kind: &'static str, id: &str, of: &str) -> Vec<u8> {
    let file = KeyFile { kind, id, secret: STANDARD.encode(secret(of)) };
    let mut text = serde_json::to_vec_pretty(&file).expect("strings have a JSON form");
    text.push(b'\n');
    text
}

#[derive(Serialize)]
struct KeyFile<'id> {
    kind: &'static str,
    id: &'id str,
    secret: String,
}

/// A data key of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DataKey {
    pub(super) tenant_id: TenantId,
    pub(super) scope: String,
}

impl DataKey {
    /// Its id: one per tenant and scope.
    pub(super) fn id(&self) -> String {
        let hash = Hash::of(&[self.place("").as_bytes()]).to_string();
        format!("018f0000-0002-7000-8000-{}", &hash[..12])
    }

    pub(super) fn seal(&self, associated_data: &[u8], plaintext: &[u8]) -> Vec<u8> {
        seal(&secret(&self.place("")), associated_data, plaintext)
    }

    /// What the wrapped key is bound to.
    fn place(&self, id: &str) -> String {
        format!("domicile data key {id} of tenant {} for {}", self.tenant_id, self.scope)
    }

    fn row(&self) -> DataKeyRow {
        let tenant_key = secret(&tenant_key_place(self.tenant_id));
        let wrapped = seal(&tenant_key, self.place(&self.id()).as_bytes(), &secret(&self.place("")));
        let wrapped = STANDARD.encode(wrapped);
        DataKeyRow { created_at: MADE_AT, key_id: self.id(), scope: self.scope.clone(), wrapped }
    }
}

fn tenant_key_place(tenant_id: TenantId) -> String {
    format!("domicile tenant key of {tenant_id} under {REGION_KEY_ID}")
}

/// A key export, in the order of fields in which the vault writes it.
#[derive(Serialize)]
struct Export {
    data_keys: Vec<DataKeyRow>,
    head: String,
    tenant_id: TenantId,
    tenant_key: TenantKeyRow,
}

#[derive(Serialize)]
struct DataKeyRow {
    created_at: &'static str,
    key_id: String,
    scope: String,
    wrapped: String,
}

#[derive(Serialize)]
struct TenantKeyRow {
    region_key_id: &'static str,
    wrapped: String,
}

/// The export of some keys of a tenant.
pub(super) fn export(tenant_id: TenantId, keys: impl Iterator<Item = DataKey>, head: String) -> Vec<u8> {
    let place = tenant_key_place(tenant_id);
    let wrapped = STANDARD.encode(seal(&secret("region key"), place.as_bytes(), &secret(&place)));
    let mut data_keys: Vec<_> = keys.map(|key| key.row()).collect();
    data_keys.sort_by(|one, other| one.key_id.cmp(&other.key_id));
    data_keys.dedup_by(|one, other| one.key_id == other.key_id);
    let tenant_key = TenantKeyRow { region_key_id: REGION_KEY_ID, wrapped };
    serde_json::to_vec(&Export { data_keys, head, tenant_id, tenant_key }).expect("an export has a JSON form")
}
