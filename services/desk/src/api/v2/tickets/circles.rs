//! Who gets copies of a ticket's mails, and who follows it, in all the forms that clients write it.
//!
//! `email_ccs` and `followers` hold people with an `action` (`put`, if there is none, or `delete`); `email_cc_ids` and `follower_ids`
//! replace the list; `collaborators` and `collaborator_ids` replace both (who is new gets copies); `additional_collaborators` get
//! copies besides.

use domain::ticket::{Circle, Further};
use regions::Resident;
use schemas::PersonId;
use serde_json::Value;

use crate::{
    api::named::{Named, Newcomers},
    body::Fields,
    problem::ApiError,
    state::Desk,
};

/// How many people one request names in a list at most.
const NAMED_MAX: usize = 100;

/// The lists as a client sent them.
#[derive(Default)]
pub(crate) struct Circles {
    collaborators: Option<Vec<Named>>,
    email_ccs: List,
    followers: List,
}

#[derive(Default)]
struct List {
    all: Option<Vec<Named>>,
    put: Vec<Named>,
    delete: Vec<Named>,
}

impl Circles {
    /// Reads them. What is wrong is noted in `fields`.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let collaborators = people(fields, "collaborators").or_else(|| people(fields, "collaborator_ids"));
        let mut email_ccs = List::read(fields, "email_cc_ids", "email_ccs");
        email_ccs.put.extend(people(fields, "additional_collaborators").unwrap_or_default());
        let followers = List::read(fields, "follower_ids", "followers");
        Self { collaborators, email_ccs, followers }
    }

    /// Whether nobody is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        let is_empty = |list: &List| list.all.is_none() && list.put.is_empty() && list.delete.is_empty();
        self.collaborators.is_none() && is_empty(&self.email_ccs) && is_empty(&self.followers)
    }

    /// Finds the people. Followers are agents.
    pub(crate) async fn resolve(
        &self,
        desk: &Desk,
        resident: &Resident,
        newcomers: &mut Newcomers,
    ) -> Result<Further, ApiError> {
        let collaborators = match &self.collaborators {
            Some(people) => Some(ids(desk, resident, ("collaborators", people), newcomers).await?),
            None => None,
        };
        let email_ccs = self.email_ccs.resolve(desk, resident, ("email_ccs", newcomers)).await?;
        let followers = self.followers.resolve(desk, resident, ("followers", newcomers)).await?;
        Ok(Further { collaborators, email_ccs, followers, ..Further::default() })
    }
}

impl List {
    fn read(fields: &mut Fields<'_>, ids: &str, changes: &str) -> Self {
        let mut list = Self { all: people(fields, ids), ..Self::default() };
        for item in fields.items(changes).unwrap_or_default() {
            let action = item.get("action").and_then(Value::as_str).unwrap_or("put");
            match (Named::read(item), action) {
                (Some(named), "put") => list.put.push(named),
                (Some(named), "delete") => list.delete.push(named),
                _ => fields.fault(
                    changes,
                    "takes people with a user_id or user_email, and an action of put or delete",
                    "InvalidValue",
                ),
            }
        }
        list
    }

    async fn resolve(
        &self,
        desk: &Desk,
        resident: &Resident,
        (field, newcomers): (&str, &mut Newcomers),
    ) -> Result<Circle, ApiError> {
        let all = match &self.all {
            Some(people) => Some(ids(desk, resident, (field, people), newcomers).await?),
            None => None,
        };
        let put = ids(desk, resident, (field, &self.put), newcomers).await?;
        let mut delete = Vec::new();
        for named in &self.delete {
            // Also somebody who is there no more.
            let known = if let Named::Known(person) = named { Some(*person) } else { None };
            delete.extend(known.or(named.find(desk, resident).await?.map(|by| by.person)));
        }
        Ok(Circle { all, put, delete })
    }
}

async fn ids(
    desk: &Desk,
    resident: &Resident,
    (field, people): (&str, &[Named]),
    newcomers: &mut Newcomers,
) -> Result<Vec<PersonId>, ApiError> {
    let mut ids = Vec::with_capacity(people.len());
    for named in people {
        let by = named.resolve(desk, resident, (field, newcomers)).await?;
        if field == "followers" && !by.is_agent() {
            return Err(ApiError::invalid(field, format!("{field}: takes agents"), "InvalidValue"));
        }
        ids.push(by.person);
    }
    Ok(ids)
}

