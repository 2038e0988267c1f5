//! One hour of one tenant: every automation in its order, on every ticket of which its conditions hold.

use std::sync::Arc;

use domain::{
    rule::{AUTOMATIONS_MAX, Asking, Automation, Triggers},
    ticket::{By, Command, Ticket},
};
use jiff::{SignedDuration, Timestamp};
use regions::Resident;
use runtime::Shutdown;
use schemas::{RuleId, StreamName, TenantId, TicketId, Version, values::RuleKind};

use super::hour::{self, Taken};
use crate::{
    api::settle,
    caller::provenance::Provenance,
    execute::{Failure, Issuer, Refusal, execute},
    home::{Home, home},
    problem::ApiError,
    read::{self, automations::Matching, rules::Filter},
    state::Desk,
    triggers,
    visible::Visible,
};

/// How many tickets an automation changes in an hour at most, as the reference has it.
const TICKETS_AN_HOUR: usize = 1000;
/// How many it is tried on in an hour at most: one that changes nothing is none of those above.
const TRIES_AN_HOUR: usize = 10_000;
/// How many tickets are asked for at a time.
const PAGE_LENGTH: i64 = 100;
/// How often a ticket is asked about again that somebody changed meanwhile.
const ATTEMPTS_MAX: usize = 3;
/// For how long a ticket stays solved at most.
const SOLVED_FOR: SignedDuration = SignedDuration::from_hours(28 * 24);
/// What conditions are asked of.
const ASKED: &[&str] = &["ticket_list", "ticket_metrics", "rules", "ticket_fields", "people", "account"];

/// Why an hour is not gone through to its end now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cannot ask the database")]
    Database(#[from] sqlx::Error),
    #[error("cannot give a command")]
    Execute(#[from] Failure),
    #[error("cannot ask what there is: {}", .0.status())]
    Ask(ApiError),
    #[error("{0} automations failed")]
    Some(usize),
    #[error("the read models are late")]
    Late,
    #[error("the process ends")]
    Ending,
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Ask(error)
    }
}

/// What closes tickets of this moment or before.
pub(super) fn solved_before(hour: Timestamp) -> Timestamp {
    hour - SOLVED_FOR
}

/// How automations ask: nobody, as of the beginning of an hour.
pub(super) const fn asking(hour: Timestamp) -> Asking {
    Asking { person: By::OPERATOR.person, groups: Vec::new(), now: hour, is_past: true }
}

/// Goes through a tenant's hour, unless it was gone through or somebody is at it.
pub(super) async fn go_through(
    desk: &Desk,
    (tenant, hour): (TenantId, Timestamp),
    shutdown: &Shutdown,
) -> Result<(), Error> {
    // Elsewhere, the desk of that region does it; closed, nothing changes.
    let Home::Open(resident) = home(desk, tenant).await? else { return Ok(()) };
    let Some(mut taken) = hour::take(desk, &resident, hour).await? else { return Ok(()) };
    match carry_out(desk, &resident, (&mut taken, shutdown)).await {
        Ok(()) => Ok(hour::finish(desk, &resident, &taken).await?),
        Err(error) => {
            match error {
                Error::Ending => hour::give_back(desk, &resident, &mut taken).await?,
                _ => hour::put_off(desk, &resident, &mut taken).await?,
            }
            Err(error)
        }
    }
}

/// Does what is to be done in an hour. Whoever does it at the same time does none of it again. An automation that fails does not keep the
/// others from being asked.
pub(super) async fn carry_out(
    desk: &Desk,
    resident: &Resident,
    (taken, shutdown): (&mut Taken, &Shutdown),
) -> Result<(), Error> {
    caught_up(desk, resident).await?;
    let mut round = Round { desk, resident, taken, shutdown, watching: None };
    let mut failed = 0;
    for rule in in_use(desk, resident).await? {
        match round.apply(rule).await {
            Ok(()) => {}
            Err(error @ (Error::Late | Error::Ending)) => return Err(error),
            Err(error) => {
                failed += 1;
                let error = runtime::chain(&error);
                tracing::warn!(tenant.id = %resident.tenant_id(), %rule, error, "an automation is left for later");
            }
        }
    }
    round.close_solved().await?;
    if failed == 0 { Ok(()) } else { Err(Error::Some(failed)) }
}

async fn caught_up(desk: &Desk, resident: &Resident) -> Result<(), Error> {
    match settle::catch_up(desk, resident, ASKED).await? {
        Visible::Yes => Ok(()),
        Visible::NotYet => Err(Error::Late),
    }
}

/// Those that are in use, in their order. Two requests at once may have made more than a tenant has: the first are asked.
async fn in_use(desk: &Desk, resident: &Resident) -> Result<Vec<RuleId>, Error> {
    let mut transaction = desk.reading(resident).await?;
    let most = i64::try_from(AUTOMATIONS_MAX).unwrap_or(i64::MAX);
    let rows = read::rules::automations(&mut transaction, resident, most).await?;
    Ok(rows.into_iter().map(|row| RuleId::new(row.rule_id)).collect())
}

