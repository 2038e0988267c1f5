//! Forms with files, as browsers send them (RFC 7578).
//!
//! The whole is read into memory under the limits of an upload and then cut at its boundaries. A repeated form has another
//! boundary, so that what tells one request from another is made of the parts and not of the bytes between them.

use std::convert::Infallible;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header,
};

use super::{Read, RequestPrint, UPLOAD, form::Form, read_of, room::Place};
use crate::{problem::ApiError, state::Desk};

/// Fields of a form at most.
const FIELDS_MAX: usize = 1000;
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

impl FromRequest<Desk> for FormWithFiles {
    type Rejection = ApiError;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(boundary) = content_type.and_then(boundary) else {
            let form = Form::from_request(request, desk).await?;
            return Ok(Self { form, files: Vec::new(), _place: None });
        };
        let (parts, body) = request.into_parts();
        let Read { bytes, place } = read_of(desk.room(), &parts, body, UPLOAD).await?;
        let (pairs, files) = cut(bytes, &boundary).await?;
        let mut digested = Vec::new();
        for (name, value) in &pairs {
            // Lengths stand between, so that no two forms are the same bytes.
            digested.extend_from_slice(format!("{}:{name}{}:{value}", name.len(), value.len()).as_bytes());
        }
        for File { name, bytes, .. } in &files {
            let hash = schemas::Hash::of(&[bytes]);
            digested.extend_from_slice(format!("file {}:{name}{hash}", name.len()).as_bytes());
        }
        let print = RequestPrint::of(&parts, &digested)?;
        Ok(Self { form: Form::of(pairs, print), files, _place: Some(place) })
    }
}

/// The boundary, if the content is a form with files.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    multer::parse_boundary(content_type).ok().filter(|boundary| !boundary.is_empty() && boundary.len() <= 70)
}

/// The fields and the files between the boundaries. A file input in which nothing was chosen is neither.
pub(crate) async fn cut(bytes: Bytes, boundary: &str) -> Result<(Vec<(String, String)>, Vec<File>), ApiError> {
    let malformed = || ApiError::bad_request("The form is malformed");
    let whole = futures::stream::once(async { Ok::<_, Infallible>(bytes) });
    let mut parts = multer::Multipart::new(whole, boundary);
    let (mut pairs, mut files) = (Vec::new(), Vec::new());
    while let Some(part) = parts.next_field().await.map_err(|_| malformed())? {
        let name = unescaped(part.name().ok_or_else(malformed)?);
        let (file_name, content_type) = (part.file_name().map(unescaped), part.content_type().map(ToString::to_string));
        let bytes = part.bytes().await.map_err(|_| malformed())?;
        match file_name {
            Some(name) if name.is_empty() && bytes.is_empty() => {}
            Some(name) => files.push(File { name, content_type, bytes }),
            None => pairs.push((name, String::from_utf8(bytes.to_vec()).map_err(|_| malformed())?)),
        }
        if pairs.len() > FIELDS_MAX {
            return Err(ApiError::too_many_values(FIELDS_MAX));
        }
        if files.len() > FILES_MAX {
            return Err(ApiError::too_many_values(FILES_MAX));
        }
    }
    Ok((pairs, files))
}

/// Browsers write what would end a name as three characters (HTML, section 4.10.21.8).
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_form_is_cut_at_its_boundaries() {
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
        let (pairs, files) = cut(bytes, "x").await.expect("a form");
        assert_eq!(pairs, [("comment".to_owned(), "two\r\nlines --x".to_owned())]);
        assert_eq!(files, [file]);
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused_and_never_panics() {
        let whole = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n";
        for length in 0..whole.len() - 4 {
            assert!(cut(Bytes::copy_from_slice(&whole[..length]), "x").await.is_err(), "{length}");
        }
        assert!(cut(Bytes::from_static(b"--x\r\n\r\n--x--"), "x").await.is_err());
        let many =
            "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n".repeat(FIELDS_MAX + 1) + "--x--\r\n";
        assert!(cut(Bytes::from(many), "x").await.is_err(), "too many fields");
    }

    #[test]
    fn the_boundary_may_be_quoted() {
        assert_eq!(boundary("multipart/form-data; boundary=----abc").as_deref(), Some("----abc"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a;b\"").as_deref(), Some("a;b"));
        assert_eq!(boundary("application/x-www-form-urlencoded; boundary=x"), None);
        assert_eq!(boundary("multipart/form-data"), None);
    }
}
