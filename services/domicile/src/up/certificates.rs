//! Development certificates: self-signed, one per region, for the apex and every name below it.
//!
//! A production deployment hands in certificates of its own (see docs/operations.md).

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// A certificate and its key, PEM.
pub struct Certificate {
    /// The chain, leaf first.
    pub certificates_pem: String,
    /// The key.
    pub private_key_pem: String,
}

/// Reads the certificate in the folder, or makes one for `host` and `*.host`.
pub fn load_or_create(folder: &Path, host: &str) -> anyhow::Result<Certificate> {
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    if !certificate.exists() {
        let made = rcgen::generate_simple_self_signed(vec![host.to_owned(), format!("*.{host}")])?;
        fs::create_dir_all(folder)?;
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&key)?;
        file.write_all(made.signing_key.serialize_pem().as_bytes())?;
        // The certificate last: where it is, its key is too.
        fs::write(&certificate, made.cert.pem())?;
    }
    Ok(Certificate { certificates_pem: fs::read_to_string(certificate)?, private_key_pem: fs::read_to_string(key)? })
}
