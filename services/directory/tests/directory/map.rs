//! The signed map by itself: what was changed, or signed by another, is refused.

use std::{collections::BTreeMap, sync::Arc};

use directory::{Map, NameState, map};
use runtime::{Ids, SystemClock, SystemIds};
use schemas::{Epoch, Position, TenantId};
use vault::SigningKey;

use crate::support::{region, slug};

fn key() -> anyhow::Result<SigningKey> {
    let ids = SystemIds::new(Arc::new(SystemClock));
    let path = std::env::temp_dir().join(format!("directory-key-{}", ids.uuid()));
    let key = SigningKey::load_or_create(&path, &ids);
    std::fs::remove_file(path)?;
    Ok(key?)
}

fn a_map() -> Map {
    let tenant_id = TenantId::new(SystemIds::new(Arc::new(SystemClock)).uuid());
    let entry = map::Entry { tenant_id, region: region("eu"), epoch: Epoch::FIRST, state: NameState::Confirmed };
    let regions = BTreeMap::from([(region("eu"), "domicile/eu+00000000+AAAA".to_owned())]);
    let successions = BTreeMap::from([(region("eu"), vec!["domicile/eu key succession\n".to_owned()])]);
    Map { version: Position::new(2), regions, successions, names: BTreeMap::from([(slug("acme"), entry)]) }
}

#[test]
fn a_signed_map_reads_back_as_itself() -> anyhow::Result<()> {
    let (key, made) = (key()?, a_map());
    assert_eq!(map::verify(&made.sign(&key), &key.public_key())?, made);
    Ok(())
}

#[test]
fn no_byte_of_a_signed_map_can_be_changed() -> anyhow::Result<()> {
    let key = key()?;
    let signed = a_map().sign(&key);
    for at in 0..signed.len() {
        let mut changed = signed.clone();
        changed[at] ^= 1;
        assert!(map::verify(&changed, &key.public_key()).is_err(), "byte {at}");
    }
    Ok(())
}

#[test]
fn a_map_signed_by_another_key_is_refused() -> anyhow::Result<()> {
    let refused = map::verify(&a_map().sign(&key()?), &key()?.public_key());
    assert!(matches!(refused, Err(map::Error::Signature)), "{refused:?}");
    Ok(())
}

#[test]
fn the_same_map_is_the_same_bytes() -> anyhow::Result<()> {
    let (key, made) = (key()?, a_map());
    assert_eq!(made.sign(&key), made.sign(&key));
    assert_eq!(map::etag(&made.sign(&key)), map::etag(&made.sign(&key)));
    Ok(())
}
