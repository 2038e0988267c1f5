//! Objects that are well made, and not the ones that were signed: events in another order, a checkpoint that was true once.

use archive::{layout::CHECKPOINT, segment, tile::bundle};
use base64::{Engine, engine::general_purpose::STANDARD};
use schemas::{Position, Recorded};

use super::{Change, Expected, List, at, long, nowhere};
use crate::vectors::seal;

pub(super) fn add(list: &mut List<'_>) {
    segments(list);
    entries(list);
    checkpoints(list);
}

type Edit = fn(&mut Vec<Recorded>);

fn segments(list: &mut List<'_>) {
    let edits: [(&str, Edit, i64); 4] = [
        ("two events of a segment have changed places", |events| events.swap(2, 5), 263),
        ("an event of a segment is gone", |events| drop(events.remove(4)), 265),
        ("an event of a segment is there twice", |events| events.insert(4, events[1].clone()), 265),
        ("the last event of a segment is gone", |events| drop(events.pop()), 270),
    ];
    for (name, edit, position) in edits {
        let mut events = list.long.events_of(3);
        edit(&mut events);
        // Positions in a segment follow from its header, so a rewritten one begins where it began.
        for (event, position) in events.iter_mut().zip(261..) {
            event.position = Position::new(position);
        }
        let change = list.put(long::THIRD, segment::write(list.long.tenant_id, &events));
        list.add("long", name, vec![change], at(position, long::THIRD));
    }
    let (body, _) = segment::decompress(&list.long.objects[long::THIRD]);
    let mut packed = segment::compress(&body);
    // A skippable frame: the same bytes come out.
    packed.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    let change = list.put(long::THIRD, packed);
    list.add("long", "a segment is packed in other bytes", vec![change], nowhere(long::THIRD));
}

fn entries(list: &mut List<'_>) {
    let object = "log/tile/entries/001.p/4";
    let mut entries: Vec<_> = bundle::entries(&list.long.objects[object]).flatten().collect();
    entries.swap(1, 2);
    let mut swapped = Vec::new();
    for entry in entries {
        bundle::push(&mut swapped, entry).expect("it was in a bundle before");
    }
    let change = list.put(object, swapped);
    let name = "two entries of a bundle that a wider one followed have changed places";
    list.add("long", name, vec![change], at(258, object));
}

fn checkpoints(list: &mut List<'_>) {
    let published = String::from_utf8(list.long.objects[CHECKPOINT].clone()).expect("a checkpoint is text");
    let (text, _) = published.split_once("\n\n").expect("a note");
    let origin = list.long.origin();
    let stranger = seal::signer("witness.example/w1", true).line(&format!("{text}\n"));
    let verifier = seal::signer(&origin, false).verifier().clone();
    let unsigned = STANDARD.encode([verifier.key_id().as_slice(), &[7; 64]].concat());
    let old = list.long.manifest(2).checkpoint;
    let other = seal::signer(&origin, false).line("another text\n");
    let notes: [(&str, String, Option<Expected>); 6] = [
        ("an old checkpoint was put back", old, nowhere(CHECKPOINT)),
        ("somebody unknown cosigned the checkpoint", format!("{published}{stranger}\n"), None),
        ("a second signature of the key is none", format!("{published}— {origin} {unsigned}\n"), nowhere(CHECKPOINT)),
        ("a line below the checkpoint is no signature", format!("{published}and more\n"), nowhere(CHECKPOINT)),
        ("the checkpoint has the signature of another text", format!("{text}\n\n{other}\n"), nowhere(CHECKPOINT)),
        ("the checkpoint is signed by nobody known", format!("{text}\n\n{stranger}\n"), nowhere(CHECKPOINT)),
    ];
    for (name, note, finds) in notes {
        let change: Change = list.put(CHECKPOINT, note.into_bytes());
        list.add("long", name, vec![change], finds);
    }
}
