//! Bundles of entries: each entry preceded by its length as a big-endian 16-bit number.

/// An entry longer than a bundle can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry takes at most 65535 bytes, this one has {0}")]
pub struct EntryTooLong(pub usize);

/// Appends an entry to a bundle.
pub fn push(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let length = u16::try_from(entry.len()).map_err(|_| EntryTooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle; an error where it ends within an entry.
pub fn entries(bundle: &[u8]) -> impl Iterator<Item = Result<&[u8], Cut>> {
    let mut rest = bundle;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let entry = rest.split_first_chunk::<2>().and_then(|(length, after)| {
            let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            rest = after;
            Some(entry)
        });
        if entry.is_none() {
            rest = &[];
        }
        Some(entry.ok_or(Cut))
    })
}

/// A bundle that ends within an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bundle ends within an entry")]
pub struct Cut;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_as_they_went_in() {
        let mut bundle = Vec::new();
        for entry in [&b"one"[..], b"", b"three"] {
            push(&mut bundle, entry).expect("short");
        }
        assert_eq!(bundle[..5], [0, 3, b'o', b'n', b'e']);
        assert_eq!(entries(&bundle).collect::<Result<Vec<_>, _>>(), Ok(vec![&b"one"[..], b"", b"three"]));
        assert_eq!(entries(&bundle[..bundle.len() - 1]).last(), Some(Err(Cut)));
        assert_eq!(push(&mut bundle, &vec![0; 65_536]), Err(EntryTooLong(65_536)));
    }
}
