use std::collections::BTreeMap;

use schemas::{
    KeyId,
    values::{WebhookAuthentication, WebhookMethod, WebhookRequestFormat},
    webhook::WebhookLogin,
};
use uuid::Uuid;

use super::*;
use crate::scenario::given;

fn settings(change: impl FnOnce(&mut WebhookSettings)) -> WebhookSettings {
    let mut settings = WebhookSettings {
        name: "Warehouse".to_owned(),
        description: None,
        endpoint: "https://hooks.example/".to_owned(),
        method: WebhookMethod::Post,
        format: WebhookRequestFormat::Json,
        is_active: true,
        subscriptions: vec![Kind::TicketCreated.name().to_owned()],
        authentication: None,
        headers: BTreeMap::new(),
    };
    change(&mut settings);
    settings
}

fn secrets(sealed: &str) -> Personal<SealedSecrets> {
    SealedSecrets { key_id: KeyId::new(Uuid::nil()), sealed: sealed.to_owned() }.into()
}

fn known(settings: WebhookSettings) -> Known {
    Known { webhook: WebhookId::new(7), settings: settings.into(), secrets: secrets("a") }
}

fn made(settings: WebhookSettings) -> WebhookEvent {
    WebhookMade { webhook: WebhookId::new(7), settings: settings.into(), secrets: secrets("a") }.into()
}

#[test]
fn a_webhook_is_made_changed_renewed_and_deleted() {
    let (plain, other) = (settings(|_| {}), settings(|settings| settings.is_active = false));
    given::<Webhook>([]).when(Command::Make(known(plain.clone()))).then([made(plain.clone())]);
    let there = [made(plain.clone())];
    given::<Webhook>(there.clone()).when(Command::Make(known(plain.clone()))).then_refused(Rejection::AlreadyExists);
    let same = Command::Change { settings: plain.clone().into(), secrets: None };
    given::<Webhook>(there.clone()).when(same).then_nothing();
    let change = Command::Change { settings: other.clone().into(), secrets: None };
    let changed: WebhookEvent = WebhookChanged { settings: other.into(), secrets: secrets("a") }.into();
    given::<Webhook>(there.clone()).when(change).then([changed]);
    let renewed: WebhookEvent = WebhookSecretRenewed { secrets: secrets("b") }.into();
    given::<Webhook>(there.clone()).when(Command::Renew(secrets("b"))).then([renewed]);
    given::<Webhook>(there.clone()).when(Command::Delete).then([WebhookDeleted {}.into()]);
    let gone = [made(plain), WebhookDeleted {}.into()];
    for command in [Command::Delete, Command::Renew(secrets("b"))] {
        given::<Webhook>(gone.clone()).when(command).then_refused(Rejection::Unknown);
    }
}

#[test]
fn what_it_cannot_be_is_refused_by_the_name_of_the_field() {
    let key = |name: &str| Some(WebhookLogin { kind: WebhookAuthentication::ApiKey, name: Some(name.to_owned()) });
    let header = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    for (wrong, field) in [
        (settings(|settings| settings.name = " ".to_owned()), "name"),
        (settings(|settings| settings.endpoint = "x".repeat(3000)), "endpoint"),
        (settings(|settings| settings.subscriptions = vec!["conditional_ticket_events".to_owned()]), "subscriptions"),
        (settings(|settings| settings.subscriptions.push("zen:event-type:user.merged".to_owned())), "subscriptions"),
        (settings(|settings| settings.authentication = key("Host")), "authentication"),
        (settings(|settings| settings.authentication = key("a b")), "authentication"),
        (settings(|settings| settings.headers = header("X-Zendesk-Webhook-Id", "1")), "custom_headers"),
        (settings(|settings| settings.headers = header("Transfer-Encoding", "1")), "custom_headers"),
        (settings(|settings| settings.headers = header("x", "a\r\nb: c")), "custom_headers"),
        (
            settings(|settings| settings.headers = (0..6).map(|n| (format!("x-{n}"), String::new())).collect()),
            "custom_headers",
        ),
    ] {
        given::<Webhook>([]).when(Command::Make(known(wrong))).then_refused_field(field);
    }
}

#[test]
fn what_is_said_twice_is_recorded_once() {
    let name = |kind: Kind| kind.name().to_owned();
    let twice = vec![name(Kind::UserCreated), name(Kind::TicketCreated), name(Kind::UserCreated)];
    let once = settings(|settings| settings.subscriptions = vec![name(Kind::TicketCreated), name(Kind::UserCreated)]);
    let twice = settings(|settings| settings.subscriptions = twice);
    given::<Webhook>([]).when(Command::Make(known(twice))).then([made(once)]);
}

#[test]
fn the_audit_log_says_where_data_goes_and_no_secret() {
    let before = Webhook::after(&[made(settings(|_| {}))]);
    let elsewhere = settings(|settings| settings.endpoint = "https://other.example/".to_owned());
    let changed = WebhookChanged { settings: elsewhere.into(), secrets: secrets("b") };
    let change = before.change(&changed.into()).expect("it is audited");
    let told: Vec<_> =
        change.changes.expose().iter().map(|field| (field.field.as_str(), field.new.as_deref())).collect();
    assert_eq!(told, [("endpoint", Some("https://other.example/")), ("authentication", None)]);
    assert_eq!((change.source_id, change.label.expose().as_str()), (7, "Warehouse"));
}
