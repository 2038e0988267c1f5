//! `VERIFY.txt`: how to check an archive by hand, with `openssl`, `zstd`, `sha256sum` and a short Python program in it.

use crate::note::Verifier;

/// Every text that was ever published, the newest first: an archive keeps the one it began with.
const TEXTS: &[&str] = &[include_str!("guide/VERIFY.txt"), include_str!("guide/VERIFY-1.txt")];

/// The text for a tenant's archive. `verifier` is the key its checkpoints and manifests are signed with.
pub fn text(verifier: &Verifier) -> String {
    filled(TEXTS[0], verifier)
}

/// The text that was published first, which knows no successions; for those who try whether it is still accepted.
pub fn first_text(verifier: &Verifier) -> String {
    filled(TEXTS[TEXTS.len() - 1], verifier)
}

/// Whether this is a text that was published for a tenant's archive, now or by an older program, under one of its keys.
pub fn is_ours(found: &[u8], verifiers: impl IntoIterator<Item = Verifier>) -> bool {
    let is_of = |verifier| TEXTS.iter().any(|text| filled(text, &verifier).as_bytes() == found);
    verifiers.into_iter().any(is_of)
}

fn filled(text: &str, verifier: &Verifier) -> String {
    text.replace("{origin}", verifier.name()).replace("{verifier}", &verifier.to_string())
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
