//! `GET /residency`: the tenant's residency certificate. Where it is at home, under whose law and which policy; and how far its log is
//! durable, sealed, archived and verified.
//!
//! Where a desk is at home is everybody's to know: its customers' data lies there. How much is written is not: positions say how busy a
//! desk is. So whoever may ask the API for the marks and the decision sees them here, and others see the place alone.

use std::convert::Infallible;

use askama::Template;
use axum::{
    Extension, Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    routing::get,
};
use eventlog::Mark;
use jiff::Timestamp;
use regions::Resident;

use super::{frame::Frame, landing::backups, places, words::Words};
use crate::{
    api::domicile::residency::decision,
    caller::Caller,
    host::Site,
    problem::{ApiError, ApiResult},
    read::account::Account,
    state::Desk,
};

const SECONDS_OF_A_MINUTE: i64 = 60;
const SECONDS_OF_AN_HOUR: i64 = 60 * SECONDS_OF_A_MINUTE;
const SECONDS_OF_A_DAY: i64 = 24 * SECONDS_OF_AN_HOUR;

/// `/residency`.
pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/residency", get(show))
}

/// Whoever asks, if they proved who they are and may see the marks.
struct Insider(Result<Option<Caller>, ApiError>);

impl FromRequestParts<Desk> for Insider {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Infallible> {
        Ok(Self(match Caller::from_request_parts(parts, desk).await {
            Ok(caller) => Ok(Some(caller).filter(Caller::is_insider)),
            // Nobody in particular: they are shown what everybody is.
            Err(error) if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&error.status()) => Ok(None),
            Err(error) => Err(error),
        }))
    }
}

/// One of the four marks, as the page shows it.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) meaning: String,
    /// Position, moment, the moment in words, its age; nothing, if it was never reached.
    pub(super) reached: Option<(String, Timestamp, String, String)>,
}

/// What only insiders see.
pub(super) struct Inside {
    pub(super) marks: Vec<Row>,
    /// When the marks were looked at.
    pub(super) seen: String,
    pub(super) decision: String,
}

#[derive(Template)]
#[template(path = "residency.html")]
struct ResidencyPage<'a> {
    frame: &'a Frame,
    slug: &'a str,
    region: String,
    jurisdiction: String,
    cloud_region: &'a str,
    backups: String,
    policy_version: String,
    inside: Option<Inside>,
}

async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    Extension(site): Extension<Site>,
    Insider(caller): Insider,
) -> ApiResult {
    let Site::Tenant(resident) = site else { return Err(ApiError::unknown_path()) };
    let words = &frame.words;
    let inside = match caller? {
        Some(_) => Some(inside(&desk, &resident, words).await?),
        None => None,
    };
    frame.page(&ResidencyPage {
        frame: &frame,
        slug: resident.slug().as_str(),
        region: places::region(words, &desk.region),
        jurisdiction: places::jurisdiction(words, &desk.region),
        cloud_region: &desk.region.cloud_region,
        backups: backups(words, &desk.region),
        policy_version: desk.regions.policy().version().to_string(),
        inside,
    })
}

/// The marks of the tenant, and what was decided when it signed up.
pub(super) async fn inside(desk: &Desk, resident: &Resident, words: &Words) -> Result<Inside, ApiError> {
    let account = decision(desk, resident).await?;
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let marks = eventlog::marks(&mut transaction, resident).await?;
    drop(transaction);
    let now = desk.clock.now();
    let row = |name: String, meaning: String, mark: Option<&Mark>| Row {
        name,
        meaning,
        reached: mark.map(|mark| {
            let age = age(words, now.duration_since(mark.at).as_secs().max(0));
            (words.number(mark.position.get()), mark.at, words.moment(mark.at), age)
        }),
    };
    let said = |key| words.say(key).to_string();
    let rows = vec![
        row(said("residency-acked"), said("residency-acked-means"), Some(&marks.acked)),
        row(said("residency-sealed"), said("residency-sealed-means"), marks.sealed.as_ref()),
        row(said("residency-archived"), said("residency-archived-means"), marks.archived.as_ref()),
        row(said("residency-verified"), said("residency-verified-means"), marks.verified.as_ref()),
    ];
    Ok(Inside { marks: rows, seen: words.moment(now), decision: decided(words, &account) })
}

/// What was decided about the place when the tenant signed up.
fn decided(words: &Words, account: &Account) -> String {
    let key = match (account.entitled, account.committed) {
        (_, Some(true)) => "residency-committed",
        (Some(true), _) => "residency-entitled",
        _ => "residency-uncommitted",
    };
    let plan = account.plan.clone().unwrap_or_default();
    let version = account.policy_version.unwrap_or_default();
    words.say(key).with("plan", plan).with("version", version).to_string()
}

/// How long ago, in the largest unit of which there is a whole one.
fn age(words: &Words, seconds: i64) -> String {
    let (key, unit) = match seconds {
        ..SECONDS_OF_A_MINUTE => ("residency-seconds", 1),
        SECONDS_OF_A_MINUTE..SECONDS_OF_AN_HOUR => ("residency-minutes", SECONDS_OF_A_MINUTE),
        SECONDS_OF_AN_HOUR..SECONDS_OF_A_DAY => ("residency-hours", SECONDS_OF_AN_HOUR),
        _ => ("residency-days", SECONDS_OF_A_DAY),
    };
    words.say(key).with("n", words.number(seconds / unit)).to_string()
}

#[cfg(test)]
mod tests;
