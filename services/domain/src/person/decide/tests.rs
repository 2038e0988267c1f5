use schemas::{
    PersonId, TokenId,
    values::{PersonDetail, Role},
};

use super::*;
use crate::{
    person::{RevokeToken, SetPassword},
    scenario::given,
};

fn add(name: &str, email: Option<&str>) -> Add {
    let email = email.map(str::to_owned).into();
    Add { person: PersonId::new(7), name: name.to_owned().into(), email, role: Role::EndUser }
}

fn ada() -> PersonEvent {
    let (name, email) = ("Ada".to_owned().into(), Some("ada@example.com".to_owned()).into());
    PersonAdded { person: PersonId::new(7), name, email, role: Role::EndUser }.into()
}

fn issue(token: i64) -> IssueToken {
    let description = "import".to_owned().into();
    IssueToken { token: TokenId::new(token), token_sha256: "00ff".to_owned().into(), description, expires_at: None }
}

fn issued(token: i64) -> PersonEvent {
    let IssueToken { token, token_sha256, description, expires_at } = issue(token);
    ApiTokenIssued { token, token_sha256, description, expires_at }.into()
}

#[test]
fn a_person_is_added_with_a_trimmed_name_and_a_lower_cased_address() {
    given::<Person>([]).when(add(" Ada ", Some("Ada@Example.com"))).then([ada()]);
}

#[test]
fn a_person_is_added_once() {
    given::<Person>([ada()]).when(add("Ada", None)).then_refused(Rejection::AlreadyExists);
}

#[test]
fn a_bad_name_or_address_names_its_field() {
    given::<Person>([]).when(add("A\u{0}da", None)).then_refused_field("name");
    given::<Person>([]).when(add("Ada", Some("ada"))).then_refused_field("email");
    let change = Change { email: Some(Some("@".to_owned()).into()), ..Change::default() };
    given::<Person>([ada()]).when(change).then_refused_field("email");
}

#[test]
fn somebody_unknown_cannot_be_changed() {
    given::<Person>([]).when(Change::default()).then_refused(Rejection::Unknown);
    given::<Person>([]).when(SetPassword { phc: "$".to_owned().into() }).then_refused(Rejection::Unknown);
    given::<Person>([]).when(issue(1)).then_refused(Rejection::Unknown);
}

#[test]
fn only_what_differs_is_changed() {
    let change = Change {
        name: Some("Ada Lovelace".to_owned().into()),
        email: Some(Some("ADA@example.com".to_owned()).into()),
        role: Some(Role::Agent),
        ..Change::default()
    };
    given::<Person>([ada()]).when(change).then([
        PersonRenamed { name: "Ada Lovelace".to_owned().into() }.into(),
        RoleChanged { role: Role::Agent }.into(),
    ]);
    given::<Person>([ada()]).when(Change::default()).then_nothing();
}

#[test]
fn a_person_may_give_the_address_up() {
    let change = Change { email: Some(None.into()), ..Change::default() };
    given::<Person>([ada()]).when(change).then([PersonEmailChanged { email: None.into() }.into()]);
}

#[test]
fn a_token_is_issued_and_revoked_once() {
    given::<Person>([ada()]).when(issue(3)).then([issued(3)]);
    given::<Person>([ada(), issued(3)]).when(issue(3)).then_refused(Rejection::TokenExists);
    let revoke = RevokeToken { token: TokenId::new(3) };
    let revoked: PersonEvent = ApiTokenRevoked { token: TokenId::new(3) }.into();
    given::<Person>([ada(), issued(3)]).when(revoke).then([revoked.clone()]);
    given::<Person>([ada(), issued(3), revoked]).when(revoke).then_refused(Rejection::UnknownToken);
}

#[test]
fn a_person_is_deleted_and_then_erased_and_does_nothing_else_any_more() {
    let (deleted, erased): (PersonEvent, PersonEvent) = (PersonDeleted {}.into(), PersonErased {}.into());
    given::<Person>([ada()]).when(Command::Erase).then_refused(Rejection::Unknown);
    given::<Person>([ada()]).when(Command::Delete).then([deleted.clone()]);
    given::<Person>([ada(), deleted.clone()]).when(Command::Delete).then_refused(Rejection::Unknown);
    given::<Person>([ada(), deleted.clone()]).when(issue(1)).then_refused(Rejection::Unknown);
    given::<Person>([ada(), deleted.clone()]).when(Command::Erase).then([erased.clone()]);
    let gone = [ada(), deleted.clone(), erased.clone()];
    given::<Person>(gone.clone()).when(Command::Erase).then_refused(Rejection::Unknown);
    given::<Person>(gone.clone()).when(Change::default()).then_refused(Rejection::Unknown);
    given::<Person>(gone).when(add("Ada", None)).then_refused(Rejection::AlreadyExists);
    // As a reader finds the stream once the key is destroyed.
    given::<Person>([deleted, erased]).when(Command::Erase).then_refused(Rejection::Unknown);
}

