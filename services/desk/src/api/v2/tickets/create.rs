//! `POST /api/v2/tickets`: opens a ticket with its first comment.
//!
//! An agent may open it for somebody else: for a known `requester_id`, or for a `requester` with name and address, who is
//! made known in the same command if nobody has that address.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use domain::ticket::{Comment, Details, Open, Ticket};
use schemas::{PersonId, StreamName, TicketId};

use super::{answer, changes::Attributes, followup, requester};
use crate::{
    api::{
        claim,
        comment::{CommentRequest, takes},
        named::{Named, Newcomers},
        v2::present,
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Batch, Done, Failure, Issuer, replayed},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// The longest subject made from a comment's first line, in characters.
const MADE_SUBJECT_LENGTH: usize = 150;
/// How often a command is decided anew when somebody takes the requester's address, or one of the files, meanwhile.
const ATTEMPTS_MAX: usize = 3;

/// A new ticket as a client sent it.
struct Request {
    requester: Option<Named>,
    attributes: Attributes,
    recipient: Option<String>,
    followup_of: Option<TicketId>,
    comment: CommentRequest,
}

impl Request {
    async fn read(desk: &Desk, mut fields: Fields<'_>, caller: &Caller) -> Result<Self, ApiError> {
        let attributes = Attributes::read(&mut fields, caller);
        let requester = requester::read(&mut fields);
        let submitter = fields.integer("submitter_id").map(PersonId::new);
        let recipient = fields.checked("recipient", domain::text::recipient);
        let followup_of = fields.integer("via_followup_source_id").map(TicketId::new);
        let comment = first_comment(desk, &mut fields).await?;
        fields.finish()?;
        let comment = comment.ok_or_else(|| ApiError::invalid("comment", "comment: takes a text", "BlankValue"))?;
        let comment = comment.with_author_or(submitter);
        Ok(Self { requester, attributes, recipient, followup_of, comment })
    }
}

/// The comment, or the description of older clients.
async fn first_comment(desk: &Desk, fields: &mut Fields<'_>) -> Result<Option<CommentRequest>, ApiError> {
    if let Some(mut inner) = fields.object("comment") {
        let comment = CommentRequest::read(desk, &mut inner).await?;
        fields.absorb(inner);
        return Ok(comment);
    }
    if fields.has("description") {
        return Ok(fields.required("description", |sent| takes(domain::text::body(sent))).map(CommentRequest::plain));
    }
    if fields.value("comment").is_none() {
        fields.fault("comment", "comment: takes an object with body or html_body", "BlankValue");
    }
    Ok(None)
}

/// Answers the ticket and the audit, and where the ticket is.
#[tracing::instrument(
    name = "desk.open_ticket",
    skip_all,
    fields(tenant.id = %caller.resident.tenant_id())
)]
pub(crate) async fn create(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult<impl IntoResponse> {
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => open(&desk, &caller, &by, Fields::root(&body, "ticket")?).await?,
    };
    let Some(StreamName::Ticket(ticket)) = done.stream else { return Err(ApiError::idempotency_key_reused()) };
    let (written, version, body) =
        answer::written(&desk, &caller, ticket, &done).await.map_err(ApiError::after_done)?;
    let location = [(LOCATION, present::ticket::url(&caller, ticket.get()))];
    Ok((StatusCode::CREATED, location, version, written, Json(body)))
}

/// Opens the ticket that `fields` describe.
pub(crate) async fn open(desk: &Desk, caller: &Caller, by: &Issuer, fields: Fields<'_>) -> Result<Done, ApiError> {
    let Request { requester, mut attributes, recipient, followup_of, comment } =
        Request::read(desk, fields, caller).await?;
    requester::check(requester.as_ref(), caller)?;
    let source = match followup_of {
        Some(source) => Some(followup::source(desk, caller, source).await?),
        None => None,
    };
    let text = comment.body().to_owned();
    let comment = comment.resolve(desk, caller, by).await?;
    let ticket = allocate(desk, caller).await?;
    let mut attempt = 1;
    loop {
        let mut newcomers = Newcomers::default();
        let further = attributes.resolve(desk, caller, &mut newcomers).await?;
        let mut command = plain(caller, &attributes, (&text, comment.clone()));
        (command.further, command.recipient, command.followup_of) = (further, recipient.clone().into(), followup_of);
        if let Some(source) = &source {
            followup::copy(source, &attributes, &mut command);
        }
        command.requester = match &requester {
            Some(named) => named.resolve(desk, &caller.resident, ("requester_id", &mut newcomers)).await?.person,
            None => requester_of(caller, source.as_ref()),
        };
        match append(desk, by, (ticket, command), &newcomers).await? {
            Err(Failure::Conflict { .. }) if attempt < ATTEMPTS_MAX => attempt += 1,
            outcome => return Ok(outcome?),
        }
    }
}