/// A list of people. Null is none of them, as an empty list is.
fn people(fields: &mut Fields<'_>, name: &str) -> Option<Vec<Named>> {
    if !fields.has(name) {
        return None;
    }
    let items = fields.items(name).unwrap_or_default();
    let people: Vec<Named> = items.iter().filter_map(Named::read).collect();
    if people.len() != items.len() || items.len() > NAMED_MAX {
        fields.fault(name, format!("takes ids or addresses of at most {NAMED_MAX} people"), "InvalidValue");
    }
    Some(people)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, without_ids};

    const TICKET: &str = "/api/v2/tickets/1";

    async fn update(bench: &Bench, ticket: Value) -> Value {
        let answer = bench.put(ALAN, TICKET, json!({"ticket": ticket})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    #[tokio::test]
    async fn people_get_copies_and_follow_in_every_form_that_clients_write() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let ccs = json!([{"user_id": ADA.id}, {"user_email": "New@Acme.example", "user_name": "Nina"}]);
        let ticket = json!({"comment": {"body": "x"}, "email_ccs": ccs, "followers": [{"user_id": ALAN.id}]});
        let opened = bench.post(GRACE, "/api/v2/tickets", json!({"ticket": ticket})).await.body;
        let nina = opened["ticket"]["email_cc_ids"][1].as_i64().expect("she was made known");
        assert_eq!(opened["ticket"]["email_cc_ids"], json!([ADA.id, nina]));
        assert_eq!(opened["ticket"]["follower_ids"], json!([ALAN.id]));
        assert_eq!(opened["ticket"]["collaborator_ids"], json!([ALAN.id, ADA.id, nina]));
        let events = opened["audit"]["events"].as_array().expect("events").clone();
        assert!(events.iter().any(|event| event["type"] == "Cc" && event["recipients"] == json!([ADA.id, nina])));
        let users = bench.get(ALAN, "/api/v2/tickets/1/collaborators").await.body;
        assert_eq!((&users["count"], &users["users"][2]["name"]), (&json!(3), &json!("Nina")));
        for (path, count) in [("email_ccs", 2), ("followers", 1)] {
            assert_eq!(bench.get(ALAN, &format!("{TICKET}/{path}.json")).await.body["count"], count, "{path}");
        }

        let email_ccs =
            json!([{"user_id": EVE.id, "action": "put"}, {"user_email": "new@acme.example", "action": "delete"}]);
        let changed = update(&bench, json!({"email_ccs": email_ccs})).await;
        assert_eq!(changed["ticket"]["email_cc_ids"], json!([ADA.id, EVE.id]));
        assert_eq!(
            without_ids(changed["audit"]["events"].clone(), &["id"]),
            json!([{"id": "…", "type": "EmailCcChange", "previous_email_ccs": [ADA.id, nina], "current_email_ccs": [ADA.id, EVE.id]}])
        );
        let replaced =
            update(&bench, json!({"collaborators": [ALAN.id, "eve@acme.example", {"email": "x@acme.example"}]})).await;
        let x = replaced["ticket"]["email_cc_ids"][1].clone();
        assert_eq!(
            (&replaced["ticket"]["email_cc_ids"], &replaced["ticket"]["follower_ids"]),
            (&json!([EVE.id, x]), &json!([ALAN.id]))
        );
        let more = update(&bench, json!({"additional_collaborators": [GRACE.id], "follower_ids": []})).await;
        assert_eq!(more["ticket"]["email_cc_ids"], json!([GRACE.id, EVE.id, x]));
        assert_eq!(
            without_ids(more["audit"]["events"][1].clone(), &["id"]),
            json!({"id": "…", "type": "FollowersChange", "previous_followers": [ALAN.id], "current_followers": []})
        );
        Ok(())
    }

    #[tokio::test]
    async fn followers_are_agents_and_everybody_is_somebody() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        for (sent, field) in [
            (json!({"followers": [{"user_id": ADA.id}]}), "followers"),
            (json!({"follower_ids": [99]}), "followers"),
            (json!({"email_ccs": [{"user_id": ADA.id, "action": "poke"}]}), "email_ccs"),
            (json!({"email_ccs": {"user_id": ADA.id}}), "email_ccs"),
            (json!({"collaborators": ["no address"]}), "collaborators"),
        ] {
            let answer = bench.put(ALAN, TICKET, json!({"ticket": sent})).await;
            assert_eq!(
                (answer.status.as_u16(), answer.wrong_fields()),
                (422, vec![field.to_owned()]),
                "{}",
                answer.body
            );
        }
        assert_eq!(bench.get(ALAN, TICKET).await.body["ticket"]["collaborator_ids"], json!([]));
        Ok(())
    }

    #[tokio::test]
    async fn an_end_user_names_nobody_and_sees_no_followers() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        update(&bench, json!({"followers": [{"user_id": ALAN.id}], "email_ccs": [{"user_id": EVE.id}]})).await;
        let seen = bench.get(ADA, TICKET).await.body["ticket"].clone();
        assert_eq!((&seen["follower_ids"], &seen["collaborator_ids"]), (&json!([]), &json!([EVE.id])));
        for sent in [json!({"email_ccs": [{"user_id": EVE.id}]}), json!({"assignee_email": "alan@acme.example"})] {
            assert_eq!(bench.put(ADA, TICKET, json!({"ticket": sent})).await.status, 403);
        }
        for path in ["collaborators", "email_ccs", "followers"] {
            assert_eq!(bench.get(ADA, &format!("{TICKET}/{path}")).await.status, 403, "{path}");
        }
        Ok(())
    }
}