fn grant(tickets: &[i64]) -> GrantAuditor {
    GrantAuditor {
        person: PersonId::new(7),
        name: " Ada".to_owned().into(),
        email: "Ada@Example.com".to_owned().into(),
        token: TokenId::new(3),
        token_sha256: "00ff".to_owned().into(),
        expires_at: jiff::Timestamp::UNIX_EPOCH,
        tickets: tickets.iter().copied().map(TicketId::new).collect(),
    }
}

fn granted(tickets: &[i64]) -> [PersonEvent; 3] {
    let (name, email) = ("Ada".to_owned().into(), Some("ada@example.com".to_owned()).into());
    let expires_at = jiff::Timestamp::UNIX_EPOCH;
    let description = "An auditor's grant".to_owned().into();
    let token_sha256 = "00ff".to_owned().into();
    [
        PersonAdded { person: PersonId::new(7), name, email, role: Role::Auditor }.into(),
        AuditorGranted { expires_at, tickets: tickets.iter().copied().map(TicketId::new).collect() }.into(),
        ApiTokenIssued { token: TokenId::new(3), token_sha256, description, expires_at: Some(expires_at) }.into(),
    ]
}

#[test]
fn an_auditor_is_let_in_with_a_token_that_ends() {
    given::<Person>([]).when(grant(&[4, 2, 4])).then(granted(&[2, 4]));
    given::<Person>([ada()]).when(grant(&[])).then_refused(Rejection::AlreadyExists);
    let many: Vec<i64> = (0..1001).collect();
    given::<Person>([]).when(grant(&many)).then_refused_field("tickets");
}

#[test]
fn a_grant_is_not_changed_and_gives_no_second_token() {
    given::<Person>(granted(&[])).when(issue(4)).then_refused(Rejection::Auditor);
    given::<Person>(granted(&[])).when(SetPassword { phc: "$".to_owned().into() }).then_refused(Rejection::Auditor);
    let raise = Change { role: Some(Role::Admin), ..Change::default() };
    given::<Person>(granted(&[])).when(raise).then_refused(Rejection::Auditor);
    given::<Person>(granted(&[])).when(Command::Delete).then([PersonDeleted {}.into()]);
}

#[test]
fn nobody_becomes_an_auditor_without_a_grant() {
    given::<Person>([]).when(Add { role: Role::Auditor, ..add("Ada", None) }).then_refused_field("role");
    let become_auditor = Change { role: Some(Role::Auditor), ..Change::default() };
    given::<Person>([ada()]).when(become_auditor).then_refused_field("role");
}

#[test]
fn a_person_has_a_bounded_number_of_tokens() {
    let many = (0..100).map(issued);
    given::<Person>([ada()].into_iter().chain(many)).when(issue(100)).then_refused_field("api_token");
}

fn told(detail: PersonDetail, text: Option<&str>) -> Change {
    Change { details: [(detail, text.map(str::to_owned).into())].into(), ..Change::default() }
}

fn detail_set(detail: PersonDetail, text: Option<&str>) -> PersonEvent {
    PersonDetailSet { detail, value: text.map(str::to_owned).into() }.into()
}

#[test]
fn a_profile_tells_what_was_told_of_it_last() {
    let phone = PersonDetail::Phone;
    given::<Person>([ada()]).when(told(phone, Some(" 1 "))).then([detail_set(phone, Some("1"))]);
    given::<Person>([ada(), detail_set(phone, Some("1"))]).when(told(phone, Some("1"))).then_nothing();
    given::<Person>([ada(), detail_set(phone, Some("1"))]).when(told(phone, Some(""))).then([detail_set(phone, None)]);
    given::<Person>([ada()]).when(told(PersonDetail::Locale, Some("tlh"))).then_refused_field("locale");
    let tags = Change { tags: Some(vec!["VIP".to_owned()].into()), ..Change::default() };
    given::<Person>([ada()]).when(tags).then([PersonTagsSet { tags: vec!["vip".to_owned()].into() }.into()]);
}

#[test]
fn a_suspended_person_is_reinstated_and_never_an_admin() {
    let (suspended, reinstated): (PersonEvent, PersonEvent) = (PersonSuspended {}.into(), PersonReinstated {}.into());
    let admin = || RoleChanged { role: Role::Admin }.into();
    given::<Person>([ada()]).when(Command::Suspend(true)).then([suspended.clone()]);
    given::<Person>([ada()]).when(Command::Suspend(false)).then_nothing();
    given::<Person>([ada(), suspended.clone()]).when(Command::Suspend(true)).then_nothing();
    given::<Person>([ada(), suspended.clone()]).when(Command::Suspend(false)).then([reinstated]);
    given::<Person>([ada(), admin()]).when(Command::Suspend(true)).then_refused_field("suspended");
    let promote = Change { role: Some(Role::Admin), ..Change::default() };
    given::<Person>([ada(), suspended]).when(promote).then_refused_field("suspended");
}
