//! Sessions: somebody signed in on a page.
//!
//! ```text
//! nothing --start--> running --end--> ended   (final)
//! ```
//!
//! A session also ends by itself: when it has lasted as long as it may, when nobody used it for a while, and when its person sets a password,
//! is suspended or deleted. None of that is an event of the session's; whoever looks a session up knows the time and the person.

use jiff::Timestamp;
use schemas::{
    PersonId, Personal, SessionId, TenantLogEvent,
    audit::ChangeNoted,
    session::{SessionEnded, SessionEvent, SessionStarted},
    values::{AuditAction, AuditSource},
};

use crate::aggregate::Aggregate;

/// A session, or the id of one that nobody started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    known: Option<Known>,
    is_ended: bool,
}

/// A session that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub session: SessionId,
    /// Whose.
    pub person: PersonId,
    /// SHA-256 of the secret that the browser holds, in hex.
    pub secret_sha256: Personal<String>,
    /// The network address they came from, where the router names it.
    pub address: Personal<Option<String>>,
    /// What their program calls itself.
    pub client: Personal<Option<String>>,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

impl Session {
    /// What is known of it, while nobody ended it.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref().filter(|_| !self.is_ended)
    }
}

/// What may be asked of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start it.
    Start(Known),
    /// End it.
    End,
}

/// Why a session refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Nobody started it.
    #[error("there is no such session")]
    Unknown,
    /// The id is in use.
    #[error("the session was started already")]
    AlreadyExists,
}

impl Aggregate for Session {
    type Command = Command;
    type Event = SessionEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<SessionEvent>, Rejection> {
        match (command, &self.known) {
            (Command::Start(_), Some(_)) => Err(Rejection::AlreadyExists),
            (Command::Start(start), None) => {
                let Known { session, person, secret_sha256, address, client, expires_at } = start.clone();
                Ok(vec![SessionStarted { session, person, secret_sha256, address, client, expires_at }.into()])
            }
            (Command::End, None) => Err(Rejection::Unknown),
            (Command::End, Some(_)) if self.is_ended => Ok(Vec::new()),
            (Command::End, Some(known)) => Ok(vec![SessionEnded { person: known.person }.into()]),
        }
    }

    fn evolve(&mut self, event: &SessionEvent) {
        match event {
            SessionEvent::SessionStarted(started) => {
                let SessionStarted { session, person, secret_sha256, address, client, expires_at } = started.clone();
                self.known = Some(Known { session, person, secret_sha256, address, client, expires_at });
            }
            SessionEvent::SessionEnded(_) => self.is_ended = true,
        }
    }

    /// That one was started is told as a sign-in, once for many; that it was ended, and by whom, is told of each.
    fn change(&self, event: &SessionEvent) -> Option<ChangeNoted> {
        let (SessionEvent::SessionEnded(_), Some(known)) = (event, &self.known) else { return None };
        Some(ChangeNoted {
            action: AuditAction::Destroy,
            source: AuditSource::Session,
            source_id: known.session.get(),
            person: Some(known.person),
            label: String::new().into(),
            changes: Vec::new().into(),
        })
    }

    fn pick(event: TenantLogEvent) -> Option<SessionEvent> {
        match event {
            TenantLogEvent::Session(event) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::given;

    fn known() -> Known {
        Known {
            session: SessionId::new(31),
            person: PersonId::new(7),
            secret_sha256: "00ff".to_owned().into(),
            address: Some("192.0.2.7".to_owned()).into(),
            client: None.into(),
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn started() -> SessionEvent {
        let Known { session, person, secret_sha256, address, client, expires_at } = known();
        SessionStarted { session, person, secret_sha256, address, client, expires_at }.into()
    }

    #[test]
    fn a_session_is_started_once_and_ended_once() {
        let ended = || SessionEvent::from(SessionEnded { person: PersonId::new(7) });
        given::<Session>([]).when(Command::Start(known())).then([started()]);
        given::<Session>([started()]).when(Command::Start(known())).then_refused(Rejection::AlreadyExists);
        given::<Session>([]).when(Command::End).then_refused(Rejection::Unknown);
        given::<Session>([started()]).when(Command::End).then([ended()]);
        given::<Session>([started(), ended()]).when(Command::End).then_nothing();
        given::<Session>([started(), ended()]).when(Command::Start(known())).then_refused(Rejection::AlreadyExists);
    }

    #[test]
    fn only_the_end_of_a_session_is_a_change_of_its_own() {
        let session = Session::after([&started()]);
        assert_eq!(Session::default().change(&started()), None);
        let change = session.change(&SessionEnded { person: PersonId::new(7) }.into()).expect("it is audited");
        assert_eq!(
            (change.source, change.source_id, change.person),
            (AuditSource::Session, 31, Some(PersonId::new(7)))
        );
    }
}
