//! What a log asks of a witness (<https://c2sp.org/tlog-witness>): to cosign a checkpoint that follows on the last one it saw.
//!
//! ```text
//! old <size of the last one>
//! <base64 of a hash>                      as many as the consistency proof takes (RFC 6962, section 2.1.2)
//! <empty line>
//! <the signed checkpoint>
//! ```

use std::fmt::{self, Display};

use base64::{Engine, engine::general_purpose::STANDARD};
use schemas::Hash;

/// More hashes than any proof has.
const PROOF_MAX: usize = 63;

/// A request. [`Display`] writes its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness saw last; 0 if none.
    pub old_size: u64,
    /// That the tree of then is the beginning of the checkpoint's.
    pub proof: Vec<Hash>,
    /// The signed checkpoint, whole.
    pub checkpoint: String,
}

impl Display for AddCheckpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "old {}", self.old_size)?;
        for hash in &self.proof {
            writeln!(formatter, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(formatter, "\n{}", self.checkpoint)
    }
}

impl AddCheckpoint {
    /// Reads a body; only the one right spelling. Nothing if it is none.
    pub fn parse(body: &str) -> Option<Self> {
        let (head, checkpoint) = body.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old_size = lines.next()?.strip_prefix("old ")?.parse().ok()?;
        let proof = lines.take(PROOF_MAX + 1).map(hash).collect::<Option<Vec<_>>>()?;
        let request = Self { old_size, proof, checkpoint: checkpoint.to_owned() };
        (request.proof.len() <= PROOF_MAX && request.to_string() == body).then_some(request)
    }
}

fn hash(line: &str) -> Option<Hash> {
    Hash::try_from(STANDARD.decode(line).ok()?.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back_and_has_one_spelling() {
        for hashes in [0, 1, PROOF_MAX] {
            let proof = vec![Hash::of(&[b"a"]); hashes];
            let request = AddCheckpoint { old_size: 7, proof, checkpoint: "a\n8\nAA==\n\n— a BB==\n".into() };
            let body = request.to_string();
            assert_eq!(AddCheckpoint::parse(&body), Some(request));
            for other in [
                body.replace("old 7", "old 07"),
                body.replace("old", "Old"),
                body.replacen('\n', "\r\n", 1),
                body.replacen("\n\n", "\n", 2),
                format!("\n{body}"),
                String::new(),
            ] {
                assert_eq!(AddCheckpoint::parse(&other), None, "{other}");
            }
        }
        let long = AddCheckpoint { old_size: 7, proof: vec![Hash::of(&[]); PROOF_MAX + 1], checkpoint: "a\n".into() };
        assert_eq!(AddCheckpoint::parse(&long.to_string()), None);
    }
}
