//! Forms with files, as browsers send them (RFC 7578).
//!
//! The whole is read into memory under the limits of an upload and then cut at its boundaries. A repeated form has another
//! boundary, so that what tells one request from another is made of the parts and not of the bytes between them.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header,
};

use super::{Read, RequestPrint, UPLOAD, form::Form, read, room::Place};
use crate::{problem::ApiError, state::Desk};

/// Parts of a form at most.
const PARTS_MAX: usize = 1000;
/// Files of a form at most.
const FILES_MAX: usize = 10;

/// A form that may have files: `multipart/form-data` of at most 50 MiB, or any other form.
#[derive(Debug)]
pub(crate) struct FormWithFiles {
    /// The fields.
    pub(crate) form: Form,
    /// The files that were chosen.
    pub(crate) files: Vec<File>,
    /// Held as long as what came out of the bytes.
    _place: Option<Place>,
}

/// A file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Bytes,
}

/// A part, as it stands between two boundaries.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Field(String, String),
    File(File),
}

impl FromRequest<Desk> for FormWithFiles {
    type Rejection = ApiError;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(boundary) = content_type.and_then(boundary) else {
            let form = Form::from_request(request, desk).await?;
            return Ok(Self { form, files: Vec::new(), _place: None });
        };
        let (parts, body) = request.into_parts();
        let Read { bytes, place } = read(desk.room(), &parts.headers, body, UPLOAD).await?;
        let (mut pairs, mut files, mut digested) = (Vec::new(), Vec::new(), Vec::new());
        for part in cut(&bytes, &boundary).ok_or_else(|| ApiError::bad_request("The form is malformed"))? {
            match part {
                Part::Field(name, value) => {
                    // Lengths stand between, so that no two forms are the same bytes.
                    digested.extend_from_slice(format!("{}:{name}{}:{value}", name.len(), value.len()).as_bytes());
                    pairs.push((name, value));
                }
                Part::File(file) => {
                    let (name, hash) = (&file.name, schemas::Hash::of(&[&file.bytes]));
                    digested.extend_from_slice(format!("file {}:{name}{hash}", name.len()).as_bytes());
                    files.push(file);
                }
            }
        }
        if files.len() > FILES_MAX {
            return Err(ApiError::too_many_values(FILES_MAX));
        }
        let print = RequestPrint::of(&parts, &digested)?;
        Ok(Self { form: Form::of(pairs, print), files, _place: Some(place) })
    }
}

/// The boundary, if the content is a form with files.
fn boundary(content_type: &str) -> Option<String> {
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameter(parameters, "boundary").filter(|boundary| !boundary.is_empty() && boundary.len() <= 70)
}

/// A parameter such as `; name="value"`. Browsers write a quote within a value as `%22`, so that the next one ends it.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (key, after) = rest.trim_start_matches([';', ' ']).split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.trim().to_owned());
        }
        rest = after;
    }
}

/// The parts between the boundaries. A file input in which nothing was chosen is no part.
fn cut(bytes: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}");
    let first = format!("--{boundary}");
    let mut at = if bytes.starts_with(first.as_bytes()) {
        first.len()
    } else {
        find(bytes, delimiter.as_bytes())? + delimiter.len()
    };
    let mut parts = Vec::new();
    while !bytes[at..].starts_with(b"--") {
        if parts.len() == PARTS_MAX {
            return None;
        }
        let begun = at + find(&bytes[at..], b"\r\n")? + 2;
        let length = find(&bytes[begun..], delimiter.as_bytes())?;
        parts.extend(part(&bytes.slice(begun..begun + length))?);
        at = begun + length + delimiter.len();
    }
    Some(parts)
}

/// A part: the inner option is nothing where no file was chosen.
fn part(bytes: &Bytes) -> Option<Option<Part>> {
    let end = find(bytes, b"\r\n\r\n")?;
    let headers = std::str::from_utf8(&bytes[..end]).ok()?;
    let body = bytes.slice(end + 4..);
    let header = |name: &str| {
        let mut lines = headers.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| found.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let (_, disposition) = header("content-disposition")?.split_once(';')?;
    let unescaped = |text: String| text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
    let name = unescaped(parameter(disposition, "name")?);
    let Some(file_name) = parameter(disposition, "filename") else {
        return Some(Some(Part::Field(name, String::from_utf8(body.to_vec()).ok()?)));
    };
    if file_name.is_empty() && body.is_empty() {
        return Some(None);
    }
    let content_type = header("content-type").map(str::to_owned);
    Some(Some(Part::File(File { name: unescaped(file_name), content_type, bytes: body })))
}

fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    // By its first byte, which the search for one byte finds fast.
    let (first, mut from) = (*sought.first()?, 0);
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(sought) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_cut_at_its_boundaries() {
        let bytes = Bytes::from_static(
            b"--x\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\ntwo\r\nlines --x\r\n\
              --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \xf0\x9f\xa6\x8a %22b%22.txt\"\r\nContent-Type: text/plain\r\n\r\n\r\n\r\nx\r\n\
              --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n",
        );
        let file = File {
            name: "a 🦊 \"b\".txt".to_owned(),
            content_type: Some("text/plain".to_owned()),
            bytes: Bytes::from_static(b"\r\n\r\nx"),
        };
        let field = Part::Field("comment".to_owned(), "two\r\nlines --x".to_owned());
        assert_eq!(cut(&bytes, "x"), Some(vec![field, Part::File(file)]));
    }

    #[test]
    fn what_is_no_form_is_refused_and_never_panics() {
        let whole = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n";
        for length in 0..whole.len() - 4 {
            assert_eq!(cut(&Bytes::copy_from_slice(&whole[..length]), "x"), None, "{length}");
        }
        assert!(cut(&Bytes::from_static(b"--x\r\n\r\n--x--"), "x").is_none());
    }

    #[test]
    fn the_boundary_may_be_quoted() {
        assert_eq!(boundary("multipart/form-data; boundary=----abc").as_deref(), Some("----abc"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a;b\"").as_deref(), Some("a;b"));
        assert_eq!(boundary("application/x-www-form-urlencoded; boundary=x"), None);
        assert_eq!(boundary("multipart/form-data"), None);
    }
}
