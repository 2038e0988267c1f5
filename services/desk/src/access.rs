//! The access log: who read what.
//!
//! A layer around the tenant's routes notes every read that somebody was answered, also one that was refused; a [`Recorder`]
//! collects the notes and appends them to the tenant's own log, a batch at a time, in the stream of the day. So a read never
//! waits for the disk, and an entry is as durable as a comment a moment later. What a crash leaves behind: reads of the last
//! [`recorder::FLUSH_EVERY`] that were answered and not recorded.
//!
//! Reading order: [`routes`] (which route reads what), this file (the note), [`recorder`] (what waits), [`write`] (the append),
//! [`retention`] (the end).

pub(crate) mod recorder;
pub(crate) mod retention;
pub(crate) mod routes;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::HttpBody,
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use schemas::{
    PersonId, TokenId,
    access::Access,
    values::{Means, ReadKind},
};

pub(crate) use self::recorder::Recorder;
use self::routes::{Reads, Row};
use crate::{
    caller::provenance::{address_of, text},
    host::Site,
    serve::Peer,
    state::Desk,
    visible::WroteNothing,
};

/// How many bytes of an address are kept.
const URL_LENGTH_MAX: usize = 2000;

/// Somebody who proved who they are, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reader {
    /// Who.
    pub(crate) person: PersonId,
    /// By what.
    pub(crate) means: Means,
    /// By which API token, if it was one.
    pub(crate) token: Option<TokenId>,
}

/// What a request turns out to read, noted by those who know while it is carried out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    reader: Option<Reader>,
    ids: Vec<i64>,
    beside: BTreeMap<ReadKind, BTreeSet<i64>>,
}

impl Reading {
    /// Who reads.
    pub(crate) fn by(&self, reader: Reader) {
        self.noted().reader = Some(reader);
    }

    /// Which things are read.
    pub(crate) fn of(&self, ids: impl IntoIterator<Item = i64>) {
        self.noted().ids.extend(ids);
    }

    /// Which other things the answer shows beside those it was asked for. They are an entry of their own for each kind.
    pub(crate) fn beside(&self, kind: ReadKind, ids: impl IntoIterator<Item = i64>) {
        let mut ids = ids.into_iter().peekable();
        if ids.peek().is_some() {
            self.noted().beside.entry(kind).or_default().extend(ids);
        }
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reading of a request, or of nobody's where nothing is recorded.
impl<S: Send + Sync> FromRequestParts<S> for Reading {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// The layer around a tenant's routes. A read waits here while the recorder has no place for its entry, rather than go
/// unrecorded. A command is in the log by itself, unless it writes nothing: then its answer is a read of what it was about.
pub(crate) async fn layer(
    State(desk): State<Desk>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let row = path.as_ref().map(|path| routes::row(path.as_str()));
    let site = request.extensions().get::<Site>().cloned();
    let (Some(row), Some(Site::Tenant(resident))) = (row, site) else { return next.run(request).await };
    let is_read = row.is_read(request.method());
    if !is_read && !row.is_command(request.method()) {
        return next.run(request).await;
    }
    let place = async || desk.recorder().place(resident.tenant_id()).await;
    let mut kept = None;
    if is_read {
        match place().await {
            Ok(place) => kept = Some(place),
            Err(full) => return full.into_response(),
        }
    }
    let reading = Reading::default();
    let draft = draft(&desk, &row, &request);
    request.extensions_mut().insert(reading.clone());
    let response = next.run(request).await;
    if !is_read && response.extensions().get::<WroteNothing>().is_none() {
        return response;
    }
    let accesses = finish(draft, &row, &reading, &response);
    if !accesses.is_empty() {
        let kept = match kept {
            Some(kept) => Ok(kept),
            None => place().await,
        };
        match kept {
            Ok(kept) => desk.recorder().record(&resident, accesses, kept),
            Err(full) => return full.into_response(),
        }
    }
    response
}

/// What the request says.
fn draft(desk: &Desk, row: &Row, request: &Request) -> Access {
    let uri = request.uri();
    let url = if row.path.contains("{token}") {
        row.path.to_owned()
    } else {
        uri.path_and_query().map_or_else(|| uri.path().to_owned(), |target| target.as_str().to_owned())
    };
    let text = |name| text(request.headers(), &name);
    Access {
        at: desk.clock.now(),
        actor: None,
        means: Means::Link,
        token: None,
        address: request.extensions().get::<Peer>().and_then(address_of),
        client: text(header::USER_AGENT),
        referer: text(header::REFERER),
        method: request.method().as_str().to_owned(),
        url: cut(url),
        kind: row.kind(),
        ids: row.read_in(uri.path()).into_iter().collect(),
        status: 0,
        bytes_sent: None,
        reason: None,
    }
}

/// What is kept of an address.
fn cut(mut url: String) -> String {
    url.truncate(url.floor_char_boundary(URL_LENGTH_MAX));
    url
}

/// What became of it: what was asked for, and then what stood beside it. Nothing, if nobody read anything: who asked did not say who
/// they are, and held no link either.
fn finish(mut access: Access, row: &Row, reading: &Reading, response: &Response) -> Vec<Access> {
    let mut noted = reading.noted();
    if noted.reader.is_none() && noted.ids.is_empty() {
        return Vec::new();
    }
    if let Some(reader) = noted.reader {
        (access.actor, access.means, access.token) = (Some(reader.person), reader.means, reader.token);
    }
    if matches!(row.reads.shown(), Reads::Many(_)) {
        access.ids = std::mem::take(&mut noted.ids);
    }
    access.status = response.status().as_u16();
    // What of the answer's length is whose is not known: the whole is told once.
    let beside = std::mem::take(&mut noted.beside).into_iter();
    let beside = beside.map(|(kind, ids)| Access { kind, ids: ids.into_iter().collect(), ..access.clone() });
    let beside: Vec<Access> = beside.collect();
    access.bytes_sent = response.body().size_hint().exact();
    std::iter::once(access).chain(beside).collect()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{flush, set_home};
