//! Concurrent writers on shared tickets: clients as they should be, who ask again with the same key when they do not know.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use http::Method;
use serde_json::json;
use system_tests::{
    Answer, Client, Tenant, client,
    history::{Operation, Outcome, Recorder},
    roles::APEX,
    wait,
};

use crate::{crew::Crew, dice::Dice};

const TENANTS: usize = 3;
/// Tickets of a tenant that are written at a time.
const TICKETS: usize = 3;
pub(crate) const WRITERS: usize = 10;
/// Operations after which a ticket makes room for a new one, in the mean: reading it for each command takes ever longer.
const OPERATIONS_A_TICKET: usize = 40;
const ATTEMPTS_MAX: usize = 6;

/// What all writers share.
pub(crate) struct Desks {
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) recorder: Recorder,
    /// By tenant: the tickets with the versions last seen.
    tickets: Vec<Mutex<Vec<Ticket>>>,
    /// By tenant, then by desk.
    clients: Vec<Vec<Client>>,
    stopped: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
struct Ticket {
    id: i64,
    version: i64,
}

/// What a writer asks for. Each leaves its marker in an event of its own.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Open,
    Comment(Ticket),
    Rename(Ticket),
    /// With the version it was last seen at: of several at once, one wins.
    RenameAt(Ticket),
    /// Several changes in one command.
    CommentAndRename(Ticket),
}

impl Desks {
    /// Signs tenants up and opens the first tickets.
    pub(crate) async fn open(crew: &Crew, recorder: Recorder) -> anyhow::Result<Self> {
        let first = crew.desks().next().expect("a crew has a desk");
        let (mut tenants, mut tickets, mut clients) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..TENANTS {
            let tenant = crew.roles.signup(&*first.running().await, &format!("tenant-{number}")).await?;
            let mut of_tenant = Vec::new();
            for ticket in 0..TICKETS {
                let subject = format!("first {ticket}");
                // The token that the signup answered is known as soon as a projector has come to it.
                let open = async || Ok(tenant.ticket(&subject, "opened").await.ok());
                let id = wait::until("a first ticket can be opened", open).await?;
                of_tenant.push(Ticket { id, version: 0 });
            }
            let host = format!("{}.{APEX}", tenant.slug);
            let of_desks = crew.desks().filter_map(|desk| desk.front).map(|front| Client::new(front, &host));
            clients.push(of_desks.map(|it| Ok(it?.with_token(&tenant.token))).collect::<anyhow::Result<Vec<_>>>()?);
            tickets.push(Mutex::new(of_tenant));
            tenants.push(tenant);
        }
        Ok(Self { tenants, recorder, tickets, clients, stopped: AtomicBool::new(false) })
    }

    /// Writers may write again.
    pub(crate) fn resume(&self) {
        self.stopped.store(false, Ordering::Relaxed);
    }

    /// Writers end after the operation they are at.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Writes until it is stopped.
    pub(crate) async fn write(&self, mut dice: Dice) {
        while !self.is_stopped() {
            self.operate(&mut dice).await;
            tokio::time::sleep(dice.between_ms(0, 120)).await;
        }
    }

    /// Waits until so many more operations were acknowledged.
    pub(crate) async fn acknowledged(&self, more: usize) -> anyhow::Result<()> {
        let before = self.recorder.counts().acknowledged;
        let look = async || Ok((self.recorder.counts().acknowledged >= before + more).then_some(()));
        wait::until_within(wait::PATIENCE * 2, "writers are at it", look).await
    }

