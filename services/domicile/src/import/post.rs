//! Posts one message: as a new ticket, or as a comment on the ticket of its thread.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{Client, Error};
use crate::mail::{Attachment, Mail, Sender};

/// The longest body the API takes, in characters. What is longer travels whole as a file beside its beginning.
const BODY_LENGTH_MAX: usize = 65_536;
/// The longest file name the API takes, in characters.
const FILE_NAME_LENGTH_MAX: usize = 255;
/// The longest subject the API takes, in characters.
const SUBJECT_LENGTH_MAX: usize = 255;

/// Posts messages to one tenant, and remembers who is who.
#[derive(Debug)]
pub struct Poster {
    client: Client,
    people: Mutex<HashMap<Sender, i64>>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// The ticket it is in.
    pub ticket: i64,
    /// Whether this request put it there, and not one of an earlier run.
    pub is_new: bool,
}

impl Poster {
    /// Posts through this client, whose token belongs to an admin.
    pub fn new(client: Client) -> Self {
        Self { client, people: Mutex::default() }
    }

    /// Opens a ticket with the message as its first comment.
    pub async fn open(&self, mail: &Mail) -> Result<Posted, Error> {
        let author = self.person(&mail.from).await?;
        let subject = if mail.subject.is_empty() { "(no subject)" } else { &mail.subject };
        let subject: String = subject.chars().take(SUBJECT_LENGTH_MAX).collect();
        let key = mail.key();
        let body = json!({"ticket": {
            "subject": subject,
            "requester_id": author,
            "comment": self.comment(mail, author).await?,
            "external_id": key,
            "via": {"channel": "email"},
        }});
        match self.client.send(Method::POST, "/api/v2/tickets.json", &body, Some(&key)).await {
            Ok(answer) => Ok(Posted { ticket: id_of(&answer.body["ticket"]), is_new: !answer.is_replay }),
            // The key was used by an earlier run that uploaded the files under other tokens: the ticket is there.
            Err(error) if is_repeat(&error) => {
                let found: Value = self.client.get(&format!("/api/v2/tickets.json?external_id={key}")).await?;
                let is_ours = |ticket: &&Value| ticket["external_id"] == key;
                let ticket = found["tickets"]
                    .as_array()
                    .and_then(|tickets| tickets.iter().find(is_ours))
                    .map(id_of)
                    .ok_or(error)?;
                Ok(Posted { ticket, is_new: false })
            }
            Err(error) => Err(error),
        }
    }

    /// Adds the message to a ticket as a public comment by its author.
    pub async fn answer(&self, ticket: i64, mail: &Mail) -> Result<Posted, Error> {
        let author = self.person(&mail.from).await?;
        let body = json!({"ticket": {"comment": self.comment(mail, author).await?, "via": {"channel": "email"}}});
        let sent =
            self.client.send(Method::PUT, &format!("/api/v2/tickets/{ticket}.json"), &body, Some(&mail.key())).await;
        match sent {
            Ok(answer) => Ok(Posted { ticket, is_new: !answer.is_replay }),
            Err(error) if is_repeat(&error) => Ok(Posted { ticket, is_new: false }),
            Err(error) => Err(error),
        }
    }

    async fn comment(&self, mail: &Mail, author: i64) -> Result<Value, Error> {
        let mut comment = json!({"author_id": author, "public": true});
        let (body, whole) = shortened(mail);
        match (&mail.text, &mail.html) {
            (None, Some(html)) if html.chars().count() <= BODY_LENGTH_MAX && says_something(html) => {
                let note = note_of_empty_files(mail).replace('&', "&amp;").replace('<', "&lt;");
                comment["html_body"] = json!(format!("{html}<p>{note}</p>").replace("<p></p>", ""));
            }
            _ => comment["body"] = json!(body),
        }
        let mut uploads = Vec::new();
        for file in mail.attachments.iter().filter(|file| !file.content.is_empty()).chain(&whole) {
            let (name, content_type) = as_the_api_takes_it(file);
            let path = format!("/api/v2/uploads.json?filename={}", percent_encoded(&name));
            let answer: Value = self.client.upload(&path, content_type, &file.content).await?;
            uploads.push(answer["upload"]["token"].clone());
        }
        comment["uploads"] = Value::Array(uploads);
        Ok(comment)
    }

