//! Starting a session: always a new one, under a new secret, so that nobody is signed in with a cookie that somebody else put there.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::session::{Command, Known, Session};
use futures::FutureExt;
use regions::Resident;
use schemas::{Actor, Hash, PersonId, SessionId, StreamName};

use super::{LASTS_FOR, SESSIONS_MAX, end};
use crate::{
    api::settle::{self, settled},
    caller::{password::Proven, provenance::Provenance},
    execute::{Batch, Issuer, retried},
    problem::ApiError,
    read,
    state::Desk,
};

/// A session that is about to be started.
pub(crate) struct New {
    pub(crate) session: SessionId,
    /// What the browser will hold.
    pub(crate) secret: String,
}

impl New {
    /// One with an id and a secret of its own.
    pub(crate) async fn make(desk: &Desk, resident: &Resident) -> Result<Self, ApiError> {
        let mut connection = desk.pool.acquire().await?;
        let id = eventlog::allocate_ids(&mut connection, resident, 1).await?;
        Ok(Self { session: SessionId::new(id), secret: URL_SAFE_NO_PAD.encode(desk.ids.secret()) })
    }

    /// Adds its start to what else is decided.
    pub(crate) async fn decide<'a>(
        &self,
        batch: Batch<'a>,
        by: &Issuer,
        person: PersonId,
    ) -> Result<Batch<'a>, ApiError> {
        let start = Command::Start(Known {
            session: self.session,
            person,
            secret_sha256: Hash::of(&[self.secret.as_bytes()]).to_string().into(),
            address: by.provenance.address.map(|address| address.to_string()).into(),
            client: by.provenance.client.clone().into(),
            expires_at: by.at + LASTS_FOR,
        });
        Ok(batch.decide::<Session>(StreamName::Session(self.session), None, &start).await?)
    }
}

/// Starts a session of somebody who proved who they are, instead of the one their browser may have had. Gives its secret; nothing, if
/// what they proved is not so any more.
///
/// A new password and a suspension end the sessions that were there before them, so nobody may learn the secret of one that began after
/// them with what was good before. The log is asked again when the session is in it: whatever came first is seen now, and whatever
/// comes later ends the session.
pub(crate) async fn start(
    desk: &Desk,
    resident: &Resident,
    (proven, provenance): (&Proven, Provenance),
    replaced: Option<SessionId>,
) -> Result<Option<String>, ApiError> {
    if !proven.is_still_so(desk, resident).await? {
        return Ok(None);
    }
    let person = proven.reader.person;
    let new = &New::make(desk, resident).await?;
    let by = &Issuer { actor: Actor::Person(person), ..Issuer::system(desk, resident, provenance) };
    let ended: &Vec<SessionId> = &replaced.into_iter().chain(too_many(desk, resident, person).await?).collect();
    let attempt = || async move {
        let batch = end::decide(Batch::new(desk, by), ended).await?;
        Ok::<_, ApiError>(new.decide(batch, by, person).await?.commit().await)
    };
    let done = retried(|| attempt().boxed()).await?;
    if !proven.is_still_so(desk, resident).await? {
        end::end(desk, &Issuer::system(desk, resident, by.provenance.clone()), &[new.session]).await?;
        return Ok(None);
    }
    settled(desk, resident, &done, settle::SESSIONS).await;
    Ok(Some(new.secret.clone()))
}

/// The oldest sessions of a person who is signed in at too many places for one more.
async fn too_many(desk: &Desk, resident: &Resident, person: PersonId) -> Result<Vec<SessionId>, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    let theirs = read::sessions::of(&mut transaction, resident, person, desk.clock.now()).await?;
    let surplus = (theirs.len() + 1).saturating_sub(SESSIONS_MAX);
    Ok(theirs.into_iter().take(surplus).map(|row| SessionId::new(row.session_id)).collect())
}
