//! `VERIFY.txt`: how to check an archive by hand, with `openssl`, `zstd`, `sha256sum` and a short Python program in it.

use crate::note::Verifier;

const TEXT: &str = include_str!("guide/VERIFY.txt");

/// The text for a tenant's archive. `verifier` is the key its checkpoints and manifests are signed with.
pub fn text(verifier: &Verifier) -> String {
    TEXT.replace("{origin}", verifier.name()).replace("{verifier}", &verifier.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::tests::signer;

    #[test]
    fn the_text_names_the_log_and_its_key() {
        let signer = signer("domicile/eu/x", 1);
        let text = text(signer.verifier());
        assert!(text.contains("domicile/eu/x\n") && text.contains(&signer.verifier().to_string()));
        assert!(!text.contains("{origin}") && !text.contains("{verifier}"));
    }
}