/// What the attributes say by themselves.
fn plain(caller: &Caller, attributes: &Attributes, (text, comment): (&str, Comment)) -> Open {
    let subject = attributes.subject.clone().unwrap_or_else(|| subject_of(text));
    Open {
        status: attributes.status,
        priority: attributes.priority.flatten(),
        ticket_type: attributes.ticket_type.flatten(),
        assignee: attributes.assignee.flatten(),
        group: attributes.group.flatten(),
        tags: attributes.tags.clone().unwrap_or_default().into(),
        channel: attributes.channel,
        external_id: attributes.external_id.clone().flatten().into(),
        ..Open::new(caller.by(), caller.person, subject, comment)
    }
}

/// Whoever asks; where an agent follows up a ticket, whoever asked then.
fn requester_of(caller: &Caller, source: Option<&Details>) -> PersonId {
    source.filter(|_| caller.is_agent()).map_or(caller.person, |source| source.requester)
}

/// One attempt.
async fn append(
    desk: &Desk,
    by: &Issuer,
    (ticket, command): (TicketId, Open),
    newcomers: &Newcomers,
) -> Result<Result<Done, Failure>, ApiError> {
    let (person, files) = (command.by.person, command.comment.attachments.clone());
    let batch = Batch::new(desk, by).decide::<Ticket>(StreamName::Ticket(ticket), None, &command.into()).await?;
    let batch = claim::decide(batch, by, (ticket, person), &files).await?;
    match newcomers.add_to(batch, desk, by).await? {
        Ok(batch) => Ok(batch.commit().await),
        Err(failure) => Ok(Err(failure)),
    }
}

async fn allocate(desk: &Desk, caller: &Caller) -> Result<TicketId, ApiError> {
    let mut transaction = regions::begin(&desk.pool, &caller.resident).await?;
    let ticket = eventlog::allocate_ticket(&mut transaction, &caller.resident).await?;
    transaction.commit().await?;
    Ok(ticket)
}

