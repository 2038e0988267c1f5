//! `GET /agent/admin`: how many there are of each, where the desk is at home, and how far its log is safe.

use askama::Template;
use axum::extract::State;

use super::{
    Admin,
    around::{Around, Part},
};
use crate::{
    api::domicile::residency::decision,
    pages::{
        agent::Shell,
        frame::Frame,
        places,
        residency::{self, Inside},
    },
    problem::ApiResult,
    read::{self, people::Filter},
    state::Desk,
};

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct OverviewPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    /// How many there are: where they are listed, what they are called, the number.
    counts: Vec<(&'static str, String, i64)>,
    region: String,
    jurisdiction: String,
    cloud_region: &'a str,
    plan: String,
    policy_version: String,
    inside: Inside,
}

/// The page.
pub(super) async fn show(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame) -> ApiResult {
    let (words, resident) = (&frame.words, &caller.resident);
    let roles = |roles: &[&str]| Filter {
        roles: Some(roles.iter().map(|role| (*role).to_owned()).collect()),
        ..Filter::default()
    };
    let mut transaction = desk.reading(resident).await?;
    let team = read::people::count(&mut transaction, resident, &roles(&["agent", "admin"])).await?;
    let end_users = read::people::count(&mut transaction, resident, &roles(&["end-user"])).await?;
    let groups = read::groups::list(None).count(&mut transaction, resident).await?;
    drop(transaction);
    let counts = vec![
        ("/agent/admin/people", words.say("admin-people-team").to_string(), team),
        ("/agent/admin/people?role=end-user", words.say("admin-people-end-users").to_string(), end_users),
        ("/agent/admin/groups", words.say("admin-groups").to_string(), groups),
    ];
    let account = decision(&desk, resident).await?;
    frame.page(&OverviewPage {
        frame: &frame,
        shell: Shell::of(&caller),
        around: Around::of(&frame, Part::Overview),
        counts,
        region: places::region(words, &desk.region),
        jurisdiction: places::jurisdiction(words, &desk.region),
        cloud_region: &desk.region.cloud_region,
        plan: account.plan.unwrap_or_default(),
        policy_version: desk.regions.policy().version().to_string(),
        inside: residency::inside(&desk, resident, words).await?,
    })
}
