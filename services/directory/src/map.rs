//! The signed map: everything a router needs, in one document that can be kept on disk and trusted there.
//!
//! ```text
//! {"payload":{"version":7,"regions":{"eu":"..."},"names":{"acme":{...}}},"signature":"<base64>"}
//! ```
//!
//! The signature (Ed25519) is over a fixed prefix and the very bytes of the payload, so nobody has to agree on a canonical
//! form of JSON.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemas::{Epoch, Hash, Position, RegionId, Slug, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use vault::SigningKey;

/// Keeps a signature over a map from ever being one over something else.
const SIGNED_PREFIX: &[u8] = b"domicile directory map, version 1\n";

/// Which name leads where. Every field is of data class `routing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// The position of the directory's log this was folded up to. A map never replaces one with a higher version.
    pub version: Position,
    /// Each region's public key, as a verifier of signed notes.
    pub regions: BTreeMap<RegionId, String>,
    /// How each region came to its key: the signed statements of all successions, in order. Regions without any are left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub successions: BTreeMap<RegionId, Vec<String>>,
    /// The names that are held.
    pub names: BTreeMap<Slug, Entry>,
}

/// What regions sign with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegionKeys {
    /// Each region with its public key, as a verifier of signed notes.
    pub verifiers: BTreeMap<RegionId, String>,
    /// Each region whose key was replaced, with the statements that led to it, in order.
    pub successions: BTreeMap<RegionId, Vec<String>>,
}

/// Who holds a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Where it is at home.
    pub region: RegionId,
    /// Since which move.
    pub epoch: Epoch,
    /// Whether people may be sent there.
    pub state: NameState,
}

/// Where a name is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameState {
    /// Somebody is signing up. Not routed.
    Claimed,
    /// The tenant exists. Routed.
    Confirmed,
}

impl NameState {
    /// The word of the map.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Confirmed => "confirmed",
        }
    }
}

/// A map that cannot be trusted, or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the outer shape.
    #[error("the map is no JSON object with payload and signature")]
    Shape(#[source] serde_json::Error),
    /// The signature is not the directory's, or the payload was changed.
    #[error("the signature does not fit the payload and the directory's key")]
    Signature,
    /// Signed, but of a shape this program does not read.
    #[error("the signed payload does not have the shape of a map")]
    Payload(#[source] serde_json::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed<'a> {
    #[serde(borrow)]
    payload: &'a RawValue,
    signature: &'a str,
}

impl Map {
    /// The signed document.
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        let payload = serde_json::value::to_raw_value(self).expect("a map always has a JSON form");
        let signature = STANDARD.encode(key.sign(&signed_bytes(&payload)));
        let signed = Signed { payload: &payload, signature: &signature };
        serde_json::to_vec(&signed).expect("a signed map always has a JSON form")
    }
}

/// Reads a signed map, if it is signed by the directory whose public key this is.
pub fn verify(bytes: &[u8], public_key: &[u8; 32]) -> Result<Map, Error> {
    let signed: Signed<'_> = serde_json::from_slice(bytes).map_err(Error::Shape)?;
    let signature = STANDARD.decode(signed.signature).map_err(|_| Error::Signature)?;
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(&signed_bytes(signed.payload), &signature)
        .map_err(|_| Error::Signature)?;
    // Only now is the payload looked at: bytes nobody signed are not worth a parser.
    serde_json::from_str(signed.payload.get()).map_err(Error::Payload)
}

/// The entity tag of these very bytes, quotes included (RFC 9110, section 8.8.3).
pub fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", Hash::of(&[bytes]))
}

fn signed_bytes(payload: &RawValue) -> Vec<u8> {
    [SIGNED_PREFIX, payload.get().as_bytes()].concat()
}