/// A subject for a ticket that came without: the first line of what was said.
fn subject_of(body: &str) -> String {
    let line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let is_shown = |character: &char| !character.is_control() && !domain::text::is_bidi_control(*character);
    let subject: String = line.chars().filter(is_shown).take(MADE_SUBJECT_LENGTH).collect();
    domain::text::subject(&subject).unwrap_or_else(|_| "(no subject)".to_owned())
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::HeaderValue};
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, SUPPORT, email, request, without_ids};

    #[tokio::test]
    async fn a_ticket_is_created_with_its_first_comment_and_an_audit() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let ticket = json!({
            "subject": "Printer on fire", "comment": {"body": "It smokes.\n\nHelp!"}, "priority": "urgent",
            "type": "incident", "tags": ["Fire", "printer"], "assignee_id": ALAN.id, "group_id": SUPPORT.to_string(),
            "requester_id": ADA.id, "external_id": "x-1", "via": {"channel": "email"}, "unknown": 1, "id": "",
        });
        let answer = bench.post(ALAN, "/api/v2/tickets.json", json!({"ticket": ticket})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.header("location"), "http://acme.localhost:8080/api/v2/tickets/1.json");
        assert_eq!(answer.header("x-domicile-visible"), "yes");
        assert_eq!(answer.header("x-zendesk-api-version"), "v2");
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        let shown = &answer.body["ticket"];
        let expected = [
            ("status", json!("open")),
            ("priority", json!("urgent")),
            ("type", json!("incident")),
            ("tags", json!(["fire", "printer"])),
            ("assignee_id", json!(2)),
            ("group_id", json!(5)),
            ("requester_id", json!(3)),
            ("submitter_id", json!(2)),
            ("external_id", json!("x-1")),
        ];
        for (field, value) in expected {
            assert_eq!(shown[field], value, "{field}");
        }
        assert_eq!(shown["via"]["channel"], "email");
        assert_eq!(shown, &bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"]);
        let created = |field: &str, value| json!({"id": "…", "type": "Create", "field_name": field, "value": value});
        assert_eq!(
            without_ids(answer.body["audit"].clone(), &["id", "audit_id", "metadata"]),
            json!({
                "id": "…", "ticket_id": 1, "author_id": 2, "created_at": "2026-11-22T10:00:00Z", "metadata": "…",
                "via": {"channel": "email", "source": {"from": {}, "to": {}, "rel": null}},
                "events": [
                    {
                        "id": "…", "type": "Comment", "author_id": 2, "public": true, "audit_id": "…", "attachments": [],
                        "body": "It smokes.\n\nHelp!", "plain_body": "It smokes.\n\nHelp!",
                        "html_body": "<div class=\"zd-comment\" dir=\"auto\"><p dir=\"auto\">It smokes.</p><p dir=\"auto\">Help!</p></div>",
                    },
                    created("subject", json!("Printer on fire")), created("requester_id", json!("3")),
                    created("priority", json!("urgent")), created("type", json!("incident")), created("status", json!("open")),
                    created("assignee_id", json!("2")), created("group_id", json!("5")), created("external_id", json!("x-1")),
                    created("tags", json!(["fire", "printer"])),
                ],
            })
        );
        Ok(())
    }

    #[tokio::test]
    async fn a_requester_is_found_by_address_or_made_known_once() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let ticket = |address: &str| {
            json!({"ticket": {
                "comment": {"body": "\n  Hello there \nmore"}, "requester": {"name": "Zoe", "email": address},
            }})
        };
        let known = bench.post(ALAN, "/api/v2/tickets", ticket(&email("acme", ADA).to_uppercase())).await;
        assert_eq!(known.body["ticket"]["requester_id"], ADA.id, "whatever the case");
        assert_eq!(known.body["ticket"]["subject"], "Hello there", "a subject nobody wrote");
        let first = bench.post(ALAN, "/api/v2/tickets", ticket("zoe@example.org")).await;
        let zoe = first.body["ticket"]["requester_id"].as_i64().expect("an id");
        let second = bench.post(ALAN, "/api/v2/tickets", ticket("zoe@example.org")).await;
        assert_eq!(second.body["ticket"]["requester_id"], zoe);
        let shown = bench.get(ALAN, &format!("/api/v2/users/{zoe}")).await.body;
        assert_eq!((&shown["user"]["name"], &shown["user"]["role"]), (&json!("Zoe"), &json!("end-user")));
        Ok(())
    }

    #[tokio::test]
    async fn an_agent_brings_in_what_others_said() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let comment = json!({"body": "I said", "author_id": ADA.id});
        let id = bench.ticket(GRACE, json!({"subject": "Mail", "comment": comment, "requester_id": ADA.id})).await;
        let shown = bench.get(ADA, &format!("/api/v2/tickets/{id}")).await.body;
        assert_eq!((&shown["ticket"]["submitter_id"], &shown["ticket"]["requester_id"]), (&json!(3), &json!(3)));
        let submitted = json!({"subject": "Mail", "comment": {"body": "x"}, "submitter_id": EVE.id});
        let id = bench.ticket(GRACE, submitted).await;
        assert_eq!(bench.get(GRACE, &format!("/api/v2/tickets/{id}")).await.body["ticket"]["submitter_id"], EVE.id);
        Ok(())
    }

    #[tokio::test]
    async fn every_wrong_field_is_named_and_nothing_is_created() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let ticket = json!({
            "subject": "a\u{0}b", "priority": "asap", "type": 5, "status": "gone", "tags": [1], "assignee_id": "me",
            "requester": {"email": "nobody"}, "external_id": "x".repeat(256), "via": {"channel": "pigeon"},
            "comment": {"body": "", "public": "maybe", "uploads": 7, "author_id": {}},
        });
        let answer = bench.post(ALAN, "/api/v2/tickets", json!({"ticket": ticket})).await;
        assert_eq!(
            answer.wrong_fields(),
            [
                "assignee_id",
                "comment.author_id",
                "comment.body",
                "comment.public",
                "comment.uploads",
                "external_id",
                "priority",
                "requester.email",
                "status",
                "subject",
                "tags",
                "type",
                "via.channel",
            ]
        );
        assert_eq!(answer.body["error"], "RecordInvalid");
        assert_eq!(
            answer.body["details"]["priority"],
            json!([
                {"description": "priority: takes one of low, normal, high, urgent", "error": "InvalidValue"},
            ])
        );
        assert_eq!(answer.body["details"]["comment.body"][0]["error"], "BlankValue");
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/count").await.body["count"]["value"], 0);
        Ok(())
    }

    #[tokio::test]
    async fn ids_must_name_somebody() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let wrong = async |ticket| bench.post(ALAN, "/api/v2/tickets", json!({"ticket": ticket})).await.wrong_fields();
        let comment = json!({"body": "x"});
        let assigned = json!({"comment": comment, "assignee_id": ADA.id, "group_id": 77});
        assert_eq!(wrong(assigned).await, ["assignee_id", "group_id"], "an end user is no agent");
        assert_eq!(wrong(json!({"comment": comment, "requester_id": 99})).await, ["requester_id"]);
        assert_eq!(wrong(json!({"comment": {"body": "x", "author_id": 99}})).await, ["comment.author_id"]);
        assert_eq!(wrong(json!({"comment": {"body": "x", "uploads": ["nope"]}})).await, ["comment.uploads"]);
        assert_eq!(wrong(json!({"subject": "no comment"})).await, ["comment"]);
        assert_eq!(bench.post(ALAN, "/api/v2/tickets", json!({})).await.wrong_fields(), ["ticket"]);
        Ok(())
    }

    #[tokio::test]
    async fn an_end_user_opens_tickets_for_nobody_else() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let comment = json!({"body": "x"});
        for ticket in [
            json!({"comment": comment, "requester_id": EVE.id}),
            json!({"comment": comment, "requester": {"email": "new@example.org"}}),
            json!({"comment": {"body": "x", "author_id": EVE.id}}),
            json!({"comment": {"body": "x", "public": false}}),
            json!({"comment": comment, "assignee_id": ALAN.id}),
        ] {
            let answer = bench.post(ADA, "/api/v2/tickets", json!({"ticket": ticket})).await;
            assert_eq!((answer.status.as_u16(), &answer.body["error"]), (403, &json!("Forbidden")), "{ticket}");
        }
        let own = json!({"subject": "Mine", "comment": comment, "requester": {"email": email("acme", ADA)}});
        assert_eq!(bench.post(ADA, "/api/v2/tickets", json!({"ticket": own})).await.status, 201);
        Ok(())
    }

    #[tokio::test]
    async fn html_is_cleaned_before_it_is_kept() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let html = "<p>Hi <b>you</b><script>alert(1)</script><img src=x onerror=alert(1)></p>";
        let id = bench.ticket(ADA, json!({"subject": "x", "comment": {"html_body": html}})).await;
        let comment = &bench.get(ADA, &format!("/api/v2/tickets/{id}/comments")).await.body["comments"][0];
        assert_eq!(
            comment["html_body"],
            "<div class=\"zd-comment\" dir=\"auto\"><p>Hi <b>you</b><img src=\"x\"></p></div>"
        );
        assert_eq!((&comment["body"], &comment["plain_body"]), (&json!("Hi you"), &json!("Hi you")));
        Ok(())
    }

    #[tokio::test]
    async fn a_request_repeated_with_its_key_creates_one_ticket() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let send = async |text: &str| {
            let body = json!({"ticket": {"subject": text, "comment": {"body": text}}}).to_string();
            let mut request = request("POST", "acme", Some(ADA), "/api/v2/tickets", Body::from(body));
            request.headers_mut().insert("idempotency-key", HeaderValue::from_static("k-1"));
            bench.send(request).await
        };
        let (first, second) = (send("one").await, send("one").await);
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
        assert_eq!(first.body, second.body);
        assert_eq!(send("another").await.status, 422, "the key belongs to another request");
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/count").await.body["count"]["value"], 1);
        Ok(())
    }

    #[tokio::test]
    async fn an_answer_that_is_early_is_folded_from_the_log_and_says_so() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let ticket = json!({"ticket": {"subject": "x", "comment": {"body": "y"}, "tags": ["t"], "priority": "low"}});
        let timely = bench.post(ALAN, "/api/v2/tickets", ticket.clone()).await;
        let held = bench.hold_projector().await?;
        let early = bench.post(ALAN, "/api/v2/tickets", ticket).await;
        assert_eq!((early.status.as_u16(), early.header("x-domicile-visible")), (201, "pending"));
        let hidden = ["id", "audit_id", "ticket_id", "url"];
        assert_eq!(without_ids(early.body, &hidden), without_ids(timely.body, &hidden));
        drop(held);
        Ok(())
    }
}