    async fn operate(&self, dice: &mut Dice) {
        let tenant = dice.below(self.tenants.len());
        let slot = dice.below(TICKETS);
        let ticket = self.tickets(tenant)[slot];
        let wish = match dice.below(100) {
            at if at < 100 / OPERATIONS_A_TICKET + 1 => Wish::Open,
            at if at < 45 => Wish::Comment(ticket),
            at if at < 60 => Wish::Rename(ticket),
            at if at < 80 => Wish::RenameAt(ticket),
            _ => Wish::CommentAndRename(ticket),
        };
        let mut operation = self.recorder.operation(&self.tenants[tenant].id, &format!("{wish:?}"));
        for _ in 0..ATTEMPTS_MAX {
            let mut answered = None;
            let attempt = self.recorder.attempt(async {
                answered = self.ask(wish, tenant, &operation.marker, dice).await;
                answered.as_ref().map_or(Outcome::Unknown, outcome)
            });
            operation.attempts.push(attempt.await);
            if let Some(answer) = answered.filter(|answer| answer.status < 300) {
                self.learn(wish, (tenant, slot), &answer);
            }
            if !asks_again(&operation, dice) || self.is_stopped() {
                break;
            }
            tokio::time::sleep(dice.between_ms(0, 400)).await;
        }
        self.recorder.keep(operation);
    }

    /// Asks one of the desks. `None` if there is no whole answer in time.
    async fn ask(&self, wish: Wish, tenant: usize, marker: &str, dice: &mut Dice) -> Option<Answer> {
        let client = dice.one(&self.clients[tenant]);
        let comment = json!({"body": marker, "public": true});
        let (ticket, body) = match wish {
            Wish::Open => (None, json!({"subject": marker, "comment": comment})),
            Wish::Comment(ticket) => (Some(ticket), json!({ "comment": comment })),
            Wish::Rename(ticket) => (Some(ticket), json!({ "subject": marker })),
            Wish::RenameAt(ticket) => (Some(ticket), json!({"subject": marker, "expected_version": ticket.version})),
            Wish::CommentAndRename(ticket) => {
                (Some(ticket), json!({"subject": marker, "comment": comment, "tags": [marker]}))
            }
        };
        let (method, path) = match ticket {
            Some(ticket) => (Method::PUT, format!("/api/v2/tickets/{}.json", ticket.id)),
            None => (Method::POST, "/api/v2/tickets.json".to_owned()),
        };
        let request = client.request(method, &path).header("Idempotency-Key", marker);
        let request = request.json(&json!({ "ticket": body })).timeout(dice.between_ms(1500, 9000));
        client::send(request).await.ok()
    }

    /// What an answer tells of the ticket: the next writer needs its number, or its version.
    fn learn(&self, wish: Wish, (tenant, slot): (usize, usize), answer: &Answer) {
        let version = answer.header("x-domicile-version").parse().unwrap_or(0);
        let mut tickets = self.tickets(tenant);
        let kept = &mut tickets[slot];
        match (wish, answer.body["ticket"]["id"].as_i64()) {
            (Wish::Open, Some(id)) => *kept = Ticket { id, version },
            (_, Some(id)) if id == kept.id => kept.version = version,
            _ => {}
        }
    }

    fn tickets(&self, tenant: usize) -> std::sync::MutexGuard<'_, Vec<Ticket>> {
        self.tickets[tenant].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// What a client may believe. A 500 says nothing, and a 503 that says so in its words neither.
fn outcome(answer: &Answer) -> Outcome {
    let position = answer.header("x-domicile-position").parse();
    let is_perhaps_done = answer.status == 500 || answer.text().contains("is not known");
    match (answer.status, position) {
        (200..300, Ok(position)) => Outcome::Acknowledged { position },
        (400..600, _) if !is_perhaps_done => Outcome::Refused { status: answer.status },
        _ => Outcome::Unknown,
    }
}

/// Some ask again although they know, because their own memory is bad; most ask again when they do not know, and some never.
fn asks_again(operation: &Operation, dice: &mut Dice) -> bool {
    match operation.attempts.last().map(|attempt| attempt.outcome) {
        Some(Outcome::Acknowledged { .. }) => dice.chance(8),
        Some(Outcome::Refused { status: 429 | 503 }) => dice.chance(60),
        Some(Outcome::Refused { .. }) => false,
        Some(Outcome::Unknown) | None => dice.chance(75),
    }
}
