//! `GET /agent/live?ticket=`: that something moved, and who else is looking, as server-sent events; `POST /agent/live/typing`.
//!
//! An event says where a ticket is now, or the newest thing done to any, and nothing of what it says: the page then reads what it shows,
//! and that is in the access log as any read.
//!
//! Who looks and who types is known in this process's memory and nowhere else: two desks of a region do not tell each other, a new
//! process begins with nobody, and whoever goes away is forgotten a few seconds later. It is a courtesy, and no lock: of two answers the
//! later one meets a conflict.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use schemas::{TenantId, TicketId};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::Agent;
use crate::{
    api::v2::{page::PageQuery, tickets::update::in_sight},
    body::form::Form,
    caller::Caller,
    pages::{frame::Frame, words::Words},
    problem::{ApiError, ApiResult},
    read::{self, Sight, Window},
    state::Desk,
};

/// How often it is looked whether something moved: one step in an index.
const EVERY: Duration = Duration::from_secs(2);
/// How long one answer goes on. Browsers ask again by themselves, and prove again who asks.
const LIFE: Duration = Duration::from_secs(600);
/// Answers that go on at a time; a page without one works as without script.
const STREAMS_MAX: usize = 500;
/// Of those, a tenant's and a person's share.
const TENANT_MAX: usize = 100;
const PERSON_MAX: usize = 10;
/// How long somebody counts as looking after they were last seen, and as typing after they last typed.
const PRESENT_FOR: Duration = Duration::from_secs(7);

/// Who looks at which ticket now.
pub(crate) struct Live {
    places: Arc<Semaphore>,
    /// How many answers go on, by whose they are.
    held: Arc<Mutex<HashMap<TenantId, HashMap<i64, usize>>>>,
    present: Mutex<HashMap<(TenantId, i64), HashMap<i64, Seen>>>,
}

/// Somebody who looks at a ticket.
struct Seen {
    name: String,
    at: Instant,
    typed_at: Option<Instant>,
}

/// A place of somebody, given back when it is dropped.
struct Place {
    of: (TenantId, i64),
    held: Arc<Mutex<HashMap<TenantId, HashMap<i64, usize>>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let (tenant, person) = self.of;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(people) = held.get_mut(&tenant) else { return };
        if let Some(count) = people.get_mut(&person) {
            *count = count.saturating_sub(1);
        }
        people.retain(|_, count| *count > 0);
        if people.is_empty() {
            held.remove(&tenant);
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(STREAMS_MAX)), held: Arc::default(), present: Mutex::default() }
    }
}

impl Live {
    fn present(&self) -> MutexGuard<'_, HashMap<(TenantId, i64), HashMap<i64, Seen>>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more answer to somebody; nothing, if all are taken or they have their share.
    fn place(&self, of: (TenantId, i64)) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let (tenant, person) = of;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let people = held.entry(tenant).or_default();
        if people.values().sum::<usize>() >= TENANT_MAX || people.get(&person).is_some_and(|count| *count >= PERSON_MAX)
        {
            return None;
        }
        *people.entry(person).or_default() += 1;
        drop(held);
        Some(Place { of, held: Arc::clone(&self.held), _permit: permit })
    }

    /// Notes that somebody looks at a ticket, and tells who else does: names, and whether they type.
    fn look(&self, of: (TenantId, i64), (person, name): (i64, &str)) -> Vec<(String, bool)> {
        let now = Instant::now();
        let mut present = self.present();
        present.retain(|_, people| {
            people.retain(|_, seen| now.duration_since(seen.at) < PRESENT_FOR);
            !people.is_empty()
        });
        let people = present.entry(of).or_default();
        let seen = people.entry(person).or_insert_with(|| Seen { name: name.to_owned(), at: now, typed_at: None });
        seen.at = now;
        let is_typing = |seen: &Seen| seen.typed_at.is_some_and(|at| now.duration_since(at) < PRESENT_FOR);
        let others = people.iter().filter(|(other, _)| **other != person);
        let mut others: Vec<_> = others.map(|(_, seen)| (seen.name.clone(), is_typing(seen))).collect();
        others.sort_unstable();
        others
    }

    /// Notes that somebody who looks at a ticket types.
    fn type_at(&self, of: (TenantId, i64), person: i64) {
        if let Some(seen) = self.present().get_mut(&of).and_then(|people| people.get_mut(&person)) {
            seen.typed_at = Some(Instant::now());
        }
    }
}

