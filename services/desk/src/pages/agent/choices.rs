//! What there is to choose from in the forms about a ticket.

use domain::ticket_field::Known;
use schemas::values::{FieldKind, Priority, Status, TicketType};
use sqlx::PgConnection;

use super::{
    attributes::{self, Attributes},
    faults::Faults,
    terms,
};
use crate::{
    caller::Caller,
    pages::words::Words,
    read::{self, Window, people::Filter},
};

/// Agents and groups that are offered at most: whoever is not among them is found by the API.
const OFFERED_MAX: i64 = 500;

/// An option of a list.
pub(super) struct Pick {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// A field as a form shows it.
pub(super) struct Field {
    /// Its name in the form, and the id of its input.
    pub(super) key: String,
    pub(super) label: String,
    /// `text`, `textarea`, `checkbox`, `date`, `number`, `select` or `multiselect`.
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) picks: Vec<Pick>,
    pub(super) error: Option<String>,
}

/// The lists of a form.
pub(super) struct Choices {
    pub(super) status: Field,
    /// The other fields of the ticket, in the order in which they stand.
    pub(super) fields: Vec<Field>,
}

/// What the tenant has to choose from.
pub(super) struct Offered {
    agents: Vec<(i64, String)>,
    groups: Vec<(i64, String)>,
    pub(super) known: Vec<Known>,
}

impl Offered {
    pub(super) async fn load(conn: &mut PgConnection, caller: &Caller) -> Result<Self, sqlx::Error> {
        let resident = &caller.resident;
        let window = Window { after: 0, before: None, limit: OFFERED_MAX, offset: 0, is_by_offset: true };
        let roles = Some(vec!["agent".to_owned(), "admin".to_owned()]);
        let agents = read::people::ids(conn, resident, &Filter { roles, ..Filter::default() }, window).await?;
        let agents = read::people::many(conn, resident, &agents).await?;
        let groups = read::groups::list(None).ids(conn, resident, window).await?;
        let groups = read::groups::many(conn, resident, &groups).await?;
        Ok(Self {
            agents: agents.into_iter().map(|row| (row.person_id, row.name)).collect(),
            groups: groups.into_iter().map(|row| (row.group_id, row.name)).collect(),
            known: read::ticket_fields::known(conn, resident).await?,
        })
    }

    /// Who is offered as an assignee.
    pub(super) fn agents(&self) -> impl Iterator<Item = i64> {
        self.agents.iter().map(|(id, _)| *id)
    }

    /// The lists with what is chosen, and what is wrong with it.
    pub(super) fn choices(&self, chosen: &Attributes, words: &Words, faults: &Faults) -> Choices {
        let select =
            |key: &str, picks: Vec<Pick>| Field { picks, ..self.field(key, "select", (chosen, words, faults)) };
        let ranked = |key: &str, picks: Vec<(String, String)>| {
            let none = (String::new(), "—".to_owned());
            select(key, picked(chosen.text(key), std::iter::once(none).chain(picks)))
        };
        let statuses = Status::ALL.iter().map(|status| status.as_str());
        // Nobody closes a ticket by hand, and what was answered is not new any more.
        let now = chosen.text("status");
        let statuses = statuses.filter(|status| *status != "closed" && (*status != "new" || matches!(now, "" | "new")));
        let statuses = statuses.map(|status| (status.to_owned(), terms::status(words, status)));
        let priorities = Priority::ALL.iter().map(|word| (word.to_string(), terms::priority(words, word.as_str())));
        let types = TicketType::ALL.iter().map(|word| (word.to_string(), terms::ticket_type(words, word.as_str())));
        let listed = |rows: &[(i64, String)]| rows.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
        let mut fields = vec![
            ranked("assignee", listed(&self.agents)),
            ranked("group", listed(&self.groups)),
            ranked("priority", priorities.collect()),
            ranked("type", types.collect()),
            Field { text: chosen.all("tags").join(" "), ..self.field("tags", "text", (chosen, words, faults)) },
            Field { text: chosen.all("ccs").join(", "), ..self.field("ccs", "text", (chosen, words, faults)) },
        ];
        fields.extend(self.known.iter().map(|known| self.own(known, (chosen, words, faults))));
        Choices { status: select("status", picked(now, statuses)), fields }
    }

    fn field(&self, key: &str, kind: &'static str, (chosen, words, faults): (&Attributes, &Words, &Faults)) -> Field {
        Field {
            key: key.to_owned(),
            label: terms::field(words, key, &self.known),
            kind,
            text: chosen.text(key).to_owned(),
            picks: Vec::new(),
            error: faults.at(key).map(str::to_owned),
        }
    }

    /// A field that the tenant made.
    fn own(&self, known: &Known, around: (&Attributes, &Words, &Faults)) -> Field {
        let (key, definition) = (attributes::key(known), known.definition.expose());
        let kind = match known.kind {
            FieldKind::Text | FieldKind::Regexp | FieldKind::Decimal => "text",
            FieldKind::Textarea => "textarea",
            FieldKind::Checkbox => "checkbox",
            FieldKind::Date => "date",
            FieldKind::Integer => "number",
            FieldKind::Tagger => "select",
            FieldKind::Multiselect => "multiselect",
        };
        let all = around.0.all(&key);
        let none = (known.kind == FieldKind::Tagger).then(|| (String::new(), "—".to_owned()));
        let options = definition.options.iter().map(|option| (option.value.clone(), option.name.clone()));
        let pick = |(value, name): (String, String)| {
            let is_chosen = if value.is_empty() { all.is_empty() } else { all.contains(&value) };
            Pick { value, name, is_chosen }
        };
        let mut picks: Vec<Pick> = none.into_iter().chain(options).map(pick).collect();
        if matches!(known.kind, FieldKind::Tagger | FieldKind::Multiselect) {
            // What is offered no more is there as long as it is chosen, or the form would take it away in silence.
            let is_gone = |value: &&String| !picks.iter().any(|pick| pick.value == **value);
            let gone: Vec<String> = all.iter().filter(is_gone).cloned().collect();
            picks.extend(gone.into_iter().map(|value| Pick { name: value.clone(), value, is_chosen: true }));
        }
        Field { picks, ..self.field(&key, kind, around) }
    }
}

/// The options with the one that is chosen; it is there also when it is offered no more.
fn picked(chosen: &str, options: impl Iterator<Item = (String, String)>) -> Vec<Pick> {
    let mut picks: Vec<Pick> = options.map(|(value, name)| Pick { is_chosen: value == chosen, value, name }).collect();
    if !chosen.is_empty() && !picks.iter().any(|pick| pick.is_chosen) {
        picks.push(Pick { value: chosen.to_owned(), name: chosen.to_owned(), is_chosen: true });
    }
    picks
}
