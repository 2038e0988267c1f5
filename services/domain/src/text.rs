//! What texts that people send may be: lengths in Unicode scalar values, control characters, the syntax of addresses.
//!
//! Each function takes what was sent and gives what is recorded (trimmed, lower-cased where that is the rule), or names
//! the field and what it takes. What was sent is never part of the answer: it may be somebody's data.

mod address;
mod invisible;
mod name_of_tenant;
mod profile;
mod tag;
mod time_zone;

pub use address::{domain_names, email};
pub use invisible::{is_bidi_control, is_ignorable};
pub use name_of_tenant::{RESERVED_SLUGS, slug};
pub use profile::{LOCALES, locale_id, organization_detail, person_detail, phone_number};
pub use tag::{TAG_LENGTH_MAX, TAGS_MAX, tags};
pub use time_zone::{DEFAULT_TIME_ZONE, iana_name};

/// The longest subject, name or title, in characters.
pub const LINE_LENGTH_MAX: usize = 255;
/// The longest comment, in characters.
pub const BODY_LENGTH_MAX: usize = 64 * 1024;
/// The longest comment in HTML, in characters: markup may take more room than the text it dresses.
pub const HTML_LENGTH_MAX: usize = 4 * BODY_LENGTH_MAX;
/// The shortest password, in characters.
pub const PASSWORD_LENGTH_MIN: usize = 10;
/// The longest password, in characters: hashing more would only cost time.
pub const PASSWORD_LENGTH_MAX: usize = 128;

/// A field that holds what it cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: takes {takes}")]
pub struct Invalid {
    /// The field, as the API calls it.
    pub field: &'static str,
    /// What it takes.
    pub takes: String,
}

impl Invalid {
    /// `field` takes `takes`.
    pub fn new(field: &'static str, takes: impl Into<String>) -> Self {
        Self { field, takes: takes.into() }
    }
}

/// One line of 1 to 255 characters after trimming, none of them a control character and not all of them invisible.
///
/// Controls of writing direction count as control characters: they make a line read as another than it is.
pub fn line(field: &'static str, text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let is_control = |character: char| character.is_control() || is_bidi_control(character);
    if is_blank(text) || text.chars().count() > LINE_LENGTH_MAX || text.chars().any(is_control) {
        return Err(Invalid::new(
            field,
            format!("1 to {LINE_LENGTH_MAX} characters, not only invisible ones, none of them a control character"),
        ));
    }
    Ok(text.to_owned())
}

/// Whether nobody would see anything.
fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || is_ignorable(character))
}

/// The subject of a ticket.
pub fn subject(text: &str) -> Result<String, Invalid> {
    line("subject", text)
}

/// A line of a field that is called so.
pub fn name_of(field: &'static str) -> impl Fn(&str) -> Result<String, Invalid> {
    move |text| line(field, text)
}

/// The name of a person or a group.
pub fn name(text: &str) -> Result<String, Invalid> {
    line("name", text)
}

/// The name of a tenant's company.
pub fn company(text: &str) -> Result<String, Invalid> {
    line("company", text)
}

/// What an API token is for.
pub fn description(text: &str) -> Result<String, Invalid> {
    line("description", text)
}

/// What a group is for; it may be empty.
pub fn group_description(text: &str) -> Result<String, Invalid> {
    if is_blank(text) { Ok(String::new()) } else { line("description", text) }
}

/// A ticket's id in another system.
pub fn external_id(text: &str) -> Result<String, Invalid> {
    line("external_id", text)
}

/// The tenant's address that a ticket was sent to, as the mail names it.
pub fn recipient(text: &str) -> Result<String, Invalid> {
    line("recipient", text)
}

/// What a file is called.
pub fn file_name(text: &str) -> Result<String, Invalid> {
    line("filename", text)
}

/// The text of a comment: not blank, kept as it was sent.
pub fn body(text: &str) -> Result<String, Invalid> {
    // Stores keep texts as texts, and U+0000 is none.
    if is_blank(text) || text.chars().count() > BODY_LENGTH_MAX || text.contains('\0') {
        return Err(Invalid::new(
            "comment.body",
            format!("1 to {BODY_LENGTH_MAX} characters, not only invisible ones, none of them U+0000"),
        ));
    }
    Ok(text.to_owned())
}