/// One answer that goes on.
struct Watch {
    desk: Desk,
    caller: Caller,
    words: Words,
    ticket: Option<TicketId>,
    name: String,
    begun: Instant,
    /// The newest audit that was seen.
    newest: Option<i64>,
    others: Vec<(String, bool)>,
    _place: Place,
}

/// Tells what moves: events `moved` with a number that grows, and `present` with a sentence for each who looks at the ticket, too.
pub(super) async fn stream(
    State(desk): State<Desk>,
    Agent(caller): Agent,
    frame: Frame,
    headers: HeaderMap,
    query: PageQuery,
) -> ApiResult {
    let is_listening = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == b"text/event-stream");
    if !is_listening {
        return Err(ApiError::bad_request("This address is for those who accept text/event-stream"));
    }
    let ticket = query.get("ticket").filter(|text| !text.is_empty());
    let ticket = ticket.map(|text| text.parse().map_err(|_| ApiError::invalid_parameter("ticket", "an integer")));
    let ticket: Option<TicketId> = ticket.transpose()?;
    if let Some(ticket) = ticket {
        in_sight(&desk, &caller, ticket).await?;
    }
    let of = (caller.resident.tenant_id(), caller.person.get());
    let place = desk.live().place(of).ok_or_else(|| ApiError::unavailable("every place of a live answer is taken"))?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let person = read::people::one(&mut transaction, &caller.resident, caller.person).await?;
    drop(transaction);
    let watch = Watch {
        desk,
        caller,
        words: frame.words,
        ticket,
        name: person.map(|person| person.name).unwrap_or_default(),
        begun: Instant::now(),
        newest: None,
        others: Vec::new(),
        _place: place,
    };
    let events = futures::stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

impl Watch {
    /// The next event; nothing when the answer has gone on for long enough, the process ends, or it cannot be looked any more.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.begun.elapsed() > LIFE || self.desk.is_draining() {
                return None;
            }
            if let Some(ticket) = self.ticket {
                let of = (self.caller.resident.tenant_id(), ticket.get());
                let others = self.desk.live().look(of, (self.caller.person.get(), &self.name));
                if others != self.others {
                    self.others = others;
                    // As JSON, because browsers do not tell of an event without data, and nobody is said by nothing.
                    let said = serde_json::Value::from(self.sentences()).to_string();
                    return Some(Event::default().event("present").data(said));
                }
            }
            let newest = self.newest().await.ok()?;
            if newest != self.newest {
                self.newest = newest;
                let number = self.number().await.ok()?;
                return Some(Event::default().event("moved").data(number.to_string()));
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// The newest thing that was done to the ticket, or to any.
    async fn newest(&self) -> Result<Option<i64>, ApiError> {
        let window = Window { after: 0, before: Some(i64::MAX), limit: 1, offset: 0, is_by_offset: false };
        let mut transaction = self.desk.reading(&self.caller.resident).await?;
        let ids = read::audits::list(self.ticket).ids(&mut transaction, &self.caller.resident, window).await?;
        Ok(ids.first().copied())
    }

    /// The ticket's version; without a ticket, a number that is another one when anything was done.
    async fn number(&self) -> Result<i64, ApiError> {
        let Some(ticket) = self.ticket else { return Ok(self.newest.unwrap_or_default()) };
        let mut transaction = self.desk.reading(&self.caller.resident).await?;
        let row = read::tickets::one(&mut transaction, &self.caller.resident, Sight::Everything, ticket).await?;
        row.map(|row| row.version).ok_or_else(ApiError::not_found)
    }

    /// Who else looks, in the reader's words and in one line.
    fn sentences(&self) -> String {
        let sentence = |(name, is_typing): &(String, bool)| {
            let sentence =
                if *is_typing { self.words.say("agent-live-typing") } else { self.words.say("agent-live-looking") };
            sentence.with("name", name.replace(['\r', '\n'], " ")).to_string()
        };
        self.others.iter().map(sentence).collect::<Vec<_>>().join(" ")
    }
}

