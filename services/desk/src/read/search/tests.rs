//! The query finds the tickets that the same query read in memory finds: random tickets, random queries.

use std::collections::BTreeMap;

use domain::{
    rule::Worded,
    search::{
        Asking, Indexed, Test, Whom,
        asked::{Given, Moment, Part, Place},
        lexeme,
    },
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use proptest::{collection::vec, option, prelude::*, sample::select, strategy::ValueTree};
use regions::DatabaseRole;
use schemas::{
    PersonId,
    values::{Channel, TicketType},
};
use serde_json::{Value, json};

use super::*;
use crate::testing::TestDesk;

const TICKETS: usize = 120;

/// Names and addresses of people, from 1 on.
const PEOPLE: [(&str, &str); 3] =
    [("Ada Kettle", "ada@acme.example"), ("Eve Haus", "eve@acme.example"), ("Ada Topology", "top@acme.example")];
/// Names of organizations, from 1 on; the last is deleted, and its memberships are still there.
const ORGANIZATIONS: [(&str, bool); 3] = [("Kettle Works", true), ("Häuser", true), ("Kettle Ruins", false)];
/// Names of groups, from 1 on; the last is deleted.
const GROUPS: [(&str, bool); 2] = [("Support 京都", true), ("Support 東京", false)];
/// Who belongs to which organization.
const MEMBERSHIPS: [(i64, i64); 4] = [(1, 1), (1, 3), (2, 2), (3, 3)];

#[derive(Debug, Clone)]
struct Ticket {
    status: Status,
    priority: Option<Priority>,
    ticket_type: Option<TicketType>,
    channel: Channel,
    people: (i64, Option<i64>),
    copied: Vec<i64>,
    group: Option<i64>,
    tags: Vec<String>,
    subject: String,
    comments: Vec<String>,
    external_id: Option<String>,
    fields: BTreeMap<String, Value>,
    /// Hours before now, and until it is due.
    ages: (i64, i64, Option<i64>),
}

fn texts() -> impl Strategy<Value = String> {
    let word = select(
        &[
            "kettle",
            "Kettles",
            "Häuser",
            "haus",
            "Muenchen",
            "東京都",
            "京都",
            "プリンター",
            "42",
            "top",
            "topology",
            "don't",
        ][..],
    );
    vec(word, 0..5).prop_map(|words| words.join(" "))
}

fn tickets() -> impl Strategy<Value = Ticket> {
    let words = (
        select(Status::ALL),
        option::of(select(Priority::ALL)),
        option::of(select(TicketType::ALL)),
        select(Channel::ALL),
    );
    let people = (1..4_i64, option::of(1..4_i64));
    let groups = (vec(1..4_i64, 0..2), option::of(1..3_i64));
    let tags = proptest::sample::subsequence(vec!["a".to_owned(), "b".to_owned(), "ß".to_owned()], 0..3);
    let held = select(&["red", "Green", "42"][..]);
    let fields = proptest::collection::btree_map(select(&["7", "8"][..]).prop_map(str::to_owned), (held, 0..3), 0..3);
    let fields = fields.prop_map(|fields| {
        let value = |(text, kind): (&str, i32)| match kind {
            0 => json!([text, "blue"]),
            1 => json!(42),
            _ => json!(text),
        };
        fields.into_iter().map(|(id, held)| (id, value(held))).collect()
    });
    let ages = (0..100_i64, 0..100_i64, option::of(-50..50_i64));
    let external_id = option::of(select(&["A-1", "a-12"][..]).prop_map(str::to_owned));
    (words, people, groups, tags, (texts(), vec(texts(), 1..3)), (external_id, fields), ages).prop_map(
        |(words, people, (copied, group), tags, (subject, comments), (external_id, fields), ages)| Ticket {
            status: words.0,
            priority: words.1,
            ticket_type: words.2,
            channel: words.3,
            people,
            copied,
            group,
            tags,
            subject,
            comments,
            external_id,
            fields,
            ages,
        },
    )
}

/// Terms of which queries are made. In quotes or not, with a minus or without.
const TERMS: &[&str] = &[
    "kettle",
    "KETTL",
    "haus",
    "häuser",
    "münchen",
    "東京",
    "京都",
    "都",
    "プリンタ",
    "リンター",
    "top",
    "to",
    "42",
    "7",
    "dont",
    "\"kettle haus\"",
    "\"京都 42\"",
    "subject:kettle",
    "subject:\"top topology\"",
    "description:haus",
    "comment:京都",
    "status:open",
    "status:new",
    "status<solved",
    "status>=hold",
    "priority:none",
    "priority>low",
    "priority:high",
    "ticket_type:none",
    "type:incident",
    "ticket_type:task",
    "via:email",
    "via:web",
    "tags:a",
    "tags:b",
    "tags:\"a ß\"",
    "tags:none",
    "tags:*",
    "assignee:none",
    "assignee:*",
    "assignee:me",
    "assignee:3",
    "assignee:haus",
    "requester:1",
    "requester:ada",
    "requester:\"ada kettle\"",
    "requester:Eve@acme.example",
    "submitter:kettles",
    "cc:ada",
    "cc:top@acme.example",
    "cc:nobody@acme.example",
    "requester:me",
    "submitter:2",
    "cc:none",
    "cc:2",
    "cc:*",
    "group:1",
    "group:support",
    "group:東京",
    "organization:kettle",
    "organization:haus",
    "organization:1",
    "organization:3",
    "organization:none",
    "organization:*",
    "group:none",
    "group:*",
    "created>2days",
    "created<10hours",
    "created>=2026-11-22",
    "created:2026-11-21",
    "updated<=2026-11-21",
    "updated>50hours",
    "due_date:2026-11-23",
    "due_date<2026-11-23",
    "fieldvalue:red",
    "fieldvalue:42",
    "custom_field_7:gr*",
    "custom_field_8:none",
    "custom_field_8:*",
    "custom_field_7:blue",
    "external_id:a-1",
    "external_id:a*",
    "external_id:none",
    "has_attachment:false",
    "id:5",
    "#9",
];

fn queries() -> impl Strategy<Value = String> {
    let term = (select(TERMS), any::<bool>(), any::<bool>());
    let term =
        term.prop_map(|(term, is_negated, again)| format!("{}{term}", if is_negated && again { "-" } else { "" }));
    vec(term, 0..5).prop_map(|terms| format!("type:ticket {}", terms.join(" ")))
}

fn asking() -> Asking {
    Asking { person: PersonId::new(2), now: "2026-11-23T12:00:00Z".parse().expect("a moment") }
}

fn ago(hours: i64) -> Timestamp {
    asking().now - SignedDuration::from_hours(hours)
}

fn ids<'a>(of: impl IntoIterator<Item = &'a str>, is_meant: impl Fn(&str) -> bool) -> Vec<i64> {
    (1..).zip(of).filter(|(_, text)| is_meant(text)).map(|(id, _)| id).collect()
}

