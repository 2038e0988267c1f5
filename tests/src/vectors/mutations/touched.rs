//! Bits that flipped, objects that end early, are gone, have changed places, or were added.

use archive::layout::{CHECKPOINT, GUIDE};

use super::{Change, Expected, List, at, long, nowhere, within};

pub(super) fn add(list: &mut List<'_>) {
    flips(list);
    cuts(list);
    drops(list);
    swaps(list);
    additions(list);
}

/// The one file of the short archive.
fn attachment(list: &List<'_>) -> String {
    let found = list.short.objects.keys().find(|key| key.starts_with("attachments/"));
    found.expect("the short archive has a file").clone()
}

fn flips(list: &mut List<'_>) {
    let in_object = |object: &str, what: &str| {
        let bytes = &list.long.objects[object];
        bytes.windows(what.len()).position(|window| window == what.as_bytes()).expect("the object holds it")
    };
    let middle = list.long.objects[long::SECOND].len() / 2;
    // The 21st entry, some way into its envelope.
    let entry = archive::tile::bundle::entries(&list.long.objects[long::BUNDLE]).take(20);
    let in_bundle = entry.flatten().map(|entry| entry.len() + 2).sum::<usize>() + 60;
    let [_, second, _] = long::MANIFESTS;
    let in_root = in_object(second, "\"root\":\"") + 8;
    let in_signature = in_object(second, "signature") + 80;
    let in_checkpoint = in_object(CHECKPOINT, "\n270\n") + 1;
    let in_note = in_object(CHECKPOINT, "\n\n") + 90;
    let places: [(&str, &str, usize, Option<Expected>); 13] = [
        ("a bit of a segment is flipped", long::SECOND, middle, within(4, 260, long::SECOND)),
        ("a bit of a full tile is flipped", long::TILE, 32 * 99 + 5, at(100, long::TILE)),
        ("a bit of a tile that a full one followed is flipped", "log/tile/0/000.p/3", 64, at(3, "log/tile/0/000.p/3")),
        ("a bit of the last tile is flipped", long::LAST_TILE, 0, at(257, long::LAST_TILE)),
        ("a bit of an upper tile is flipped", long::UPPER_TILE, 7, at(1, long::UPPER_TILE)),
        ("a bit of an entry bundle is flipped", long::BUNDLE, in_bundle, at(21, long::BUNDLE)),
        ("a bit of a manifest is flipped", second, in_root, at(4, second)),
        ("a bit of a manifest's signature is flipped", second, in_signature, at(4, second)),
        ("a bit of the checkpoint is flipped", CHECKPOINT, in_checkpoint, nowhere(CHECKPOINT)),
        ("a bit of the checkpoint's signature is flipped", CHECKPOINT, in_note, nowhere(CHECKPOINT)),
        ("a bit of an audit object is flipped", long::AUDIT, 40, at(4, long::AUDIT)),
        ("a bit of a schema is flipped", long::SCHEMA, 10, nowhere(long::SCHEMA)),
        ("a bit of the steps by hand is flipped", GUIDE, 4000, nowhere(GUIDE)),
    ];
    for (name, object, byte, finds) in places {
        list.add("long", name, vec![Change::Flip { object: object.into(), byte, bit: 2 }], finds);
    }
    let object = attachment(list);
    let finds = at(4, &object);
    list.add("short", "a bit of a file is flipped", vec![Change::Flip { object, byte: 20, bit: 7 }], finds);
}

fn cuts(list: &mut List<'_>) {
    let [_, second, third] = long::MANIFESTS;
    let cuts: [(&str, &str, usize, Option<Expected>); 10] = [
        ("half of a segment is gone", long::SECOND, 5_000, within(4, 260, long::SECOND)),
        ("a segment is empty", long::SECOND, 0, at(4, long::SECOND)),
        // Its checksum: every event can still be read, and is what was signed.
        ("the last byte of a segment is gone", long::SECOND, 1, nowhere(long::SECOND)),
        ("the last byte of a bundle is gone", long::BUNDLE, 1, at(256, long::BUNDLE)),
        ("the last byte of a tile is gone", long::TILE, 1, at(256, long::TILE)),
        ("the last hash of a tile is gone", long::TILE, 32, at(256, long::TILE)),
        ("the end of a manifest is gone", second, 10, at(4, second)),
        ("the newline at the end of the newest manifest is gone", third, 1, at(261, third)),
        ("the newline at the end of the checkpoint is gone", CHECKPOINT, 1, nowhere(CHECKPOINT)),
        ("the end of an audit object is gone", long::AUDIT, 30, at(4, long::AUDIT)),
    ];
    for (name, object, cut, finds) in cuts {
        let length = if cut == 0 { 0 } else { list.long.objects[object].len() - cut };
        list.add("long", name, vec![Change::Truncate { object: object.into(), length }], finds);
    }
    let object = attachment(list);
    let (length, finds) = (list.short.objects[&object].len() - 1, at(4, &object));
    list.add("short", "the last byte of a file is gone", vec![Change::Truncate { object, length }], finds);
}

