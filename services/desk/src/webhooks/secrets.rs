//! What a webhook proves itself with: sealed within the event that is sealed, so that histories, read models and whoever opens them do
//! not have it; under a key of the webhook's own, which is destroyed with it.

use base64::{Engine, engine::general_purpose::STANDARD};
use regions::Resident;
use schemas::{WebhookId, webhook::SealedSecrets};
use serde::{Deserialize, Serialize};
use vault::Scope;
use zeroize::{Zeroize, Zeroizing};

use crate::state::Desk;

/// The secrets of a webhook, in the clear.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// What its signatures are made with.
    pub(crate) signing: String,
    /// Its password, token or key.
    pub(crate) credential: Option<String>,
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.signing.zeroize();
        self.credential.zeroize();
    }
}

/// A new secret to sign with.
pub(crate) fn new_signing_secret(desk: &Desk) -> String {
    STANDARD.encode(*Zeroizing::new(desk.ids.secret()))
}

/// Seals them for one webhook.
pub(crate) async fn seal(
    desk: &Desk,
    resident: &Resident,
    (webhook, secrets): (WebhookId, &Secrets),
) -> Result<SealedSecrets, vault::Error> {
    let mut keys = desk.vault.data_keys(resident, &[Scope::Webhook(webhook)]).await?;
    let key = keys.remove(0);
    let plaintext = Zeroizing::new(serde_json::to_vec(secrets).expect("texts are JSON"));
    let sealed = key.seal(&place(resident, webhook), &plaintext);
    Ok(SealedSecrets { key_id: key.id(), sealed: STANDARD.encode(sealed) })
}

/// Opens them. None: their key was destroyed, or they are none.
pub(crate) async fn open(
    desk: &Desk,
    resident: &Resident,
    (webhook, sealed): (WebhookId, &SealedSecrets),
) -> Result<Option<Secrets>, vault::Error> {
    let Ok(bytes) = STANDARD.decode(&sealed.sealed) else { return Ok(None) };
    let plaintext = desk.vault.open(resident, sealed.key_id, &place(resident, webhook), &bytes).await?;
    Ok(plaintext.and_then(|plaintext| serde_json::from_slice(&plaintext).ok()))
}

/// Moved to another webhook or another tenant, they do not open.
fn place(resident: &Resident, webhook: WebhookId) -> Vec<u8> {
    format!("domicile webhook {} {webhook}", resident.tenant_id()).into_bytes()
}