/// Takes that the caller types an answer to a ticket.
pub(super) async fn typing(State(desk): State<Desk>, Agent(caller): Agent, form: Form) -> ApiResult<StatusCode> {
    let ticket = form.text("ticket").parse().map_err(|_| ApiError::invalid_parameter("ticket", "an integer"))?;
    desk.live().type_at((caller.resident.tenant_id(), ticket), caller.person.get());
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, BodyDataStream},
        http::{HeaderValue, header},
    };
    use futures::StreamExt;
    use serde_json::json;
    use tower::ServiceExt;

    use super::super::testing::post_form;
    use crate::api::testing::{ADA, ALAN, Bench, GRACE, Who, request};

    async fn listen(bench: &Bench, who: Who, path: &str) -> anyhow::Result<BodyDataStream> {
        let mut asked = request("GET", "acme", Some(who), path, Body::empty());
        asked.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        let response = bench.test.app.clone().oneshot(asked).await?;
        assert_eq!(response.status(), 200);
        Ok(response.into_body().into_data_stream())
    }

    async fn next(stream: &mut BodyDataStream) -> anyhow::Result<String> {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(20), stream.next()).await?;
        Ok(String::from_utf8_lossy(&chunk.ok_or_else(|| anyhow::anyhow!("it ended"))??).into_owned())
    }

    #[tokio::test]
    async fn whoever_listens_hears_that_a_ticket_moved_and_nothing_of_what_it_says() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Secret", "comment": {"body": "It smokes"}})).await;
        let (mut of_ticket, mut of_all) =
            (listen(&bench, ALAN, "/agent/live?ticket=1").await?, listen(&bench, ALAN, "/agent/live").await?);
        assert_eq!(next(&mut of_ticket).await?, "event: moved\ndata: 2\n\n");
        let first = next(&mut of_all).await?;
        bench.put(GRACE, "/api/v2/tickets/1", json!({"ticket": {"comment": {"body": "Fire!"}}})).await;
        assert_eq!(next(&mut of_ticket).await?, "event: moved\ndata: 4\n\n");
        let second = next(&mut of_all).await?;
        assert!(second != first && second.starts_with("event: moved\ndata: ") && !second.contains("Fire"), "{second}");
        Ok(())
    }

    #[tokio::test]
    async fn nobody_takes_more_than_their_share_of_the_places() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let mut streams = Vec::new();
        for _ in 0..super::PERSON_MAX {
            streams.push(listen(&bench, ALAN, "/agent/live").await?);
        }
        let mut asked = request("GET", "acme", Some(ALAN), "/agent/live", Body::empty());
        asked.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        assert_eq!(bench.test.app.clone().oneshot(asked).await?.status(), 503);
        streams.push(listen(&bench, GRACE, "/agent/live").await?);
        drop(streams.remove(0));
        streams.push(listen(&bench, ALAN, "/agent/live").await?);
        Ok(())
    }

    #[tokio::test]
    async fn those_who_look_at_a_ticket_hear_of_each_other() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "It smokes"}})).await;
        let mut alan = listen(&bench, ALAN, "/agent/live?ticket=1").await?;
        next(&mut alan).await?;
        let mut grace = listen(&bench, GRACE, "/agent/live?ticket=1").await?;
        assert_eq!(next(&mut grace).await?, "event: present\ndata: \"alan is looking at this ticket.\"\n\n");
        assert_eq!(next(&mut alan).await?, "event: present\ndata: \"grace is looking at this ticket.\"\n\n");
        let typed = post_form(&bench, ALAN, "/agent/live/typing", &[("ticket", "1")]).await;
        assert_eq!(typed.status, 204);
        assert_eq!(next(&mut grace).await?, "event: present\ndata: \"alan is typing.\"\n\n");
        drop(grace);
        assert_eq!(next(&mut alan).await?, "event: present\ndata: \"\"\n\n", "who goes away is forgotten");
        Ok(())
    }
}
