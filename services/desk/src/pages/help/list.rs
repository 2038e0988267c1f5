//! `GET /requests`: what one asked, newest first.

use askama::Template;
use axum::extract::State;
use jiff::Timestamp;

use super::{own, status_key};
use crate::{
    api::v2::page::PageQuery,
    caller::Caller,
    pages::frame::Frame,
    problem::{ApiError, ApiResult},
    read::{
        self, Window,
        tickets::{Filter, Ticket},
    },
    state::Desk,
};

/// Requests on a page.
const PAGE_LENGTH: i64 = 25;

#[derive(Template)]
#[template(path = "help/list.html")]
struct ListPage<'a> {
    frame: &'a Frame,
    requests: Vec<Item>,
    /// Whether it is not the newest that are shown.
    is_later_page: bool,
    /// The number of the last request shown, if there are older ones.
    older: Option<i64>,
}

struct Item {
    id: i64,
    subject: String,
    status: &'static str,
    updated_at: Timestamp,
}

pub(super) async fn show(State(desk): State<Desk>, caller: Caller, frame: Frame, query: PageQuery) -> ApiResult {
    let takes = || ApiError::invalid_parameter("before", "the number of a request");
    let before = query.get("before").map(|text| text.parse::<i64>().map_err(|_| takes())).transpose()?;
    let (filter, resident) = (Filter::of(own(&caller)), &caller.resident);
    let window = Window {
        after: 0,
        before: Some(before.unwrap_or(i64::MAX)),
        limit: PAGE_LENGTH + 1,
        offset: 0,
        is_by_offset: false,
    };
    let mut transaction = desk.reading(resident).await?;
    let mut ids = read::tickets::ids(&mut transaction, resident, filter, window).await?;
    let has_older = ids.len() > usize::try_from(PAGE_LENGTH).unwrap_or_default();
    if has_older {
        ids.remove(0);
    }
    let rows = read::tickets::many(&mut transaction, resident, filter.sight, &ids).await?;
    drop(transaction);
    caller.reading.of(ids.iter().copied());
    let older = ids.first().copied().filter(|_| has_older);
    let requests = rows.into_iter().rev().map(Item::of).collect();
    frame.page(&ListPage { frame: &frame, requests, is_later_page: before.is_some(), older })
}

impl Item {
    fn of(row: Ticket) -> Self {
        Self { id: row.ticket_id, status: status_key(&row.status), subject: row.subject, updated_at: row.updated_at }
    }
}