/// The cleaned HTML of a comment.
pub fn html_body(text: &str) -> Result<String, Invalid> {
    if text.chars().count() > HTML_LENGTH_MAX || text.contains('\0') {
        return Err(Invalid::new(
            "comment.html_body",
            format!("at most {HTML_LENGTH_MAX} characters, none of them U+0000"),
        ));
    }
    Ok(text.to_owned())
}

/// A password: any characters, so long as there are enough of them.
pub fn password(text: &str) -> Result<(), Invalid> {
    if (PASSWORD_LENGTH_MIN..=PASSWORD_LENGTH_MAX).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(Invalid::new("password", format!("{PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters")))
}

/// A media type (RFC 2045, section 5.1): `type/subtype`, perhaps with parameters.
pub fn content_type(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let essence = text.split(';').next().unwrap_or_default().trim();
    let valid = text.len() <= LINE_LENGTH_MAX
        && !text.chars().any(char::is_control)
        && essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    if valid { Ok(text.to_owned()) } else { Err(Invalid::new("content_type", "a media type such as text/plain")) }
}

/// A token of RFC 2045: printable ASCII without spaces and separators.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !br#"()<>@,;:\"/[]?="#.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_1_to_255_characters_whatever_their_bytes() {
        assert_eq!(subject("  Drücker kaputt "), Ok("Drücker kaputt".to_owned()));
        assert!(subject(&"\u{1F525}".repeat(255)).is_ok());
        assert!(subject(&"a".repeat(256)).is_err());
        assert!(subject(" \t ").is_err());
    }

    #[test]
    fn a_line_takes_no_control_characters() {
        for bad in ["a\nb", "a\u{0}b", "a\u{7f}b", "a\u{85}b", "\u{1b}[31mred"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_line_shows_something_and_reads_as_it_is_written() {
        for bad in ["\u{200b}", "\u{3164}\u{2060}", "invoice\u{202e}fdp.exe", "\u{2066}a\u{2069}", "a\u{200f}"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        for good in ["\u{1f469}\u{200d}\u{1f692}", "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}", "\u{5e9}\u{5dc}"] {
            assert!(name(good).is_ok(), "joiners belong to words: {good:?}");
        }
        assert!(body("\u{202b}\u{5e9}\u{202c}").is_ok(), "a text of many lines may need them");
    }

    #[test]
    fn an_error_names_the_field_and_what_it_takes_but_not_what_was_sent() {
        let error = subject("secret\u{0}").expect_err("refused").to_string();
        assert_eq!(
            error,
            "subject: takes 1 to 255 characters, not only invisible ones, none of them a control character"
        );
    }

    #[test]
    fn a_body_keeps_its_lines_and_is_never_blank() {
        assert_eq!(body("a\n\tb \n"), Ok("a\n\tb \n".to_owned()));
        for bad in ["", " \n\t ", "\u{200b} \u{feff}\n\u{ad}", "a\u{0}", &"é".repeat(BODY_LENGTH_MAX + 1)] {
            assert_eq!(body(bad).expect_err("refused").field, "comment.body");
        }
        assert!(body(&"é".repeat(BODY_LENGTH_MAX)).is_ok());
    }

    #[test]
    fn a_media_type_has_a_type_and_a_subtype() {
        for good in ["text/plain", "text/plain; charset=utf-8", "application/vnd.ms-excel", "image/svg+xml"] {
            assert!(content_type(good).is_ok(), "{good}");
        }
        for bad in ["", "text", "text/", "/plain", "text/pl ain", "text/plain\r\nX: y", "te xt/plain"] {
            assert!(content_type(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_password_has_10_to_128_characters() {
        assert!(password("correct horse").is_ok());
        assert!(password("short").is_err());
        assert!(password(&"a".repeat(129)).is_err());
    }
}