/// Whether one of these people is meant.
fn are_people(of: &[i64], whom: &Whom) -> bool {
    let meant = match whom {
        Whom::Nobody => return of.is_empty(),
        Whom::Anybody => return !of.is_empty(),
        Whom::Known(id) => vec![*id],
        Whom::Address(address) => ids(PEOPLE.map(|(_, address)| address), |of| of == address),
        Whom::Named(sought) => ids(PEOPLE.map(|(name, _)| name), |name| sought.is_in(&Indexed::of(name))),
    };
    of.iter().any(|id| meant.contains(id))
}

/// Whether one of these groups or organizations is meant; names find those that are there.
fn are_named(of: &[i64], among: &[(&str, bool)], whom: &Whom) -> bool {
    let found = |sought: &Sought| {
        let is_found = |(id, (name, is_there)): (i64, &(&str, bool))| {
            (*is_there && sought.is_in(&Indexed::of(name))).then_some(id)
        };
        (1..).zip(among).filter_map(is_found).collect::<Vec<i64>>()
    };
    match whom {
        Whom::Nobody => of.is_empty(),
        Whom::Anybody => !of.is_empty(),
        Whom::Known(id) => of.contains(id),
        Whom::Named(sought) => of.iter().any(|id| found(sought).contains(id)),
        Whom::Address(_) => false,
    }
}

