//! What the people and groups are called that a page names.

use std::collections::{BTreeSet, HashMap};

use schemas::values::ReadKind;
use sqlx::PgConnection;

use crate::{caller::Caller, read};

/// Names by id.
#[derive(Default)]
pub(super) struct Names {
    people: HashMap<i64, Named>,
    groups: HashMap<i64, String>,
}

struct Named {
    name: String,
    email: Option<String>,
}

impl Names {
    /// Reads them, and notes that their profiles are read beside what was asked for.
    pub(super) async fn load(
        conn: &mut PgConnection,
        caller: &Caller,
        people: &BTreeSet<i64>,
        groups: &BTreeSet<i64>,
    ) -> Result<Self, sqlx::Error> {
        caller.reading.beside(ReadKind::User, people.iter().copied());
        caller.reading.beside(ReadKind::Group, groups.iter().copied());
        let (people, groups): (Vec<i64>, Vec<i64>) =
            (people.iter().copied().collect(), groups.iter().copied().collect());
        let people = read::people::many(conn, &caller.resident, &people).await?;
        let groups = read::groups::many(conn, &caller.resident, &groups).await?;
        // Who was granted some tickets reads what stands on them, and no profile: the API tells them no address either.
        let may_reach = caller.is_granted(None);
        let named = |row: read::people::Person| {
            (row.person_id, Named { name: row.name, email: row.email.filter(|_| may_reach) })
        };
        Ok(Self {
            people: people.into_iter().map(named).collect(),
            groups: groups.into_iter().map(|row| (row.group_id, row.name)).collect(),
        })
    }

    /// What somebody is called; nothing, if nobody knows any more.
    pub(super) fn person(&self, id: i64) -> &str {
        self.people.get(&id).map_or("", |named| &named.name)
    }

    /// How a form names somebody: by address, or by number where there is none.
    pub(super) fn address(&self, id: i64) -> String {
        let email = self.people.get(&id).and_then(|named| named.email.clone());
        email.unwrap_or_else(|| id.to_string())
    }

    /// What a group is called.
    pub(super) fn group(&self, id: i64) -> &str {
        self.groups.get(&id).map_or("", String::as_str)
    }
}
