//! Uploaded files: what is known about a file whose ciphertext lies in the region's bucket.

use jiff::Timestamp;
use schemas::{
    AttachmentId, PersonId, Personal, TenantLogEvent, TicketId,
    upload::{UploadClaimed, UploadEvent, UploadReceived},
};

use crate::{
    aggregate::Aggregate,
    text::{self, Invalid},
};

/// The largest file, in bytes.
pub const SIZE_BYTES_MAX: u64 = 50 * 1024 * 1024;

/// An upload, or the id of one that did not arrive yet.
///
/// ```text
/// nothing --receive--> received --claim--> claimed   (once, for one comment)
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Upload {
    received: Option<UploadReceived>,
    claimed: Option<UploadClaimed>,
}

impl Upload {
    /// What is known about the file, once it arrived.
    pub const fn received(&self) -> Option<&UploadReceived> {
        self.received.as_ref()
    }

    /// Which ticket's comment brought it along, once one did.
    pub const fn claimed(&self) -> Option<&UploadClaimed> {
        self.claimed.as_ref()
    }
}

/// What may be asked of an upload.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Receive the file.
    Receive(Receive),
    /// Bring it along with a comment.
    Claim(Claim),
}

/// Receives a file, whose ciphertext is in the bucket already.
#[derive(Debug, Clone, PartialEq)]
pub struct Receive {
    /// The attachment it will be.
    pub attachment: AttachmentId,
    /// What the sender called it.
    pub file_name: Personal<String>,
    /// What the sender said it is.
    pub content_type: Personal<String>,
    /// Length of the plaintext in bytes.
    pub size_bytes: u64,
    /// Who sent it.
    pub uploader: PersonId,
    /// SHA-256, in hex, of the token that a comment presents to claim the file.
    pub token_sha256: String,
    /// Until when the token may be presented.
    pub expires_at: Timestamp,
}

/// Brings the file along with a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The ticket that the comment is on.
    pub ticket: TicketId,
    /// Who asks.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

impl From<Claim> for Command {
    fn from(claim: Claim) -> Self {
        Self::Claim(claim)
    }
}

impl From<Receive> for Command {
    fn from(receive: Receive) -> Self {
        Self::Receive(receive)
    }
}

/// Why an upload refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A field holds what it cannot take.
    #[error("{field}: takes {takes}")]
    Invalid {
        /// The field, as the API calls it.
        field: &'static str,
        /// What it takes.
        takes: String,
    },
    /// The id is in use.
    #[error("the upload arrived already")]
    AlreadyExists,
    /// There is no such file for this person, or none any more.
    #[error("the upload is another's, expired, or used by a comment already")]
    NotClaimable,
}

impl From<Invalid> for Rejection {
    fn from(Invalid { field, takes }: Invalid) -> Self {
        Self::Invalid { field, takes }
    }
}

impl Upload {
    fn receive(&self, receive: &Receive) -> Result<Vec<UploadEvent>, Rejection> {
        if self.received.is_some() {
            return Err(Rejection::AlreadyExists);
        }
        if receive.size_bytes > SIZE_BYTES_MAX {
            return Err(Rejection::Invalid { field: "file", takes: format!("at most {SIZE_BYTES_MAX} bytes") });
        }
        let received = UploadReceived {
            attachment: receive.attachment,
            file_name: text::file_name(receive.file_name.expose())?.into(),
            content_type: text::content_type(receive.content_type.expose())?.into(),
            size_bytes: receive.size_bytes,
            uploader: receive.uploader,
            token_sha256: receive.token_sha256.clone(),
            expires_at: receive.expires_at,
        };
        Ok(vec![received.into()])
    }

    fn claim(&self, claim: &Claim) -> Result<Vec<UploadEvent>, Rejection> {
        let received = self.received.as_ref().ok_or(Rejection::NotClaimable)?;
        if self.claimed.is_some() || received.uploader != claim.by || claim.at >= received.expires_at {
            return Err(Rejection::NotClaimable);
        }
        Ok(vec![UploadClaimed { ticket: claim.ticket, by: claim.by }.into()])
    }
}

impl Aggregate for Upload {
    type Command = Command;
    type Event = UploadEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<UploadEvent>, Rejection> {
        match command {
            Command::Receive(receive) => self.receive(receive),
            Command::Claim(claim) => self.claim(claim),
        }
    }

    fn evolve(&mut self, event: &UploadEvent) {
        match event {
            UploadEvent::UploadReceived(received) => self.received = Some(received.clone()),
            UploadEvent::UploadClaimed(claimed) => self.claimed = Some(claimed.clone()),
        }
    }

    fn pick(event: TenantLogEvent) -> Option<UploadEvent> {
        match event {
            TenantLogEvent::Upload(event) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::given;

    fn receive(file_name: &str, content_type: &str, size_bytes: u64) -> Receive {
        Receive {
            attachment: AttachmentId::new(3),
            file_name: file_name.to_owned().into(),
            content_type: content_type.to_owned().into(),
            size_bytes,
            uploader: PersonId::new(7),
            token_sha256: "00ff".to_owned(),
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn received() -> UploadEvent {
        let sent = receive("log.txt", "text/plain", 12);
        UploadReceived {
            attachment: sent.attachment,
            file_name: sent.file_name,
            content_type: sent.content_type,
            size_bytes: sent.size_bytes,
            uploader: sent.uploader,
            token_sha256: sent.token_sha256,
            expires_at: sent.expires_at,
        }
        .into()
    }

    #[test]
    fn a_file_arrives_once() {
        given::<Upload>([]).when(receive("log.txt", "text/plain", 12)).then([received()]);
        let again = receive("log.txt", "text/plain", 12);
        given::<Upload>([received()]).when(again).then_refused(Rejection::AlreadyExists);
    }

    #[test]
    fn a_file_is_claimed_once_by_its_uploader_and_in_time() {
        let claim =
            |by, second| Claim { ticket: TicketId::new(1), by: PersonId::new(by), at: Timestamp::constant(second, 0) };
        let claimed = || UploadEvent::from(UploadClaimed { ticket: TicketId::new(1), by: PersonId::new(7) });
        given::<Upload>([received()]).when(claim(7, -1)).then([claimed()]);
        given::<Upload>([received(), claimed()]).when(claim(7, -1)).then_refused(Rejection::NotClaimable);
        given::<Upload>([received()]).when(claim(8, -1)).then_refused(Rejection::NotClaimable);
        given::<Upload>([received()]).when(claim(7, 0)).then_refused(Rejection::NotClaimable);
        given::<Upload>([]).when(claim(7, -1)).then_refused(Rejection::NotClaimable);
    }

    #[test]
    fn a_file_has_a_name_a_media_type_and_a_bounded_size() {
        given::<Upload>([]).when(receive("a\nb", "text/plain", 1)).then_refused_field("filename");
        given::<Upload>([]).when(receive("a", "text", 1)).then_refused_field("content_type");
        given::<Upload>([]).when(receive("a", "text/plain", SIZE_BYTES_MAX + 1)).then_refused_field("file");
        assert!(Upload::default().decide(&receive("a", "text/plain", SIZE_BYTES_MAX).into()).is_ok());
    }
}