/// The organizations of a person that are there.
fn organizations_of(person: i64) -> Vec<i64> {
    let there = ids(ORGANIZATIONS.map(|(name, is_there)| if is_there { name } else { "" }), |name| !name.is_empty());
    let of = MEMBERSHIPS.into_iter().filter(|(member, _)| *member == person).map(|(_, organization)| organization);
    of.filter(|organization| there.contains(organization)).collect()
}

impl Ticket {
    fn texts(&self) -> Vec<(&'static str, String)> {
        let comments = self.comments.iter().enumerate();
        let comments = comments.map(|(at, text)| (if at == 0 { "description" } else { "comment" }, text.clone()));
        [("subject", self.subject.clone()), ("tag", self.tags.join(" "))].into_iter().chain(comments).collect()
    }

    fn is_found(&self, asked: &Asked, id: i64) -> bool {
        asked.clauses.iter().all(|clause| clause.any_of.iter().any(|test| self.passes(test, id)) == clause.is)
    }

    /// The reading in memory.
    fn passes(&self, test: &Test, id: i64) -> bool {
        match test {
            Test::Text(place, sought) => self.texts().iter().any(|(part, text)| {
                (*place == Place::Anywhere || place.parts().contains(part)) && sought.is_in(&Indexed::of(text))
            }),
            Test::Number(number) => id == *number,
            Test::Word(of, among) => self.word(*of).is_some_and(|word| among.contains(&word)),
            Test::NoWord(of) => self.word(*of).is_none(),
            Test::Person(Part::Requester | Part::Submitter, asked) => are_people(&[self.people.0], asked),
            Test::Person(Part::Assignee, asked) => are_people(&Vec::from_iter(self.people.1), asked),
            Test::Person(Part::Cc, asked) => are_people(&self.copied, asked),
            Test::Group(asked) => are_named(&Vec::from_iter(self.group), &GROUPS, asked),
            Test::Organization(asked) => are_named(&organizations_of(self.people.0), &ORGANIZATIONS, asked),
            Test::Tags(tags) => tags.iter().all(|tag| self.tags.contains(tag)),
            Test::Tagged(has) => self.tags.is_empty() != *has,
            Test::When(moment, from, to) => {
                let at = match moment {
                    Moment::Created => Some(ago(self.ages.0)),
                    Moment::Updated => Some(ago(self.ages.1)),
                    Moment::Due => self.ages.2.map(ago),
                };
                at.is_some_and(|at| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to))
            }
            Test::Field(field, asked) => {
                let fields = self.fields.iter().filter(|(id, _)| field.is_none_or(|field| field.to_string() == **id));
                let one =
                    |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase();
                let held: Vec<String> = fields
                    .flat_map(|(_, value)| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]))
                    .map(|value| one(&value))
                    .collect();
                given(&held, asked)
            }
            Test::ExternalId(asked) => {
                given(&Vec::from_iter(self.external_id.as_ref().map(|id| id.to_lowercase())), asked)
            }
            Test::HasAttachment(has) => !has,
            Test::Role(_) | Test::Email(_) | Test::Address(_) => false,
        }
    }

    fn word(&self, of: Worded) -> Option<&'static str> {
        match of {
            Worded::Status => Some(self.status.as_str()),
            Worded::Priority => self.priority.map(Priority::as_str),
            Worded::Type => self.ticket_type.map(TicketType::as_str),
            Worded::Channel => Some(self.channel.as_str()),
        }
    }

    async fn put(&self, conn: &mut PgConnection, tenant: &Resident, id: i64) -> Result<(), sqlx::Error> {
        let (created, updated, due) = self.ages;
        sqlx::query!(
            "insert into read_ticket_list_1.ticket_list (tenant_id, ticket_id, subject, description, status, priority, ticket_type,
                 requester_id, submitter_id, assignee_id, group_id, tags, channel, is_public, version, created_at, updated_at, due_at,
                 custom_fields, external_id, email_cc_ids)
             values ($1, $2, $3, '', $4, $5, $6, $7, $7, $8, $9, $10, $11, true, 1, $12, $13, $14, $15, $16, $17)",
            tenant.tenant_id().get(),
            id,
            self.subject,
            self.status.as_str(),
            self.priority.map(Priority::as_str),
            self.ticket_type.map(TicketType::as_str),
            self.people.0,
            self.people.1,
            self.group,
            &self.tags,
            self.channel.as_str(),
            ago(created).to_sqlx() as _,
            ago(updated).to_sqlx() as _,
            due.map(|due| ago(due).to_sqlx()) as _,
            json!(self.fields),
            self.external_id,
            &self.copied,
        )
        .execute(&mut *conn)
        .await?;
        for (at, (part, text)) in self.texts().into_iter().enumerate() {
            put_text(conn, tenant, (("ticket", id), at), (part, &text)).await?;
        }
        Ok(())
    }
}