/// An automation as it is now; nothing, if it is in use no more.
pub(super) async fn one(desk: &Desk, resident: &Resident, rule: RuleId) -> Result<Option<Automation>, Error> {
    let mut transaction = desk.reading(resident).await?;
    let filter = Filter { is_active: Some(true), ..Filter::of(RuleKind::Automation, By::OPERATOR) };
    let rows = read::rules::many(&mut transaction, resident, (filter, &[rule.get()])).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let fields = read::ticket_fields::known(&mut transaction, resident).await?;
    // One that says more than it may was made by a newer program, and is its to ask.
    let Ok(mut automation) = Automation::read((rule, row.updated_at.to_jiff()), &row.definition.0, &fields) else {
        tracing::warn!(tenant.id = %resident.tenant_id(), %rule, "an automation is passed over");
        return Ok(None);
    };
    triggers::keep_possible(&mut transaction, resident, vec![&mut automation.actions]).await?;
    Ok(Some(automation))
}

/// An hour on its way.
pub(super) struct Round<'a> {
    pub(super) desk: &'a Desk,
    pub(super) resident: &'a Resident,
    pub(super) taken: &'a mut Taken,
    pub(super) shutdown: &'a Shutdown,
    /// The triggers that look at what is done.
    pub(super) watching: Option<Arc<Triggers>>,
}

impl Round<'_> {
    /// Does what an automation says now: since the round began somebody may have changed it, or put it out of use.
    async fn apply(&mut self, rule: RuleId) -> Result<(), Error> {
        hour::keep(self.desk, self.resident, self.taken).await?;
        let Some(automation) = one(self.desk, self.resident, rule).await? else { return Ok(()) };
        if automation.actions.is_empty() {
            return Ok(());
        }
        let hour = self.taken.hour;
        let asking = asking(hour);
        let automation = Arc::new(automation);
        let matching = Matching::conditions((&automation.conditions, &asking), (rule, hour));
        let mut room = TICKETS_AN_HOUR;
        if self.taken.is_again {
            let mut transaction = self.desk.reading(self.resident).await?;
            room =
                room.saturating_sub(read::automations::changed(&mut transaction, self.resident, (rule, hour)).await?);
        }
        let command = Command::Automated(Arc::clone(&automation));
        if self.for_all(&matching, (&command, room)).await? > 0 {
            // The next one is asked of what this one made of them.
            caught_up(self.desk, self.resident).await?;
        }
        Ok(())
    }

    /// Closes what was solved so long ago that nothing keeps it open.
    async fn close_solved(&mut self) -> Result<(), Error> {
        let matching = Matching::Solved { before: solved_before(self.taken.hour) };
        self.for_all(&matching, (&Command::CloseSolved, TRIES_AN_HOUR)).await.map(drop)
    }

    /// Gives a command for every ticket that matches, in the order of their numbers; how many that changed.
    async fn for_all(&mut self, matching: &Matching<'_>, (command, room): (&Command, usize)) -> Result<usize, Error> {
        let (mut after, mut changed, mut tried) = (0, 0, 0);
        loop {
            let page = self.page(matching, (after, PAGE_LENGTH)).await?;
            let Some(last) = page.last() else { return Ok(changed) };
            after = last.0;
            self.watching = triggers::in_use(self.desk, self.resident).await?;
            for found in page {
                if changed >= room || tried >= TRIES_AN_HOUR {
                    return Ok(changed);
                }
                if self.shutdown.is_requested() {
                    return Err(Error::Ending);
                }
                tried += 1;
                changed += usize::from(self.to_one(matching, found, command).await?);
            }
            hour::keep(self.desk, self.resident, self.taken).await?;
        }
    }

    /// Gives a command for a ticket as it was when it matched; whether that changed it. Where somebody changed it meanwhile it is asked
    /// about again.
    pub(super) async fn to_one(
        &self,
        matching: &Matching<'_>,
        (ticket, mut version): (i64, i64),
        command: &Command,
    ) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let by = Issuer::system(self.desk, self.resident, Provenance::system());
            let stream = StreamName::Ticket(TicketId::new(ticket));
            let command = match &self.watching {
                Some(triggers) => Command::Watched(Box::new(command.clone()), Arc::clone(triggers).into()),
                None => command.clone(),
            };
            match execute::<Ticket>(self.desk, &by, stream, Some(Version::new(version)), &command).await {
                Ok(done) => return Ok(!done.nothing_changed),
                Err(Refusal::Rejected(_)) => return Ok(false),
                Err(Refusal::Failed(Failure::Conflict { .. })) => {}
                Err(Refusal::Failed(failure)) => return Err(failure.into()),
            }
            caught_up(self.desk, self.resident).await?;
            let again = self.page(matching, (ticket - 1, 1)).await?;
            match again.first() {
                Some((same, newer)) if *same == ticket => version = *newer,
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    pub(super) async fn page(
        &self,
        matching: &Matching<'_>,
        window: (i64, i64),
    ) -> Result<Vec<(i64, i64)>, sqlx::Error> {
        let mut transaction = self.desk.reading(self.resident).await?;
        read::automations::tickets(&mut transaction, self.resident, (matching, window)).await
    }
}
