//! Somebody who signs: a stranger with a key of his own, or the region itself, breaking its rules.

use archive::{Manifest, manifest::Attachment, segment};
use jiff::ToSpan;
use schemas::Hash;

use super::{
    Expected, Files, Key, List, at,
    forged::{self, AUDIT, FIRST, MANIFEST, SEGMENT},
    long, nowhere,
};

pub(super) fn add(list: &mut List<'_>) {
    by_a_stranger(list);
    histories(list);
    manifests(list);
    objects(list);
}

fn by_a_stranger(list: &mut List<'_>) {
    let theirs = list.long.objects_signed(true);
    let second = list.put(long::MANIFESTS[1], theirs[long::MANIFESTS[1]].clone());
    list.add("long", "a stranger signed a manifest", vec![second.clone()], at(4, long::MANIFESTS[1]));
    let unpinned = "a stranger signed a manifest, and no key is given";
    list.add("long", unpinned, vec![second], at(4, long::MANIFESTS[1])).key = Key::None;

    let (short, theirs) = (list.short.objects.clone(), list.short.objects_signed(true));
    let all = list.changes_to(&short, theirs);
    let first = "manifest/00000001.json";
    list.add("short", "a stranger signed everything anew", all.clone(), at(1, first));
    let unseen = "a stranger signed everything anew, and no key is given: nobody can tell";
    list.add("short", unseen, all, None).key = Key::None;
    let other = "the archive is whole, and asked for with the key of another log";
    list.add("short", other, vec![], nowhere("manifest/")).key = Key::OtherLog;
    list.add("short", "nothing was done to it", vec![], None);
    list.add("long", "nothing was done to it, and no key is given", vec![], None).key = Key::None;
}

/// Puts a forged archive on the list.
fn forge(list: &mut List<'_>, name: &str, forged: Files, finds: Option<Expected>) {
    let whole = list.short.objects.clone();
    let changes = list.changes_to(&whole, forged);
    list.add("short", &format!("signed by the region: {name}"), changes, finds);
}

type Edit = fn(String) -> String;

fn histories(list: &mut List<'_>) {
    let edits: [(&str, i64, Edit); 4] = [
        ("a version of a stream is skipped", 8, |envelope| envelope.replace("\"version\":4", "\"version\":5")),
        ("a version of a stream comes twice", 7, |envelope| envelope.replace("\"version\":3", "\"version\":2")),
        ("an event is another tenant's", 7, |envelope| envelope.replacen("000000000002", "000000000001", 1)),
        ("an envelope lacks its actor", 7, |envelope| envelope.replace("\"actor\":\"person-1\",", "")),
    ];
    for (name, position, edit) in edits {
        let change = |at, envelope| if at == position { edit(envelope) } else { envelope };
        let forged = forged::with_envelopes(list.short, change);
        forge(list, name, forged, at(position, SEGMENT));
    }
}

type Claim = fn(&mut Manifest);

fn manifests(list: &mut List<'_>) {
    let blob = list.short.manifest(1).attachments[0].clone();
    let claims: [(&str, Claim, Option<Expected>); 10] = [
        ("the root is of another tree", |manifest| manifest.root = Hash::of(&[b"another"]), at(6, MANIFEST)),
        ("the manifest follows another", |manifest| manifest.previous_sha256 = Some(manifest.root), at(6, MANIFEST)),
        ("the manifest follows none", |manifest| manifest.previous_sha256 = None, at(6, MANIFEST)),
        ("the manifest is older than the one before it", |manifest| put_back(manifest, 3_601_000), at(6, MANIFEST)),
        (
            "the manifest is half a second younger than the one before it",
            |manifest| put_back(manifest, 3_599_500),
            None,
        ),
        ("the manifest is of another generation", |manifest| manifest.generation = 3, at(6, MANIFEST)),
        ("the manifest is of another format", |manifest| manifest.format = 2, at(6, MANIFEST)),
        ("a segment ends before it begins", |manifest| manifest.segments[0].first = FIRST.next(), at(6, MANIFEST)),
        ("there are more events than anybody can count", |manifest| manifest.size = (1 << 53) + 1, at(6, MANIFEST)),
        ("the manifest names no audit lines", |manifest| manifest.audit.clear(), at(6, AUDIT)),
    ];
    for (name, claim, finds) in claims {
        let forged = forged::signed(list.short, list.short.objects.clone(), claim);
        forge(list, name, forged, finds);
    }
    let with_file = forged::signed(list.short, list.short.objects.clone(), |manifest| {
        manifest.attachments = vec![Attachment { ..blob }];
    });
    forge(list, "the manifest names a file that no event brought", with_file, nowhere(MANIFEST));
    let unknown = forged::signed_text(list.short, |body| body.replacen('{', "{\"more\":1,", 1));
    forge(list, "the manifest has a field that nobody knows", unknown, at(6, MANIFEST));
    let spaced = forged::signed_text(list.short, |body| body.replace("\"format\":1", "\"format\": 1"));
    forge(list, "the manifest is spaced: still what was signed", spaced, None);
}

/// It follows the one before by an hour.
fn put_back(manifest: &mut Manifest, milliseconds: i64) {
    manifest.created_at -= milliseconds.milliseconds();
}

fn objects(list: &mut List<'_>) {
    let mut lying = list.short.objects.clone();
    let (text, _) = segment::decompress(&lying[AUDIT]);
    let text = String::from_utf8(text).expect("JSON is UTF-8").replace("person-1", "person-2");
    lying.insert(AUDIT.into(), segment::compress(text.as_bytes()));
    let lying = forged::signed(list.short, lying, |_| ());
    forge(list, "the audit lines name another actor", lying, at(6, AUDIT));

    // The events are the tenant's all the same: only the line before them is not.
    let mut stray = list.short.objects.clone();
    stray.insert(SEGMENT.into(), segment::write(list.long.tenant_id, &list.short.events_of(2)));
    let stray = forged::signed(list.short, stray, |_| ());
    forge(list, "the first line of a segment names another tenant", stray, nowhere(SEGMENT));

    let mut bomb = list.short.objects.clone();
    bomb.insert(SEGMENT.into(), segment::compress(&vec![0; segment::DECOMPRESSED_MAX as usize + 1]));
    let bomb = forged::signed(list.short, bomb, |_| ());
    forge(list, "a segment becomes larger than any segment is", bomb, at(6, SEGMENT));
}
