//! A change to an archive, and what a reader must say to it.

use serde::{Deserialize, Serialize};

use super::Files;

/// One entry of the list of mutations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// What was done, in words.
    pub name: String,
    /// To which archive: `long`, `short` or `rotated`.
    pub archive: String,
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// With which key the reader is asked.
    #[serde(default, skip_serializing_if = "Key::is_region")]
    pub key: Key,
    /// What it must find. Nothing: the archive is whole all the same.
    pub finds: Option<Expected>,
}

/// What a reader must find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// An object that it must name.
    pub object: String,
    /// Between which positions the first wrong one lies; nothing where no position is wrong.
    pub first_wrong: Option<[i64; 2]>,
}

/// The key that a reader is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The first one of the region.
    #[default]
    Region,
    /// The newest one of the region.
    Newest,
    /// None: it takes the one that the archive names.
    None,
    /// The same key under the name of the other archive's log.
    OtherLog,
}

impl Key {
    fn is_region(&self) -> bool {
        *self == Self::Region
    }
}

/// One change. Objects are named below the tenant's prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A bit is the other way round; 0 is the lowest of its byte.
    Flip {
        /// In which object.
        object: String,
        /// In which byte, from 0.
        byte: usize,
        /// Which bit.
        bit: u8,
    },
    /// It ends early.
    Truncate {
        /// Which object.
        object: String,
        /// How many bytes are left.
        length: usize,
    },
    /// It is gone.
    Drop {
        /// Which object.
        object: String,
    },
    /// Two have each other's bytes.
    Swap {
        /// The two.
        objects: [String; 2],
    },
    /// It is there with other bytes.
    Put {
        /// Which object.
        object: String,
        /// Where its bytes lie, in the folder of vectors.
        file: String,
    },
}

impl Mutation {
    /// Makes the changes to an archive's objects. `files` are those of the folder of vectors.
    ///
    /// # Panics
    /// If the list names what is not there.
    pub fn apply(&self, objects: &mut Files, files: &Files) {
        for change in &self.changes {
            change.apply(objects, files);
        }
    }
}

impl Change {
    fn apply(&self, objects: &mut Files, files: &Files) {
        let there = "a mutation changes what is there";
        match self {
            Self::Flip { object, byte, bit } => objects.get_mut(object).expect(there)[*byte] ^= 1 << bit,
            Self::Truncate { object, length } => objects.get_mut(object).expect(there).truncate(*length),
            Self::Drop { object } => drop(objects.remove(object).expect(there)),
            Self::Swap { objects: [one, other] } => {
                let (first, second) = (objects[one].clone(), objects[other].clone());
                objects.extend([(one.clone(), second), (other.clone(), first)]);
            }
            Self::Put { object, file } => drop(objects.insert(object.clone(), files[file].clone())),
        }
    }
}
