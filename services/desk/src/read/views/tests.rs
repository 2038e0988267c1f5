//! The query says of every ticket what the conditions say of one: random tickets, random conditions.

use std::collections::BTreeMap;

use domain::{
    rule::{Facts, Moments, Unknown, Vocabulary},
    ticket_field::Known,
};
use jiff::SignedDuration;
use proptest::{collection::vec, option, prelude::*, sample::select, strategy::ValueTree};
use regions::{DatabaseRole, Resident};
use schemas::{
    PersonId,
    rule::{RuleCondition, RuleConditions, RuleValue},
    ticket_field::{FieldDefinition, FieldOption, FieldValue},
    values::{Channel, FieldKind, TicketType},
};

use super::*;
use crate::{read::Window, testing::TestDesk};

/// How many tickets there are.
const TICKETS: usize = 120;

#[derive(Debug, Clone)]
struct Ticket {
    status: Status,
    priority: Option<Priority>,
    ticket_type: Option<TicketType>,
    channel: Channel,
    parties: (Option<i64>, Option<i64>, i64),
    tags: Vec<String>,
    subject: String,
    description: String,
    fields: BTreeMap<TicketFieldId, FieldValue>,
    /// Minutes before now.
    ages: (i64, i64, Option<i64>),
    /// The same: since it has its status, since somebody works on it, since its requester and its assignee did something.
    moments: (i64, Option<i64>, Option<i64>, Option<i64>),
}

/// Letters whose small ones are not found by adding 32: long ones, final ones, ones with a dot, ones that have none.
fn texts() -> impl Strategy<Value = String> {
    "[aAbB ÄäÖßẞéÉИиΣσ あア漢İı]{0,8}"
}

/// What tickets hold: also grey, which is an option no more.
fn fields() -> impl Strategy<Value = BTreeMap<TicketFieldId, FieldValue>> {
    let text = |text: &str| FieldValue::Text(text.to_owned());
    let values = (
        option::of((-3..4_i64).prop_map(FieldValue::Integer)),
        option::of(vec(select(&["red", "green", "grey"][..]), 1..3)),
        option::of(select(&[-1.5, 0.0, 2.0, 1e300][..]).prop_map(FieldValue::Decimal)),
        option::of(select(&["2026-01-31", "2026-11-22"][..]).prop_map(text)),
        option::of(texts().prop_map(FieldValue::Text)),
        option::of(any::<bool>().prop_map(FieldValue::Flag)),
        option::of(select(&["red", "green", "grey"][..]).prop_map(text)),
    );
    values.prop_map(|(one, two, three, four, five, six, seven)| {
        let two = two.map(|many| FieldValue::Many(many.into_iter().map(str::to_owned).collect()));
        let values = [one, two, three, four, five, six, seven].into_iter().zip(1..);
        values.filter_map(|(value, id)| Some((TicketFieldId::new(id), value?))).collect()
    })
}

fn tickets() -> impl Strategy<Value = Ticket> {
    let words = (
        select(Status::ALL),
        option::of(select(Priority::ALL)),
        option::of(select(TicketType::ALL)),
        select(Channel::ALL),
    );
    let parties = (option::of(1..4_i64), option::of(1..4_i64), 1..4_i64);
    let tags = vec(select(&["a", "b", "ß"][..]), 0..3);
    let ages = (0..400_i64, 0..400_i64, option::of(-400..400_i64));
    let moments = (0..400_i64, option::of(0..400_i64), option::of(0..400_i64), option::of(0..400_i64));
    (words, parties, tags, (texts(), texts()), fields(), ages, moments).prop_map(
        |(words, parties, tags, (subject, description), fields, ages, moments)| Ticket {
            status: words.0,
            priority: words.1,
            ticket_type: words.2,
            channel: words.3,
            parties,
            tags: tags.into_iter().map(str::to_owned).collect(),
            subject,
            description,
            fields,
            ages,
            moments,
        },
    )
}