/// A text as the projection keeps it.
async fn put_text(
    conn: &mut PgConnection,
    tenant: &Resident,
    ((kind, id), at): ((&str, i64), usize),
    (part, text): (&str, &str),
) -> Result<(), sqlx::Error> {
    let places = |places: &[u16]| places.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    for piece in Indexed::of(text) {
        let words = piece.0.iter().map(|(form, at)| format!("'{}':{}", lexeme(tenant.tenant_id(), form), places(at)));
        sqlx::query!(
            "insert into read_search_1.searched_text (tenant_id, place, kind, thing_id, part, words)
             values ($1, $2, $3, $4, $5, $6::text::tsvector)",
            tenant.tenant_id().get(),
            format!("{kind}-{id}/{at}"),
            kind,
            id,
            part,
            words.collect::<Vec<_>>().join(" "),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// People, organizations and groups, and who belongs to what.
async fn put_others(conn: &mut PgConnection, tenant: &Resident) -> Result<(), sqlx::Error> {
    let tenant_id = tenant.tenant_id().get();
    for ((name, address), id) in PEOPLE.into_iter().zip(1_i64..) {
        put_text(conn, tenant, (("user", id), 0), ("name", name)).await?;
        sqlx::query!(
            "insert into read_people_1.identity (tenant_id, identity_id, person_id, kind, value, is_primary, is_verified, created_at, updated_at)
             values ($1, $2, $2, 'email', $3, true, true, now(), now())",
            tenant_id,
            id,
            address,
        )
        .execute(&mut *conn)
        .await?;
    }
    for ((name, _), id) in ORGANIZATIONS.into_iter().zip(1_i64..).filter(|((_, is_there), _)| *is_there) {
        put_text(conn, tenant, (("organization", id), 0), ("name", name)).await?;
        sqlx::query!(
            "insert into read_people_1.organization (tenant_id, organization_id, name, details, domain_names, tags, created_at, updated_at)
             values ($1, $2, $3, '{}', '{}', '{}', now(), now())",
            tenant_id,
            id,
            name,
        )
        .execute(&mut *conn)
        .await?;
    }
    for ((person, organization), id) in MEMBERSHIPS.into_iter().zip(1_i64..) {
        sqlx::query!(
            "insert into read_people_1.membership (tenant_id, membership_id, person_id, organization_id, is_chosen, created_at, updated_at)
             values ($1, $2, $3, $4, false, now(), now())",
            tenant_id,
            id,
            person,
            organization,
        )
        .execute(&mut *conn)
        .await?;
    }
    for ((name, is_there), id) in GROUPS.into_iter().zip(1_i64..) {
        sqlx::query!(
            "insert into read_account_1.agent_group (tenant_id, group_id, name, description, is_public, created_at, deleted_at)
             values ($1, $2, $3, '', true, now(), case when $4 then null else now() end)",
            tenant_id,
            id,
            name,
            is_there,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

fn given(held: &[String], asked: &Given) -> bool {
    match asked {
        Given::Nothing => held.is_empty(),
        Given::Anything => !held.is_empty(),
        Given::Is(value) => held.contains(value),
        Given::Begins(beginning) => held.iter().any(|value| value.starts_with(beginning)),
    }
}

async fn filled(desk: &TestDesk, tickets: &[Ticket]) -> anyhow::Result<Resident> {
    let tenant = desk.region.tenant("acme").await?;
    let mut conn = regions::begin_with(&desk.region.pool(DatabaseRole::Projector).await?, "begin").await?;
    for (ticket, id) in tickets.iter().zip(1..) {
        ticket.put(&mut conn, &tenant, id).await?;
    }
    put_others(&mut conn, &tenant).await?;
    conn.commit().await?;
    Ok(tenant)
}

/// What a statement is.
fn statement(tenant: &Resident, query: &str, with_rank: bool) -> String {
    let asked = Asked::read(query, &asking()).expect("it makes sense");
    let mut statement = Query::new("");
    Search { asked: &asked, resident: tenant, groups: Vec::new() }.push(&mut statement, with_rank);
    statement.sql().as_str().to_owned()
}

#[tokio::test]
async fn only_a_page_by_relevance_ranks_and_each_kind_once() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let tenant = desk.region.tenant("acme").await?;
    let ranks = |query: &str, with_rank| statement(&tenant, query, with_rank).matches("found_texts").count();
    let query = "type:ticket kettle haus -top subject:smoke requester:ada organization:works";
    assert_eq!((ranks(query, false), ranks(query, true), ranks("kettle haus", true)), (0, 1, 3));
    Ok(())
}

#[test]
fn names_of_groups_are_read_where_they_are_sought() {
    let needs = |query: &str| needs_groups(&Asked::read(query, &asking()).expect("it makes sense"));
    for query in ["kettle", "type:group supp", "-kettle", "name:supp", "type:ticket group:support", "-group:support"] {
        assert!(needs(query), "{query}");
    }
    for query in ["type:ticket kettle", "subject:kettle", "group:5", "group:none", "type:group", "kettle status:open"] {
        assert!(!needs(query), "{query}");
    }
}

/// What is found: by page, by export, and how much.
async fn found(desk: &TestDesk, tenant: &Resident, asked: &Asked) -> anyhow::Result<(Vec<i64>, i64)> {
    let mut transaction = desk.desk.reading(tenant).await?;
    let search = Search::of(&mut transaction, tenant, asked).await?;
    let window = Window { after: 0, before: None, limit: 1000, offset: 0, is_by_offset: true };
    let exported = search.export(&mut transaction, window).await?;
    for by in [OrderBy::Relevance, OrderBy::Status, OrderBy::Updated] {
        let page = search.page(&mut transaction, (by, SortOrder::Descending), window).await?;
        let mut ids: Vec<i64> = page.into_iter().map(|(_, id)| id).collect();
        ids.sort_unstable();
        anyhow::ensure!(ids == exported, "{by:?}: {ids:?} {exported:?}");
    }
    Ok((exported, search.count(&mut transaction).await?))
}

#[test]
fn the_query_finds_what_the_same_words_find_in_memory() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let config = ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let all = vec(tickets(), TICKETS).new_tree(&mut runner).map_err(anyhow::Error::msg)?.current();
    let desk = runtime.block_on(TestDesk::new())?;
    let tenant = runtime.block_on(filled(&desk, &all))?;
    let outcome = runner.run(&queries(), |query| {
        let asked = Asked::read(&query, &asking()).map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        let expected: Vec<i64> =
            all.iter().zip(1..).filter(|(ticket, id)| ticket.is_found(&asked, *id)).map(|(_, id)| id).collect();
        let (ids, count) = runtime
            .block_on(found(&desk, &tenant, &asked))
            .map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        let missed = expected.iter().chain(&ids).find(|id| expected.contains(id) != ids.contains(id));
        let missed = missed.and_then(|id| all.get(usize::try_from(*id).ok()? - 1));
        prop_assert_eq!(&ids, &expected, "{:?}", missed);
        prop_assert_eq!(usize::try_from(count).ok(), Some(expected.len()));
        Ok(())
    });
    outcome.map_err(|failed| anyhow::anyhow!("{failed}"))?;
    Ok(())
}
