//! How roles and commands reach the directory, and by which key they know its map.

use std::path::{Path, PathBuf};

use clap::Args;
use directory::Client;

use crate::exit::Failure;

/// How a role reaches the directory.
#[derive(Debug, Clone, Args)]
pub struct DirectoryOption {
    /// The directory's address.
    #[arg(long, env = "DOMICILE_DIRECTORY", value_name = "URL")]
    pub directory: String,
    /// File with the token that opens the directory.
    #[arg(long, env = "DOMICILE_DIRECTORY_TOKEN_FILE", value_name = "FILE")]
    pub directory_token_file: PathBuf,
}

/// How a command reaches the directory: the one it is given, or that of a running `up`.
#[derive(Debug, Clone, Default, Args)]
pub struct GivenDirectory {
    /// The directory's address, where no `up` runs on the data folder; with --directory-token-file and --directory-key.
    #[arg(long, env = "DOMICILE_DIRECTORY", value_name = "URL", global = true)]
    pub directory: Option<String>,
    /// File with the token that opens the directory.
    #[arg(long, env = "DOMICILE_DIRECTORY_TOKEN_FILE", value_name = "FILE", global = true)]
    pub directory_token_file: Option<PathBuf>,
    /// The directory's public key, 64 hex digits: only maps signed by it are used.
    #[arg(long, env = "DOMICILE_DIRECTORY_KEY", value_name = "HEX", value_parser = public_key, global = true)]
    pub directory_key: Option<PublicKey>,
}

/// An Ed25519 public key.
#[derive(Debug, Clone, Copy)]
pub struct PublicKey(pub(crate) [u8; 32]);

/// A directory, and the key that signs its map.
#[derive(Clone)]
pub struct KnownDirectory {
    pub(crate) client: Client,
    pub(crate) key: [u8; 32],
}

impl DirectoryOption {
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        client(&self.directory, &self.directory_token_file)
    }
}

impl GivenDirectory {
    /// The directory that is given, if one is. A part of the three options is refused: a map is no use without its key.
    pub(crate) fn find(&self) -> Result<Option<KnownDirectory>, Failure> {
        let Self { directory, directory_token_file, directory_key } = self;
        match (directory, directory_token_file, directory_key) {
            (None, None, None) => Ok(None),
            (Some(url), Some(token), Some(key)) => Ok(Some(KnownDirectory { client: client(url, token)?, key: key.0 })),
            _ => {
                let given = [
                    ("--directory", directory.is_some()),
                    ("--directory-token-file", directory_token_file.is_some()),
                    ("--directory-key", directory_key.is_some()),
                ];
                let missing: Vec<_> =
                    given.iter().filter(|(_, is_given)| !is_given).map(|(option, _)| *option).collect();
                Err(Failure::usage(format!("{}: is missing; a directory takes all three", missing.join(", "))))
            }
        }
    }
}

fn client(url: &str, token_file: &Path) -> Result<Client, Failure> {
    let token = read(token_file, "--directory-token-file")?;
    Client::new(url, token.trim()).map_err(|error| Failure::usage(format!("--directory: {error}")))
}

/// What an option's file holds.
pub(crate) fn read(file: &Path, option: &str) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::configuration(anyhow::anyhow!("{option}: {} cannot be read: {error}", file.display()))
    })
}

pub(crate) fn public_key(text: &str) -> Result<PublicKey, String> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key).map_err(|_| "takes 64 hex digits")?;
    Ok(PublicKey(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_given_with_its_token_and_its_key_or_not_at_all() {
        assert!(GivenDirectory::default().find().is_ok_and(|found| found.is_none()));
        let part = GivenDirectory { directory: Some("http://127.0.0.1:1".to_owned()), ..GivenDirectory::default() };
        let refused = part.find().err().expect("two are missing").to_string();
        assert!(refused.starts_with("--directory-token-file, --directory-key: is missing"), "{refused}");
    }
}
