//! Words: what of a text is found, in any language at once.
//!
//! A text is folded (compatibility forms, small letters, no accents) and cut where neither letters nor digits are. Nobody says in which
//! language it is, so each word has the forms it has in those we know: as it is written, with `ae` for `ä`, its stem in English, its stem in
//! German. Where words have no spaces between them, in Japanese and Chinese, every two neighbouring characters are a form, so that any
//! part of a text is found there as a phrase.

mod indexed;

use rust_stemmers::{Algorithm, Stemmer};
use schemas::TenantId;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

pub use self::indexed::Indexed;

/// The characters of a word that count: longer ones are found by their beginnings.
const LENGTH_MAX: usize = 48;
/// The shortest word that also finds those it begins; one or two letters begin half of all there are.
const PREFIX_LENGTH_MIN: usize = 3;

/// A part of a folded text: a word of letters and digits, or characters without spaces between words.
#[derive(Debug, PartialEq, Eq)]
enum Run {
    Spaced(String),
    Unspaced(Vec<char>),
}

/// What is sought: words that stand beside one another in this order. One word is a phrase of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought(pub Vec<SoughtWord>);

/// A word of what is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoughtWord {
    /// How many places after the first word.
    pub place: u16,
    /// One of these forms stands there.
    pub forms: Vec<String>,
    /// Or a form that begins with one of these.
    pub beginnings: Vec<String>,
}

impl Sought {
    /// What to look for; nothing, if there is no letter and no digit in it. What stood in quotes finds its own words and their stems,
    /// anything else also words that begin so.
    pub fn of(text: &str, is_quoted: bool) -> Option<Self> {
        let mut words = Vec::new();
        let mut place = 0_u16;
        for run in runs(text) {
            match run {
                Run::Spaced(word) => {
                    let Forms { written, stems } = forms(&word);
                    let is_long = word.chars().count() >= PREFIX_LENGTH_MIN;
                    let (beginnings, exact) =
                        if is_long && !is_quoted { (written, Vec::new()) } else { (Vec::new(), written) };
                    words.push(SoughtWord { place, forms: exact.into_iter().chain(stems).collect(), beginnings });
                    place = place.saturating_add(1);
                }
                Run::Unspaced(characters) => {
                    let length = u16::try_from(characters.len()).unwrap_or(u16::MAX);
                    for (pair, at) in characters.windows(2).zip(place..) {
                        words.push(SoughtWord {
                            place: at,
                            forms: vec![pair.iter().collect()],
                            beginnings: Vec::new(),
                        });
                    }
                    // One character begins the form it makes with whatever follows it.
                    if let [one] = characters[..] {
                        words.push(SoughtWord { place, forms: Vec::new(), beginnings: vec![one.to_string()] });
                    }
                    place = place.saturating_add(length);
                }
            }
        }
        (!words.is_empty()).then_some(Self(words))
    }
}

/// A form as the index holds it: the tenant comes first, so that looking for a tenant's words reads nothing of others. Four bytes of the
/// id do: tenants that share them only read past one another.
pub fn lexeme(tenant: TenantId, form: &str) -> String {
    let [.., one, two, three, four] = *tenant.get().as_bytes();
    format!("{:08x}{form}", u32::from_be_bytes([one, two, three, four]))
}

/// The forms of a word.
struct Forms {
    /// As it is written: without accents, and with `ae` for `ä` where that is another way.
    written: Vec<String>,
    /// Its stems that are not.
    stems: Vec<String>,
}

fn forms(word: &str) -> Forms {
    let mut written = vec![plain(word)];
    let spelled_out = plain(&word.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue"));
    if spelled_out != written[0] {
        written.push(spelled_out);
    }
    let mut stems: Vec<String> = Vec::new();
    if word.chars().all(is_latin) {
        let english = Stemmer::create(Algorithm::English).stem(&written[0]).into_owned();
        let german = Stemmer::create(Algorithm::German);
        let in_german = written
            .iter()
            .map(|form| german.stem(form).into_owned())
            .chain([plain(&german.stem(&word.replace('ß', "ss")))]);
        for stem in [english].into_iter().chain(in_german) {
            if !stem.is_empty() && !written.contains(&stem) && !stems.contains(&stem) {
                stems.push(stem);
            }
        }
    }
    Forms { written, stems }
}

/// Without accents.
fn plain(word: &str) -> String {
    let bare = word.nfd().filter(|character| !is_accent(*character));
    let spelled = bare.flat_map(|character| match character {
        'ß' => ['s', 's'].into_iter().take(2),
        'æ' => ['a', 'e'].into_iter().take(2),
        'œ' => ['o', 'e'].into_iter().take(2),
        'ø' => ['o'; 2].into_iter().take(1),
        'đ' => ['d'; 2].into_iter().take(1),
        'ł' => ['l'; 2].into_iter().take(1),
        'ı' => ['i'; 2].into_iter().take(1),
        'ς' => ['σ'; 2].into_iter().take(1),
        other => [other; 2].into_iter().take(1),
    });
    spelled.nfc().collect()
}

fn is_latin(character: char) -> bool {
    character.is_alphabetic() && character < '\u{250}'
}

/// Han, Hiragana, Katakana and their marks: after compatibility forms, half-width Katakana are among them.
const fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}'
        | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// Cuts a text.
fn runs(text: &str) -> impl Iterator<Item = Run> {
    let mut characters = folded(text).into_iter().peekable();
    std::iter::from_fn(move || {
        // What separates is skipped.
        while characters.next_if(|one| !is_unspaced(*one) && !is_letter_or_digit(*one)).is_some() {}
        let first = *characters.peek()?;
        if is_unspaced(first) {
            return Some(Run::Unspaced(std::iter::from_fn(|| characters.next_if(|one| is_unspaced(*one))).collect()));
        }
        let is_part = |one: char| is_letter_or_digit(one) || is_combining_mark(one) || is_apostrophe(one);
        let mut word: String =
            std::iter::from_fn(|| characters.next_if(|one| !is_unspaced(*one) && is_part(*one))).collect();
        word.retain(|one| !is_apostrophe(one));
        Some(Run::Spaced(word.chars().take(LENGTH_MAX).collect()))
    })
}

/// What begins a word. An accent alone does not, whatever letter Unicode counts it among.
fn is_letter_or_digit(character: char) -> bool {
    character.is_alphanumeric() && !is_accent(character)
}

/// Combining diacritical marks, of any letters: Japanese voicing marks are others.
const fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

const fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '\u{2019}')
}

/// Compatibility forms, composed, in small letters. Characters that show nothing part no word.
fn folded(text: &str) -> Vec<char> {
    let shown = text.chars().filter(|character| !crate::text::is_ignorable(*character));
    shown.nfkc().flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests;