fn drops(list: &mut List<'_>) {
    let [first, second, third] = long::MANIFESTS;
    let drops: [(&str, &str, Option<Expected>); 15] = [
        ("a segment is gone", long::SECOND, at(4, long::SECOND)),
        ("the first manifest is gone", first, at(1, first)),
        ("a manifest is gone", second, at(4, second)),
        ("the newest manifest is gone", third, at(261, CHECKPOINT)),
        ("the checkpoint is gone", CHECKPOINT, nowhere(CHECKPOINT)),
        ("a full tile is gone", long::TILE, at(1, long::TILE)),
        ("a full bundle is gone", long::BUNDLE, at(1, long::BUNDLE)),
        ("the last tile is gone", long::LAST_TILE, at(257, long::LAST_TILE)),
        ("the last bundle is gone", long::LAST_BUNDLE, at(257, long::LAST_BUNDLE)),
        ("an upper tile is gone", long::UPPER_TILE, at(1, long::UPPER_TILE)),
        ("an audit object is gone", long::AUDIT, at(4, long::AUDIT)),
        ("a schema is gone", long::SCHEMA, nowhere(long::SCHEMA)),
        ("the steps by hand are gone", GUIDE, nowhere(GUIDE)),
        ("a partial tile is gone, and a full one is there", "log/tile/0/000.p/3", None),
        ("a partial bundle is gone, and a wider one is there", "log/tile/entries/001.p/4", None),
    ];
    for (name, object, finds) in drops {
        list.add("long", name, vec![Change::Drop { object: object.into() }], finds);
    }
    let all = long::MANIFESTS.map(|object| Change::Drop { object: object.into() });
    list.add("long", "all manifests are gone", all.into(), nowhere("manifest/"));
    let object = attachment(list);
    let finds = at(4, &object);
    list.add("short", "a file is gone", vec![Change::Drop { object }], finds);
}

fn swaps(list: &mut List<'_>) {
    let [_, second, third] = long::MANIFESTS;
    let swaps: [(&str, [&str; 2], Option<Expected>); 3] = [
        ("two segments have changed places", [long::SECOND, long::THIRD], at(4, long::SECOND)),
        ("two manifests have changed places", [second, third], at(4, second)),
        // The shorter one ends where its width says.
        ("two tiles have changed places", [long::LAST_TILE, "log/tile/0/001.p/4"], at(261, long::LAST_TILE)),
    ];
    for (name, objects, finds) in swaps {
        list.add("long", name, vec![Change::Swap { objects: objects.map(str::to_owned) }], finds);
    }
}

fn additions(list: &mut List<'_>) {
    let segment = "events/000000000100-000000000200.seg.zst";
    let file = format!("attachments/{}", "0".repeat(64));
    let additions: [(&str, &str, Option<Expected>); 8] = [
        ("a segment that nothing names is there", segment, at(100, segment)),
        ("an object of no kind is there", "more/things", nowhere("more/things")),
        ("a manifest with a misspelt name is there", "manifest/2.json", nowhere("manifest/2.json")),
        ("a tile with a misspelt name is there", "log/tile/0/000.p/256", nowhere("log/tile/0/000.p/256")),
        ("a bundle without its events is there", "log/tile/entries/000.p/0", nowhere("log/tile/entries/000.p/0")),
        ("a file that no event claims is there", &file, None),
        ("a segment of a step that is not published is there", "events/000000000271-000000000280.seg.zst", None),
        ("a tile of a step that is not published is there", "log/tile/0/001.p/24", None),
    ];
    for (name, object, finds) in additions {
        // A tile beyond the tree begins as the tree's own tile does.
        let beginning: &[u8] = if object.ends_with(".p/24") { &list.long.objects[long::LAST_TILE] } else { b"" };
        let bytes = [beginning, b"bytes that nobody signed, and of a length of no kind\n"].concat();
        let change = list.put(object, bytes);
        list.add("long", name, vec![change], finds);
    }
}
