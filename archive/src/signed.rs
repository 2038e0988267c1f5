//! Signed JSON: a body, and a note's signature line over its exact bytes and a newline.
//!
//! ```text
//! {"body":{…},"signature":"— <key name> <base64>"}
//! ```
//!
//! The body is compact JSON, so `jq -c .body` prints exactly the text that was signed. Around it there is one spelling, newline
//! included: the same signature must not be good for two objects.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::note::{self, Signer, Verifier};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'bytes> {
    #[serde(borrow)]
    body: &'bytes RawValue,
    signature: String,
}

/// Gives the type of a body its signed JSON.
macro_rules! signed_json {
    ($body:ty) => {
        impl $body {
            /// The object: the body, signed.
            pub fn sign(&self, signer: &$crate::Signer) -> Vec<u8> {
                $crate::signed::sign(self, signer)
            }

            /// Reads a body that `verifier` has signed.
            pub fn open(bytes: &[u8], verifier: &$crate::Verifier) -> Result<Self, $crate::SignedError> {
                $crate::signed::open(bytes, verifier)
            }

            /// Reads what a body claims, unchecked.
            pub fn claimed(bytes: &[u8]) -> Result<Self, $crate::SignedError> {
                $crate::signed::claimed(bytes)
            }
        }
    };
}
pub(crate) use signed_json;

/// Signs a body.
pub(crate) fn sign<T: Serialize>(body: &T, signer: &Signer) -> Vec<u8> {
    let body = serde_json::value::to_raw_value(body).expect("a manifest always has a JSON form");
    let signature = signer.line(&signed_text(&body));
    spelled(&File { body: &body, signature })
}

fn spelled(file: &File<'_>) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(file).expect("a string and JSON are JSON");
    bytes.push(b'\n');
    bytes
}

/// Reads a body that `verifier` has signed.
pub(crate) fn open<T: DeserializeOwned>(bytes: &[u8], verifier: &Verifier) -> Result<T, SignedError> {
    let file: File<'_> = serde_json::from_slice(bytes).map_err(SignedError::Json)?;
    if spelled(&file) != bytes {
        return Err(SignedError::Spelling);
    }
    note::check_lines(&signed_text(file.body), file.signature.lines(), verifier).map_err(SignedError::Signature)?;
    serde_json::from_str(file.body.get()).map_err(SignedError::Json)
}

/// Reads what a body claims, unchecked.
pub(crate) fn claimed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SignedError> {
    let file: File<'_> = serde_json::from_slice(bytes).map_err(SignedError::Json)?;
    serde_json::from_str(file.body.get()).map_err(SignedError::Json)
}

fn signed_text(body: &RawValue) -> String {
    format!("{}\n", body.get())
}

/// Signed JSON that cannot be trusted or read.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    /// It is not of the shape.
    #[error("not of the shape")]
    Json(#[source] serde_json::Error),
    /// Body and signature stand in it in another way than they are written.
    #[error("spelled in another way than it is written")]
    Spelling,
    /// The signature is missing, of another key, or wrong.
    #[error("the signature cannot be trusted")]
    Signature(#[source] note::Error),
}
