//! Key files: readable by their owner only, written whole, never overwritten.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use runtime::{SystemClock, SystemIds};
use vault::{Error, RegionKey, SigningKey};

fn ids() -> SystemIds {
    SystemIds::new(Arc::new(SystemClock))
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_key_file_is_made_for_its_owner_only_and_reads_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("region.key");
    let made = RegionKey::create(&path, &ids()).expect("made");
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o7777, 0o600);
    assert_eq!(RegionKey::load(&path).expect("read").id(), made.id());
    assert_eq!(RegionKey::load_or_create(&path, &ids()).expect("read").id(), made.id());
    assert_eq!(names_in(folder.path()), ["region.key"], "nothing temporary stays");
}

#[test]
fn a_key_file_that_others_can_reach_is_refused_with_its_path_and_mode() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("region.key");
    RegionKey::create(&path, &ids()).expect("made");
    for mode in [0o644, 0o640, 0o604, 0o660, 0o602, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
        let error = RegionKey::load_or_create(&path, &ids()).expect_err("refused");
        let expected = format!("key file {}: has mode {mode:04o}, so others can reach it; takes 0600", path.display());
        assert_eq!(error.to_string(), expected);
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("changed");
    assert!(RegionKey::load(&path).is_ok(), "read-only for its owner is fine");
}

#[test]
fn a_key_file_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("region.key");
    let first = RegionKey::create(&path, &ids()).expect("made");
    assert!(matches!(RegionKey::create(&path, &ids()), Err(Error::ExistingKeyFile { .. })));
    assert_eq!(RegionKey::load(&path).expect("read").id(), first.id());
    assert_eq!(names_in(folder.path()), ["region.key"]);
}

#[test]
fn processes_that_make_a_key_file_at_once_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("region.key");
    let made: Vec<String> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| RegionKey::load_or_create(&path, &ids()).expect("a key").id().to_owned()))
            .collect();
        makers.into_iter().map(|maker| maker.join().expect("no panic")).collect()
    });
    assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
    assert_eq!(names_in(folder.path()), ["region.key"]);
}

#[test]
fn a_file_that_is_no_key_file_of_the_wanted_kind_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.key");
    SigningKey::load_or_create(&path, &ids()).expect("made");
    let error = RegionKey::load(&path).expect_err("it is a signing key");
    let expected = format!(
        "key file {}: takes JSON with kind \"domicile region key, AES-256\", id, and secret: 32 bytes in base64",
        path.display()
    );
    assert_eq!(error.to_string(), expected);

    for text in [
        "",
        "not json",
        "{}",
        r#"{"kind":"domicile region key, AES-256","id":"1","secret":"c2hvcnQ="}"#,
        r#"{"kind":"domicile region key, AES-256","id":"1","secret":"***"}"#,
    ] {
        fs::write(&path, text).expect("written");
        assert!(matches!(RegionKey::load(&path), Err(Error::InvalidKeyFile { .. })), "{text}");
    }
}

#[test]
fn a_key_file_that_cannot_be_read_or_written_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(RegionKey::load(&folder.path().join("absent")), Err(Error::ReadKeyFile { .. })));
    let nowhere = folder.path().join("absent/region.key");
    assert!(matches!(RegionKey::load_or_create(&nowhere, &ids()), Err(Error::WriteKeyFile { .. })));
}

#[test]
fn a_signature_verifies_under_the_public_key_and_for_its_message_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("signing.key");
    let key = SigningKey::load_or_create(&path, &ids()).expect("made");
    let again = SigningKey::load(&path).expect("read");
    assert_eq!((again.id(), again.public_key()), (key.id(), key.public_key()));

    let signature = key.sign(b"tree head");
    let public_key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, again.public_key());
    assert!(public_key.verify(b"tree head", &signature).is_ok());
    assert!(public_key.verify(b"another head", &signature).is_err());
}

#[test]
fn debug_output_holds_no_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.key");
    let key = RegionKey::create(&path, &ids()).expect("made");
    assert_eq!(format!("{key:?}"), format!("RegionKey({})", key.id()));
}
