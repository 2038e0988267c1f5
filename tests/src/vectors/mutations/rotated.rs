//! Keys that follow one another, and somebody who wants another to follow.

use archive::{Checkpoint, guide, layout, layout::CHECKPOINT};

use super::{Change, Expected, Key, List, at, nowhere};
use crate::vectors::{
    seal::{self, Who},
    written::Written,
};

const FIRST: &str = "successions/00000001";
const SECOND: &str = "successions/00000002";
/// The manifest under the third key.
const THIRD: &str = "manifest/00000003.json";

pub(super) fn add(list: &mut List<'_>) {
    whole(list);
    successions(list);
    generations(list);
    by_a_stranger(list);
}

fn whole(list: &mut List<'_>) {
    list.add("rotated", "three keys followed one another, and the first is given", vec![], None);
    list.add("rotated", "three keys followed one another, and the newest is given", vec![], None).key = Key::Newest;
    list.add("rotated", "three keys followed one another, and none is given", vec![], None).key = Key::None;
    let guide = guide::first_text(seal::signer_of(&list.long.origin(), Who::Region(0)).verifier());
    let guide = list.put(layout::GUIDE, guide.into_bytes());
    list.add("long", "the steps by hand are those that were published first", vec![guide], None);
    let next = list.put("successions/00000003", seal::succession(3, Who::Region(2), Who::Region(3)));
    list.add("rotated", "a succession is there whose key has not signed yet", vec![next], None);
}

fn successions(list: &mut List<'_>) {
    let drop = |object: &str| vec![Change::Drop { object: object.into() }];
    list.add("rotated", "the newest succession is gone", drop(SECOND), at(3, THIRD));
    list.add(
        "rotated",
        "the newest succession is gone, and the newest key is given",
        drop(SECOND),
        at(1, "manifest/00000001.json"),
    )
    .key = Key::Newest;
    list.add("rotated", "the first succession is gone", drop(FIRST), at(2, FIRST));
    let flip = Change::Flip { object: SECOND.into(), byte: 30, bit: 1 };
    list.add("rotated", "a bit of a succession is flipped", vec![flip], at(3, SECOND));
    let swap = Change::Swap { objects: [FIRST.into(), SECOND.into()] };
    list.add("rotated", "two successions have changed places", vec![swap], at(2, FIRST));
    let misspelt = list.put("successions/3", seal::succession(3, Who::Region(2), Who::Region(3)));
    list.add("rotated", "a succession with a misspelt name is there", vec![misspelt], nowhere("successions/3"));

    let statement = |old, new| seal::succession(2, old, new);
    let (right, [first, second, third]) = (statement(Who::Region(1), Who::Region(2)), [0, 1, 2].map(Who::Region));
    let forged: [(&str, Vec<u8>, Option<Expected>); 4] = [
        (
            "a succession is signed by a stranger for the old key",
            signed_by(&right, [Who::Stranger(0), third]),
            at(3, SECOND),
        ),
        ("a succession is not signed by the new key", signed_by(&right, [second, second]), at(3, SECOND)),
        ("a succession follows on a key that is retired", statement(first, third), at(3, SECOND)),
        ("a succession brings a retired key back", statement(second, first), at(3, SECOND)),
    ];
    for (name, bytes, finds) in forged {
        let change = list.put(SECOND, bytes);
        list.add("rotated", name, vec![change], finds);
    }
}

/// The text of a statement under other signatures.
fn signed_by(statement: &[u8], keys: [Who; 2]) -> Vec<u8> {
    let note = std::str::from_utf8(statement).expect("a note is text");
    let text = archive::note::text(note).expect("a note");
    let lines = keys.map(|key| seal::signer_of("domicile/eu", key).line(text) + "\n").concat();
    format!("{text}\n{lines}").into_bytes()
}

fn generations(list: &mut List<'_>) {
    let rotated = list.rotated;
    let with = |keys: [u8; 3]| {
        let mut objects = rotated.objects_signed_by(|generation| Who::Region(keys[generation - 1]));
        let successions = rotated.objects.iter().filter(|(key, _)| key.starts_with(layout::SUCCESSIONS));
        objects.extend(successions.map(|(key, bytes)| (key.clone(), bytes.clone())));
        objects
    };
    for (name, keys, finds) in [
        ("the region signed: the key before signs again", [0, 1, 0], at(3, THIRD)),
        ("the region signed: a key is skipped", [0, 0, 2], None),
    ] {
        let changes = list.changes_to(&rotated.objects, with(keys));
        list.add("rotated", name, changes, finds);
    }
    let (manifest, published) = under_another_key(rotated);
    let change = list.put(THIRD, manifest);
    list.add(
        "rotated",
        "the region signed: a manifest holds a checkpoint of the key before",
        vec![change],
        at(3, THIRD),
    );
    let change = list.put(CHECKPOINT, published);
    list.add("rotated", "the checkpoint is signed by a retired key", vec![change], nowhere(CHECKPOINT)).key =
        Key::Newest;
}

/// The newest manifest with its checkpoint under the key before, and that checkpoint.
fn under_another_key(rotated: &Written) -> (Vec<u8>, Vec<u8>) {
    let [second, third] = [1, 2].map(|number| seal::signer_of(&rotated.origin(), Who::Region(number)));
    let mut manifest = rotated.manifest(3);
    let head = Checkpoint { origin: rotated.origin(), size: manifest.size, root: manifest.root };
    manifest.checkpoint = head.sign(&second);
    let published = manifest.checkpoint.clone().into_bytes();
    (manifest.sign(&third), published)
}

fn by_a_stranger(list: &mut List<'_>) {
    let rotated = list.rotated;
    let mut theirs = rotated.objects_signed(true);
    theirs.insert(layout::GUIDE.into(), rotated.objects[layout::GUIDE].clone());
    let all = list.changes_to(&rotated.objects, theirs);
    let first = "manifest/00000001.json";
    list.add("rotated", "a stranger signed everything anew, successions too", all, at(1, first));
    let statement = seal::succession(3, Who::Stranger(0), Who::Stranger(1));
    let change = list.put("successions/00000003", statement);
    let finds = nowhere("successions/00000003");
    list.add("rotated", "a stranger's succession lies there", vec![change], finds);
}
