//! Forms, as browsers send them.

use std::time::Duration;

use axum::{
    body::Body as HttpBody,
    extract::{FromRequest, Request},
};
use serde_json::{Map, Value};

use super::{Limit, RequestPrint, content_type, read_of};
use crate::{problem::ApiError, state::Desk};

pub(crate) const FORM: Limit = Limit { bytes: 1024 * 1024, patience: Duration::from_secs(20) };
/// The hidden field that tells one filling-in of a form from another: a form that is sent twice is carried out once.
const ONCE: &str = "once";

/// A form of at most 1 MiB: wrong content type 415, too large 413.
#[derive(Debug)]
pub(crate) struct Form {
    pairs: Vec<(String, String)>,
    /// What tells the request from others; its key is the form's field `once`.
    pub(crate) print: RequestPrint,
}

impl Form {
    /// The form of these fields; its key is the field `once` among them.
    pub(super) fn of(pairs: Vec<(String, String)>, print: RequestPrint) -> Self {
        let form = Self { pairs, print: print.clone() };
        let once = form.text(ONCE).to_owned();
        if once.is_empty() { form } else { Self { print: print.with_key(&once), ..form } }
    }

    /// What was typed into a field, without space around it; nothing, if there is no such field.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// What was typed into a field, space and all.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.pairs.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.as_str())
    }

    /// Whether a box was ticked.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// All values of a field that may have several.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.trim())
    }

    /// The JSON object the form stands for: `admin.name=Ada` is `{"admin": {"name": "Ada"}}`.
    pub(crate) fn object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        for (name, value) in &self.pairs {
            match name.split_once('.') {
                Some((outer, inner)) => {
                    let outer = object.entry(outer).or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(outer) = outer {
                        outer.insert(inner.to_owned(), value.as_str().into());
                    }
                }
                None => {
                    object.insert(name.clone(), value.as_str().into());
                }
            }
        }
        object
    }
}

impl FromRequest<Desk> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, ApiError> {
        const TAKES: &str = "application/x-www-form-urlencoded";
        let (parts, body) = request.into_parts();
        if !content_type(&parts.headers).is_some_and(|found| found.eq_ignore_ascii_case(TAKES)) {
            return Err(ApiError::unsupported_media_type(TAKES));
        }
        let read = read_of(desk.room(), &parts, body, FORM).await?;
        let print = RequestPrint::of(&parts, &read.bytes)?;
        let request = Request::from_parts(parts, HttpBody::from(read.bytes));
        let axum::Form(pairs) = axum::Form::<Vec<(String, String)>>::from_request(request, desk)
            .await
            .map_err(|_| ApiError::bad_request("The form is malformed"))?;
        Ok(Self::of(pairs, print))
    }
}
