//! Who may make, change and delete a rule.

use schemas::{
    rule::{Audience, RuleChanged, RuleDeleted, RuleEvent, RuleMade},
    values::{Role, RuleKind},
};

use super::{Command, Known, Rejection, Rule, check, owner};
use crate::ticket::By;

pub(super) fn decide(rule: &Rule, command: &Command) -> Result<Vec<RuleEvent>, Rejection> {
    match (command, rule.known()) {
        (Command::Make { .. }, _) if rule.known.is_some() => Err(Rejection::AlreadyExists),
        (Command::Make { by, rule, fields }, _) => {
            let Known { rule, kind, audience, definition } = rule;
            of_kind(*kind, audience)?;
            let audience = for_whom(*by, audience)?;
            let definition = check::definition(*kind, definition.expose(), None, fields)?.into();
            Ok(vec![RuleMade { rule: *rule, kind: *kind, audience, definition }.into()])
        }
        (_, None) => Err(Rejection::Unknown),
        (Command::Change { by, audience, definition, fields }, Some(known)) => {
            may_touch(*by, &known.audience)?;
            of_kind(known.kind, audience)?;
            let audience = for_whom(*by, audience)?;
            let definition =
                check::definition(known.kind, definition.expose(), Some(known.definition.expose()), fields)?.into();
            if definition == known.definition && audience == known.audience {
                return Ok(Vec::new());
            }
            // What was one's own is sealed for its owner alone, so whoever shares it says all of it again, and the other way round.
            if owner(&audience) != owner(&known.audience) {
                return Ok(vec![RuleMade { rule: known.rule, kind: known.kind, audience, definition }.into()]);
            }
            Ok(vec![RuleChanged { audience, definition }.into()])
        }
        (Command::Delete(by), Some(known)) => {
            may_delete(*by, &known.audience)?;
            Ok(vec![RuleDeleted {}.into()])
        }
    }
}

/// What works by itself works on everybody's tickets, so it is everybody's.
fn of_kind(kind: RuleKind, audience: &Audience) -> Result<(), Rejection> {
    let what = match kind {
        RuleKind::View | RuleKind::Macro => return Ok(()),
        RuleKind::Trigger => "a trigger",
        RuleKind::Automation => "an automation",
    };
    if *audience == Audience::Everybody {
        return Ok(());
    }
    Err(Rejection::Invalid { field: "restriction", takes: format!("nothing: {what} is everybody's") })
}

/// Refuses what is not one's own. Of somebody else's own, nobody learns that it exists.
fn may_touch(by: By, audience: &Audience) -> Result<(), Rejection> {
    match audience {
        Audience::Person(person) if *person != by.person => Err(Rejection::Unknown),
        Audience::Person(_) => Ok(()),
        Audience::Everybody | Audience::Groups(_) if by.role == Role::Admin => Ok(()),
        Audience::Everybody | Audience::Groups(_) => Err(Rejection::AdminsOnly),
    }
}

/// As [`may_touch`]; and admins delete what somebody left behind.
fn may_delete(by: By, audience: &Audience) -> Result<(), Rejection> {
    if by.role == Role::Admin { Ok(()) } else { may_touch(by, audience) }
}

/// Whom it is for, as it is recorded: groups sorted, each once.
fn for_whom(by: By, audience: &Audience) -> Result<Audience, Rejection> {
    match audience {
        Audience::Person(person) if *person != by.person => Err(Rejection::Invalid {
            field: "restriction",
            takes: "nobody else's id: somebody's own is theirs to make".to_owned(),
        }),
        Audience::Person(_) => Ok(audience.clone()),
        Audience::Everybody | Audience::Groups(_) if by.role != Role::Admin => Err(Rejection::AdminsOnly),
        Audience::Everybody => Ok(Audience::Everybody),
        Audience::Groups(groups) => Ok(Audience::Groups(check::groups(groups)?)),
    }
}
