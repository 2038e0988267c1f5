//! A bundle on a connection: POSIX tar (IEEE Std 1003.1, "ustar Interchange Format"), as much of it as plain files take.
//!
//! A header of one block, the file, zeros up to the next block; two blocks of zeros end it.

/// What headers and padding come in.
pub const BLOCK: usize = 512;
/// What an archive ends with.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// A size has 11 octal digits.
const SIZE_MAX: u64 = (1 << 33) - 1;
const NAME: std::ops::Range<usize> = 0..100;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const TYPE: usize = 156;
const MAGIC: std::ops::Range<usize> = 257..265;
const PREFIX: std::ops::Range<usize> = 345..500;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header {
    /// A file of so many bytes follows.
    File {
        /// Its path.
        path: String,
        /// Its length.
        size: u64,
    },
    /// Nothing follows.
    End,
}

/// The header of a file. Nothing if path or size are beyond what the format takes.
pub fn header(path: &str, size: u64) -> Option<[u8; BLOCK]> {
    let (prefix, name) = split(path)?;
    if size > SIZE_MAX {
        return None;
    }
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(NAME.start, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(SIZE.start, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(TYPE, b"0");
    put(MAGIC.start, b"ustar\x0000");
    put(PREFIX.start, prefix.as_bytes());
    let sum = checksum(&block);
    block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

/// Zeros from the end of a file to the next block.
pub fn padding(size: u64) -> &'static [u8] {
    let beyond = (size % BLOCK as u64) as usize;
    if beyond == 0 { &[] } else { &END[beyond..BLOCK] }
}

/// Reads a header. Nothing if it is none, or of anything but a plain file.
pub fn read(block: &[u8; BLOCK]) -> Option<Header> {
    if *block == [0; BLOCK] {
        return Some(Header::End);
    }
    let is_plain = block[MAGIC] == *b"ustar\x0000" && block[TYPE] == b'0';
    if !is_plain || octal(&block[CHECKSUM])? != u64::from(checksum(block)) {
        return None;
    }
    let (prefix, name) = (text(&block[PREFIX])?, text(&block[NAME])?);
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
    Some(Header::File { path, size: octal(&block[SIZE])? })
}

/// A path in its two fields, divided at a slash.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME.len() {
        return Some(("", path));
    }
    let mut slashes = path.match_indices('/').map(|(at, _)| path.split_at(at));
    let fits = |(prefix, name): &(&str, &str)| prefix.len() <= PREFIX.len() && name.len() <= NAME.len() + 1;
    slashes.find(fits).map(|(prefix, name)| (prefix, &name[1..]))
}

/// The sum of the header's bytes, where those of the sum itself count as spaces.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let byte = |(at, byte): (usize, &u8)| u32::from(if CHECKSUM.contains(&at) { b' ' } else { *byte });
    block.iter().enumerate().map(byte).sum()
}

fn text(field: &[u8]) -> Option<&str> {
    std::str::from_utf8(field.split(|byte| *byte == 0).next()?).ok()
}

fn octal(field: &[u8]) -> Option<u64> {
    u64::from_str_radix(text(field)?.trim_matches(' '), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back() {
        let long = format!("{}/{}", "a".repeat(140), "b".repeat(90));
        for (path, size) in [("BUNDLE.json", 0), ("archive/log/tile/0/x001/067.p/12", 511), (&long, SIZE_MAX)] {
            let block = header(path, size).expect("it fits");
            assert_eq!(read(&block), Some(Header::File { path: path.to_owned(), size }));
            for at in [0, SIZE.start, TYPE, MAGIC.start, CHECKSUM.start] {
                let mut changed = block;
                changed[at] ^= 1;
                assert_eq!(read(&changed), None, "{path}, byte {at}");
            }
            assert_eq!((size as usize + padding(size).len()) % BLOCK, 0);
        }
        assert_eq!(read(&[0; BLOCK]), Some(Header::End));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(header("a", SIZE_MAX + 1), None);
        assert_eq!(header(&"a".repeat(101), 0), None);
        assert_eq!(header(&format!("{}/b", "a".repeat(156)), 0), None);
    }

    #[test]
    fn the_systems_tar_reads_it() {
        let path = format!("{}/{}", "a".repeat(140), "b".repeat(90));
        let mut bytes = Vec::new();
        for (path, content) in [("empty", &b""[..]), ("events/1", b"sealed"), (&path, &[7; 1024])] {
            bytes.extend(header(path, content.len() as u64).expect("it fits"));
            bytes.extend(content);
            bytes.extend(padding(content.len() as u64));
        }
        bytes.extend(END);
        let folder = std::env::temp_dir().join(format!("domicile-tar-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("bundle.tar"), bytes).expect("a file");
        let mut tar = std::process::Command::new("tar");
        let done = tar.args(["-xf", "bundle.tar"]).current_dir(&folder).status().expect("tar is everywhere");
        let read = |path: &str| std::fs::read(folder.join(path)).expect("it was unpacked");
        assert!(done.success());
        assert_eq!((read("empty"), read("events/1"), read(&path)), (vec![], b"sealed".to_vec(), vec![7; 1024]));
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
