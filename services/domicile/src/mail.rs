//! Mail on disk, read into threads: what the importer turns into tickets.
//!
//! Pure but for reading files: it knows nothing of the API.

pub mod message;
pub mod sample;
pub mod scan;
pub mod thread;

pub use message::{Attachment, Mail, Sender, Unreadable};
pub use scan::{Folder, Scanned, scan};
pub use thread::{Thread, threads};
