//! One message: who wrote it, what it says, what it answers.

use std::path::{Path, PathBuf};

use domain::text::{is_bidi_control, is_ignorable};
use mail_parser::{HeaderValue, MessageParser, MimeHeaders, PartType};
use schemas::Hash;

/// A message that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The file it came from.
    pub path: PathBuf,
    /// The Message-ID, if it has one that is not empty.
    pub id: Option<String>,
    /// What it answers: the In-Reply-To, then the References from the nearest to the farthest.
    pub answers: Vec<String>,
    /// Who wrote it.
    pub from: Sender,
    /// When, in seconds since 1970, if it says so.
    pub date: Option<i64>,
    /// The subject.
    pub subject: String,
    /// The plain text, if it has one.
    pub text: Option<String>,
    /// The HTML, if it has one.
    pub html: Option<String>,
    /// Files that came along.
    pub attachments: Vec<Attachment>,
    /// SHA-256 of the file: what tells apart messages without an id.
    pub digest: Hash,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sender {
    /// The display name, or the part before the `@`.
    pub name: String,
    /// The address, lower case.
    pub email: String,
}

/// A file that came along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What the sender called it.
    pub file_name: String,
    /// What the sender said it is.
    pub content_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Why a file is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The file could not be read.
    #[error("the file cannot be read: {0}")]
    File(String),
    /// It has no header.
    #[error("it has no mail header")]
    NoHeader,
    /// Nobody wrote it.
    #[error("it has no sender address (From)")]
    NoSender,
    /// The sender's address cannot be one.
    #[error("its sender's address (From) is not valid")]
    InvalidSender,
}

impl Mail {
    /// What tells this message from any other, in every run: its id, or the digest of its bytes.
    pub fn key(&self) -> String {
        match &self.id {
            Some(id) => Hash::of(&[b"id:", id.as_bytes()]).to_string(),
            None => Hash::of(&[b"bytes:", self.digest.as_bytes()]).to_string(),
        }
    }

    /// Reads a message (RFC 5322, MIME).
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Unreadable> {
        // An mbox separator before the header is not part of the message.
        let header = if bytes.starts_with(b"From ") {
            bytes.iter().position(|&byte| byte == b'\n').map_or(&bytes[..0], |end| &bytes[end + 1..])
        } else {
            bytes
        };
        let message = MessageParser::default().parse(header).ok_or(Unreadable::NoHeader)?;
        if message.headers().is_empty() {
            return Err(Unreadable::NoHeader);
        }
        let mut answers = ids(message.in_reply_to());
        answers.extend(ids(message.references()).into_iter().rev());
        answers.dedup();
        Ok(Self {
            path: path.to_owned(),
            id: message.message_id().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned),
            answers,
            from: sender(&message)?,
            date: message.date().map(mail_parser::DateTime::to_timestamp),
            subject: line(message.subject().unwrap_or_default()),
            text: text_body(&message),
            html: html_body(&message),
            attachments: message.attachments().enumerate().map(|(index, part)| attachment(index, part)).collect(),
            digest: Hash::of(&[bytes]),
        })
    }
}

fn ids(header: &HeaderValue<'_>) -> Vec<String> {
    let texts: Vec<&str> = match header {
        HeaderValue::Text(text) => vec![text],
        HeaderValue::TextList(list) => list.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    };
    // Old programs write prose there ("your message of Monday"): an id has an @ and no space.
    let is_id = |id: &&str| id.contains('@') && !id.contains(char::is_whitespace);
    texts.into_iter().map(str::trim).filter(is_id).map(str::to_owned).collect()
}

fn sender(message: &mail_parser::Message<'_>) -> Result<Sender, Unreadable> {
    let address = message.from().and_then(|from| from.first()).ok_or(Unreadable::NoSender)?;
    let email =
        address.address.as_deref().map(str::trim).filter(|email| !email.is_empty()).ok_or(Unreadable::NoSender)?;
    let email = domain::text::email(email).map_err(|_| Unreadable::InvalidSender)?;
    let name: String = line(address.name.as_deref().unwrap_or_default()).chars().take(255).collect();
    let name = if name.is_empty() { email.split('@').next().unwrap_or(&email).to_owned() } else { name };
    Ok(Sender { name, email })
}

fn text_body(message: &mail_parser::Message<'_>) -> Option<String> {
    let parts = message.text_bodies().filter_map(|part| match &part.body {
        PartType::Text(text) => Some(clean(text)),
        _ => None,
    });
    let text = parts.collect::<Vec<_>>().join("\n");
    (!text.trim().chars().all(is_ignorable)).then_some(text)
}

