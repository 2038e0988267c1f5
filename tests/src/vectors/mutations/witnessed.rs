//! What other regions have cosigned, put beside an archive that is or is not the one they saw.

use archive::{Checkpoint, cosignature};
use schemas::Hash;

use super::{Change, Expected, List, at, nowhere};
use crate::vectors::{
    seal::{self, Who},
    written::{self, Written},
};

const US: &str = "witness/us";
/// Of the line of a cosignature: `— domicile/us ` and 16 characters for key id and time.
const BEFORE_SIGNATURE: usize = "— domicile/us ".len() + 16;

pub(super) fn add(list: &mut List<'_>) {
    let long = list.long;
    let head = |size, root| Checkpoint { origin: long.origin(), size, root };
    let (before, other) = (long.manifest(2).root, Hash::of(&[b"another history"]));
    let (region, us) = (Who::Region(0), Who::Witness);
    let seen = signed(long, &head(260, before), region);
    let good = cosigned(&seen, us);
    let notes: [(&str, String, Option<Expected>); 7] = [
        ("another region has cosigned what the archive was", good.clone(), None),
        (
            "another region has cosigned another history",
            cosigned(&signed(long, &head(260, other), region), us),
            nowhere(US),
        ),
        (
            "another region has cosigned more than there is",
            cosigned(&signed(long, &head(300, other), region), us),
            at(271, US),
        ),
        (
            "another region has cosigned a stranger's history",
            cosigned(&signed(long, &head(260, other), Who::Stranger(0)), us),
            nowhere(US),
        ),
        ("a stranger has cosigned in another region's name", cosigned(&seen, Who::Stranger(0)), nowhere(US)),
        ("another region is said to have cosigned and has not", seen.clone(), nowhere(US)),
        ("what another region has cosigned is no checkpoint", "and more\n".to_owned(), nowhere(US)),
    ];
    for (name, note, finds) in notes {
        let change = list.put(US, note.into_bytes());
        list.add("long", name, vec![change], finds);
    }
    let put = list.put(US, good.clone().into_bytes());
    let flip = Change::Flip { object: US.into(), byte: seen.len() + BEFORE_SIGNATURE, bit: 1 };
    list.add("long", "a bit of a cosignature is flipped", vec![put, flip], nowhere(US));
    let misspelt = list.put("witness/US", good.into_bytes());
    list.add("long", "a cosigned checkpoint with a misspelt name is there", vec![misspelt], nowhere("witness/US"));
}

/// A tree head that somebody signed for the log.
fn signed(archive: &Written, head: &Checkpoint, who: Who) -> String {
    head.sign(&seal::signer_of(&archive.origin(), who))
}

/// A checkpoint with a cosignature in the name of the region `us`.
fn cosigned(note: &str, who: Who) -> String {
    let line = cosignature::line(note, &seal::signer_of(seal::WITNESS, who), written::sealed_at(4)).expect("a note");
    format!("{note}{line}\n")
}