/// Fields with their operators and some values of each.
type Words = (&'static str, &'static [&'static str], &'static [&'static str]);

const ORDER: &[&str] = &["is", "is_not", "less_than", "greater_than"];
const IS: &[&str] = &["is", "is_not"];
const LIST: &[&str] = &["includes", "not_includes"];
const TEXT: &[&str] = &["includes", "not_includes", "is", "is_not"];
const HOURS: &[&str] = &["is", "less_than", "greater_than"];
const COUNTS: &[&str] = &["0", "1", "2", "5"];
const PIECES: &[&str] = &["a", "ä b", "SS", "σ", "Σ ア", "i", "İ", "é и"];

const WORDS: &[Words] = &[
    ("status", ORDER, &["new", "open", "hold", "solved", "closed"]),
    ("priority", ORDER, &["", "low", "high", "urgent"]),
    ("type", IS, &["", "task", "incident"]),
    ("via_id", IS, &["0", "4", "5"]),
    ("group_id", IS, &["", "1", "current_groups"]),
    ("assignee_id", IS, &["", "2", "current_user", "requester_id"]),
    ("requester_id", IS, &["1", "current_user", "assignee_id"]),
    ("current_tags", LIST, &["a", "a b", "ß zz"]),
    ("subject_includes_word", TEXT, PIECES),
    ("description_includes_word", TEXT, PIECES),
    ("NEW", HOURS, COUNTS),
    ("updated_at", HOURS, COUNTS),
    ("OPEN", HOURS, COUNTS),
    ("PENDING", HOURS, COUNTS),
    ("SOLVED", HOURS, COUNTS),
    ("CLOSED", HOURS, COUNTS),
    ("assigned_at", HOURS, COUNTS),
    ("requester_updated_at", HOURS, COUNTS),
    ("assignee_updated_at", HOURS, COUNTS),
    ("due_date", HOURS, COUNTS),
    ("until_due_date", HOURS, COUNTS),
    ("custom_fields_1", IS, &[""]),
    ("custom_fields_1", ORDER, &["0", "2"]),
    ("custom_fields_2", LIST, &["red", "red green", "grey green"]),
    ("custom_fields_3", ORDER, &["0", "2.0", "-1.5"]),
    ("custom_fields_4", ORDER, &["2026-01-31", "2026-06-01"]),
    ("custom_fields_5", IS, &["", "a", "Ä"]),
    ("custom_fields_6", IS, &["", "true", "false"]),
    (
        "custom_fields_7",
        &["is", "is_not", "includes", "not_includes", "present", "not_present"],
        &["red", "green", "grey"],
    ),
    ("custom_fields_99", &["is", "is_not", "present"], &["x"]),
];

fn conditions() -> impl Strategy<Value = RuleConditions> {
    let one = || {
        select(WORDS).prop_flat_map(|(field, operators, values)| {
            (select(operators), select(values)).prop_map(move |(operator, value)| RuleCondition {
                field: field.to_owned(),
                operator: operator.to_owned(),
                value: RuleValue::Text(value.to_owned()),
            })
        })
    };
    (vec(one(), 0..3), vec(one(), 0..3)).prop_map(|(all, any)| RuleConditions { all, any })
}

fn known() -> Vec<Known> {
    let option = |value: &str| FieldOption { id: 1, name: value.to_owned(), value: value.to_owned() };
    let definition = FieldDefinition {
        title: "x".to_owned(),
        title_in_portal: "x".to_owned(),
        position: 1,
        is_active: true,
        options: vec![option("red"), option("green")],
        ..FieldDefinition::default()
    };
    use FieldKind::{Checkbox, Date, Decimal, Integer, Multiselect, Tagger, Text};
    let kinds = [Integer, Multiselect, Decimal, Date, Text, Checkbox, Tagger].into_iter().zip(1..);
    kinds
        .map(|(kind, id)| Known { field: TicketFieldId::new(id), kind, definition: definition.clone().into() })
        .collect()
}

fn asking() -> Asking {
    let now = "2026-11-22T10:00:00Z".parse().expect("a moment");
    Asking { person: PersonId::new(3), groups: vec![GroupId::new(1), GroupId::new(2)], now, is_past: false }
}

impl Ticket {
    fn at(minutes: i64) -> Timestamp {
        asking().now - SignedDuration::from_mins(minutes)
    }

    fn facts(&self) -> Facts<'_> {
        let (group, assignee, requester) = self.parties;
        let (created, updated, due) = self.ages;
        Facts {
            status: self.status,
            priority: self.priority,
            ticket_type: self.ticket_type,
            channel: self.channel,
            group: group.map(GroupId::new),
            assignee: assignee.map(PersonId::new),
            requester: PersonId::new(requester),
            tags: &self.tags,
            subject: &self.subject,
            description: &self.description,
            fields: &self.fields,
            created_at: Self::at(created),
            updated_at: Self::at(updated),
            due_at: due.map(Self::at),
            moments: Moments {
                status_updated: Some(Self::at(self.moments.0)),
                assigned: self.moments.1.map(Self::at),
                requester_updated: self.moments.2.map(Self::at),
                assignee_updated: self.moments.3.map(Self::at),
            },
        }
    }

    async fn put(&self, conn: &mut sqlx::PgConnection, tenant: &Resident, id: i64) -> Result<(), sqlx::Error> {
        let (group, assignee, requester) = self.parties;
        let facts = self.facts();
        sqlx::query!(
            "insert into read_ticket_list_1.ticket_list (tenant_id, ticket_id, subject, description, status, priority, ticket_type, requester_id,
                 submitter_id, assignee_id, group_id, tags, channel, is_public, version, created_at, updated_at, due_at, custom_fields)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12, true, 1, $13, $14, $15, $16)",
            tenant.tenant_id().get(),
            id,
            self.subject,
            self.description,
            self.status.as_str(),
            self.priority.map(Priority::as_str),
            self.ticket_type.map(TicketType::as_str),
            requester,
            assignee,
            group,
            &self.tags,
            self.channel.as_str(),
            facts.created_at.to_sqlx() as _,
            facts.updated_at.to_sqlx() as _,
            facts.due_at.map(|due_at| due_at.to_sqlx()) as _,
            json!(self.fields),
        )
        .execute(&mut *conn)
        .await?;
        let Moments { status_updated, assigned, requester_updated, assignee_updated } = facts.moments;
        let sql = |at: Option<Timestamp>| at.map(|at| at.to_sqlx());
        sqlx::query!(
            "insert into read_ticket_metrics_1.ticket_metric (tenant_id, ticket_id, version, status, requester_id, created_at, updated_at,
                 status_updated_at, assigned_at, requester_updated_at, assignee_updated_at, replies, reopens, group_stations,
                 assignee_stations, requester_wait_seconds, agent_wait_seconds, hold_seconds, automated, automation_updates)
             values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, 0, 0, 0, 0, '{}', 0)",
            tenant.tenant_id().get(),
            id,
            self.status.as_str(),
            requester,
            facts.created_at.to_sqlx() as _,
            facts.updated_at.to_sqlx() as _,
            sql(status_updated) as _,
            sql(assigned) as _,
            sql(requester_updated) as _,
            sql(assignee_updated) as _,
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// The tickets of a tenant whose conditions hold, by the query: the ids of a page, and how many there are.
async fn found(desk: &TestDesk, tenant: &Resident, read: Conditions) -> anyhow::Result<(Vec<i64>, i64)> {
    let list = super::tickets(
        read,
        asking(),
        &[(Column::Status, SortOrder::Descending), (Column::Requester, SortOrder::Ascending)],
    );
    let mut transaction = desk.desk.reading(tenant).await?;
    let window = Window { after: 0, before: None, limit: 1000, offset: 0, is_by_offset: true };
    let mut ids = list.ids(&mut transaction, tenant, window).await?;
    let by_number = list.ids(&mut transaction, tenant, Window { is_by_offset: false, ..window }).await?;
    ids.sort_unstable();
    anyhow::ensure!(ids == by_number, "pages by offset and by cursor hold the same");
    Ok((ids, list.count(&mut transaction, tenant).await?))
}

async fn filled(desk: &TestDesk, tickets: &[Ticket]) -> anyhow::Result<Resident> {
    let tenant = desk.region.tenant("acme").await?;
    let mut conn = regions::begin_with(&desk.region.pool(DatabaseRole::Projector).await?, "begin").await?;
    for (ticket, id) in tickets.iter().zip(1..) {
        ticket.put(&mut conn, &tenant, id).await?;
    }
    conn.commit().await?;
    Ok(tenant)
}

#[test]
fn the_query_says_of_all_tickets_what_the_conditions_say_of_each() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let config = ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let all = vec(tickets(), TICKETS).new_tree(&mut runner).map_err(anyhow::Error::msg)?.current();
    let desk = runtime.block_on(TestDesk::new())?;
    let tenant = runtime.block_on(filled(&desk, &all))?;
    let fields = known();
    let outcome = runner.run(&conditions(), |sent| {
        let read = Conditions::read(&sent, Vocabulary { fields: &fields, unknown: Unknown::Empty });
        let read = read.map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        let expected: Vec<i64> =
            all.iter().zip(1..).filter(|(ticket, _)| read.hold(&ticket.facts(), &asking())).map(|(_, id)| id).collect();
        let (ids, count) =
            runtime.block_on(found(&desk, &tenant, read)).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        let missed = expected.iter().chain(&ids).find(|id| expected.contains(id) != ids.contains(id));
        let missed = missed.and_then(|id| all.get(usize::try_from(*id).ok()? - 1));
        prop_assert_eq!(&ids, &expected, "{:?}", missed);
        prop_assert_eq!(usize::try_from(count).ok(), Some(expected.len()));
        Ok(())
    });
    outcome.map_err(|failed| anyhow::anyhow!("{failed}"))?;
    Ok(())
}