    async fn known(&self, sender: &Sender) -> Result<Option<i64>, Error> {
        let query = percent_encoded(&format!("email:{}", sender.email));
        let found: Value = self.client.get(&format!("/api/v2/users/search.json?query={query}")).await?;
        let users = found["users"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(users.iter().find(|user| user["email"] == sender.email).map(id_of))
    }

    /// Only somebody unknown is made: the name in a sender line is anybody's claim, and changes nobody's profile.
    async fn known_or_new(&self, sender: &Sender) -> Result<i64, Error> {
        if let Some(id) = self.known(sender).await? {
            return Ok(id);
        }
        let body = json!({"user": {"name": sender.name, "email": sender.email}});
        match self.client.send(Method::POST, "/api/v2/users.json", &body, None).await {
            Ok(answer) => Ok(id_of(&answer.body["user"])),
            // Somebody else made the same person a moment ago.
            Err(error) => self.known(sender).await?.ok_or(error),
        }
    }

    async fn person(&self, sender: &Sender) -> Result<i64, Error> {
        let known = self.people.lock().unwrap_or_else(PoisonError::into_inner).get(sender).copied();
        if let Some(id) = known {
            return Ok(id);
        }
        let id = self.known_or_new(sender).await?;
        self.people.lock().unwrap_or_else(PoisonError::into_inner).insert(sender.clone(), id);
        Ok(id)
    }
}

/// What the API is told of a file: a name of at most 255 characters that keeps its extension, and a media type.
fn as_the_api_takes_it(file: &Attachment) -> (String, &str) {
    let is_type = domain::text::content_type(&file.content_type).is_ok();
    let content_type = if is_type { file.content_type.as_str() } else { "application/octet-stream" };
    let extension = file.file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let extension: String = if extension.is_empty() { String::new() } else { format!(".{extension}") };
    let length = file.file_name.chars().count();
    if length <= FILE_NAME_LENGTH_MAX || extension.chars().count() > 16 {
        return (file.file_name.chars().take(FILE_NAME_LENGTH_MAX).collect(), content_type);
    }
    let kept = FILE_NAME_LENGTH_MAX - extension.chars().count();
    (file.file_name.chars().take(kept).collect::<String>() + &extension, content_type)
}

/// The body as the API takes it, and the whole text as a file when it is too long for that.
fn shortened(mail: &Mail) -> (String, Option<Attachment>) {
    let html = mail.html.as_deref().filter(|html| says_something(html));
    let text = mail.text.as_deref().or(html).unwrap_or("(no text)");
    // HTML without a word, one picture perhaps, has nothing to show as text: it travels whole as a file.
    let pictures = mail.html.as_ref().filter(|html| mail.text.is_none() && !says_something(html));
    let pictures = pictures.map(|html| Attachment {
        file_name: "message.html".to_owned(),
        content_type: "text/html".to_owned(),
        content: html.as_bytes().to_vec(),
    });
    let text = format!("{text}\n\n{}", note_of_empty_files(mail)).trim_end().to_owned();
    if text.chars().count() <= BODY_LENGTH_MAX {
        return (text, pictures);
    }
    const NOTE: &str = "\n\n[The whole message is in the file message.txt.]";
    let beginning: String = text.chars().take(BODY_LENGTH_MAX - NOTE.len()).collect();
    let whole = Attachment {
        file_name: "message.txt".to_owned(),
        content_type: "text/plain; charset=utf-8".to_owned(),
        content: text.as_bytes().to_vec(),
    };
    (beginning + NOTE, Some(whole))
}

/// The API takes no file without bytes; that one came along is still said.
fn note_of_empty_files(mail: &Mail) -> String {
    let empty = mail.attachments.iter().filter(|file| file.content.is_empty()).map(|file| file.file_name.as_str());
    let names = empty.collect::<Vec<_>>().join(", ");
    if names.is_empty() { names } else { format!("[Came with empty files: {names}]") }
}

/// Whether there is text between the tags; a message may be one picture.
fn says_something(html: &str) -> bool {
    let text = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    text.map(|text| text.replace("&nbsp;", "")).any(|text| !text.trim().is_empty())
}

fn is_repeat(error: &Error) -> bool {
    matches!(error, Error::Refused { status: StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST, reason, .. }
        if reason.contains("Idempotency-Key"))
}

fn id_of(resource: &Value) -> i64 {
    resource["id"].as_i64().unwrap_or_default()
}

fn percent_encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_the_api_would_refuse_is_told_in_its_terms() {
        let file =
            |name: String, kind: &str| Attachment { file_name: name, content_type: kind.to_owned(), content: vec![1] };
        let long = file(format!("{}.pdf", "x".repeat(300)), "text/foo bar");
        let (name, kind) = as_the_api_takes_it(&long);
        assert_eq!((name.chars().count(), name.ends_with("x.pdf"), kind), (255, true, "application/octet-stream"));
        assert_eq!(as_the_api_takes_it(&file("a.png".to_owned(), "image/png")), ("a.png".to_owned(), "image/png"));
    }

    #[test]
    fn html_that_is_one_picture_says_nothing() {
        assert!(!says_something("<html><body>&nbsp;<img src=\"cid:1\">\n</body></html>"));
        assert!(says_something("<p>hello</p>"));
        assert!(says_something("no tags at all"));
    }
}