fn html_body(message: &mail_parser::Message<'_>) -> Option<String> {
    let parts = message.html_bodies().filter_map(|part| match &part.body {
        PartType::Html(html) => Some(clean(html)),
        _ => None,
    });
    let html = parts.collect::<Vec<_>>().join("\n");
    (!html.trim().is_empty()).then_some(html)
}

fn attachment(index: usize, part: &mail_parser::MessagePart<'_>) -> Attachment {
    let content_type = part.content_type().map_or_else(
        || "application/octet-stream".to_owned(),
        |kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream")).to_lowercase(),
    );
    let is_message = matches!(part.body, PartType::Message(_));
    let given = part.attachment_name().map(|name| line(name).replace(['/', '\\'], "_"));
    let fallback = format!("attachment-{}{}", index + 1, if is_message { ".eml" } else { "" });
    let content = match &part.body {
        // A message within the message travels as it was, headers included.
        PartType::Message(message) => message.raw_message().to_vec(),
        _ => part.contents().to_vec(),
    };
    Attachment { file_name: given.filter(|name| !name.trim().is_empty()).unwrap_or(fallback), content_type, content }
}

/// One line that says what it looks like: no control characters, nothing that turns the direction of reading. Nothing at
/// all if nothing of it can be seen.
fn line(text: &str) -> String {
    let shown: String = clean(text).chars().filter(|character| !is_bidi_control(*character)).collect();
    let line = shown.replace(['\n', '\t'], " ").trim().to_owned();
    if line.chars().all(is_ignorable) { String::new() } else { line }
}

/// Without control characters, which no store of text takes kindly: they become the replacement character.
fn clean(text: &str) -> String {
    let replace = |character: char| match character {
        '\n' | '\t' => Some(character),
        '\r' => None,
        control if control.is_control() => Some('\u{fffd}'),
        other => Some(other),
    };
    text.chars().filter_map(replace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Mail, Unreadable> {
        Mail::parse(Path::new("a.eml"), text.as_bytes())
    }

    #[test]
    fn a_message_says_who_what_and_what_it_answers() {
        let mail = parse(
            "From: =?utf-8?q?Ad=C3=A9?= <Ade@Example.org>\nSubject: =?utf-8?q?caf=C3=A9?=\nMessage-ID: <b@x>\n\
             In-Reply-To: <a@x>\nReferences: <root@x> <a@x>\nDate: Fri, 17 Jun 2016 22:14:41 -0400\n\nhello\n",
        )
        .expect("readable");
        assert_eq!(mail.from, Sender { name: "Adé".to_owned(), email: "ade@example.org".to_owned() });
        assert_eq!((mail.subject.as_str(), mail.id.as_deref()), ("café", Some("b@x")));
        assert_eq!(mail.answers, ["a@x", "root@x"]);
        assert_eq!(mail.date, Some(1_466_216_081));
        assert_eq!(mail.text.as_deref().map(str::trim), Some("hello"));
    }

    #[test]
    fn what_cannot_be_seen_is_left_out_of_subject_and_name() {
        let mail = parse("From: \u{202e}Mal <mal@x.org>\nSubject: \u{200b}\n\n\u{200b}\n").expect("readable");
        assert_eq!((mail.from.name.as_str(), mail.subject.as_str(), mail.text), ("Mal", "", None));
    }

    #[test]
    fn an_empty_message_id_is_none() {
        let mail = parse("From: a@x.org\nMessage-ID: <>\n\nhello\n").expect("readable");
        assert_eq!(mail.id, None);
    }

    #[test]
    fn prose_in_in_reply_to_is_no_id() {
        let mail =
            parse("From: a@x.org\nIn-Reply-To: Your message of Monday, from me@x.org\n\nhello\n").expect("readable");
        assert_eq!(mail.answers, Vec::<String>::new());
    }

    #[test]
    fn what_is_no_message_says_why() {
        assert_eq!(parse("").map(|_| ()), Err(Unreadable::NoHeader));
        assert_eq!(parse("Subject: x\n\nhello").map(|_| ()), Err(Unreadable::NoSender));
        assert_eq!(parse("From: a@b@c..d\n\nhello").map(|_| ()), Err(Unreadable::InvalidSender));
    }

    #[test]
    fn attachments_come_along_with_their_names() {
        let mail = parse(
            "From: a@x.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
             see there\n--b\nContent-Type: image/png\nContent-Disposition: attachment; filename=\"../x.png\"\n\
             Content-Transfer-Encoding: base64\n\nAAEC\n--b--\n",
        )
        .expect("readable");
        let file = Attachment {
            file_name: ".._x.png".to_owned(),
            content_type: "image/png".to_owned(),
            content: vec![0, 1, 2],
        };
        assert_eq!(mail.attachments, [file]);
    }
}
