//! Events of the streams `upload-<id>`: a file that lies sealed in the region's bucket.

use jiff::Timestamp;

use crate::{
    events,
    ids::{AttachmentId, PersonId, TicketId},
};

events! {
    /// What happens to an uploaded file.
    pub enum UploadEvent {
        /// A file arrived. Its ciphertext is the object named by the envelope's `blob`, sealed under the event's own key.
        "upload_received" @ 1 => UploadReceived {
            /// The attachment it will be.
            operational attachment: AttachmentId,
            /// What the sender called it.
            personal file_name: String,
            /// What the sender said it is (RFC 2046).
            content content_type: String,
            /// Length of the plaintext in bytes.
            operational size_bytes: u64,
            /// Who sent it.
            operational uploader: PersonId,
            /// SHA-256, in hex, of the token that a comment presents to claim the file.
            operational token_sha256: String,
            /// Until when the token may be presented.
            operational expires_at: Timestamp,
        },
        /// A comment brought the file along. No other comment may.
        "upload_claimed" @ 1 => UploadClaimed {
            /// The ticket that the comment is on.
            operational ticket: TicketId,
            /// Who brought it along.
            operational by: PersonId,
        },
    }
}
