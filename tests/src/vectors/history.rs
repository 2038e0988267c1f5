//! Two histories: a long one of one kind of event, for the tree, and a short one with everything an event can have.

use schemas::{Envelope, Hash, Position, Recorded, Sealed, TenantId};
use serde_json::json;

use super::seal::DataKey;

/// One event in plain.
pub(super) struct Fact {
    pub(super) stream: String,
    pub(super) version: i64,
    /// `<type>@<version>`.
    pub(super) schema: &'static str,
    /// The payload, as it is sealed.
    pub(super) data: String,
    pub(super) recorded_at: String,
    pub(super) actor: &'static str,
    pub(super) command: u64,
    pub(super) scope: String,
    /// Which event caused the command, and the trace of the command.
    pub(super) cause: Option<(i64, &'static str)>,
    /// The bytes of a file that came along.
    pub(super) file: Option<&'static [u8]>,
    /// The key was destroyed before it was exported.
    pub(super) is_erased: bool,
}

/// An event, and what belongs to it.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) recorded: Recorded,
    pub(super) key: DataKey,
    pub(super) is_erased: bool,
    pub(super) data: String,
    /// A sealed file, by the hash of its bytes.
    pub(super) file: Option<(Hash, Vec<u8>)>,
}

/// The tenant with this number.
pub(super) fn tenant_id(number: u32) -> TenantId {
    format!("018f0000-0000-7000-8000-{number:012}").parse().expect("a UUID")
}

fn id(kind: u32, number: u64) -> String {
    format!("018f0000-{kind:04x}-7000-8000-{number:012x}")
}

/// Seals the facts, in their order.
pub(super) fn tell(tenant_id: TenantId, facts: Vec<Fact>) -> Vec<Told> {
    facts.into_iter().zip(1..).map(|(fact, position)| seal(tenant_id, fact, position)).collect()
}

fn seal(tenant_id: TenantId, fact: Fact, position: i64) -> Told {
    let key = DataKey { tenant_id, scope: fact.scope.clone() };
    let file = fact.file.map(|file| {
        let place = format!("{tenant_id}/{}", key.scope);
        let sealed = key.seal(place.as_bytes(), file);
        (Hash::of(&[&sealed]), sealed)
    });
    let envelope = envelope(tenant_id, &fact, position, &key, file.as_ref().map(|(blob, _)| *blob));
    let payload = key.seal(&envelope.associated_data(), fact.data.as_bytes());
    let recorded = Recorded { position: Position::new(position), sealed: Sealed::new(envelope, payload) };
    Told { recorded, key, is_erased: fact.is_erased, data: fact.data, file }
}

fn envelope(tenant_id: TenantId, fact: &Fact, position: i64, key: &DataKey, blob: Option<Hash>) -> Envelope {
    let (event_type, version) = fact.schema.split_once('@').expect("a schema is <type>@<version>");
    let envelope = json!({
        "tenant_id": tenant_id,
        "stream": fact.stream,
        "version": fact.version,
        "event_id": id(3, position as u64),
        "event_type": event_type,
        "schema_version": version.parse::<u16>().expect("a version is a number"),
        "recorded_at": fact.recorded_at,
        "actor": fact.actor,
        "command_id": id(4, fact.command),
        "causation_id": fact.cause.map(|(position, _)| id(3, position as u64)),
        "trace_parent": fact.cause.map(|(_, trace)| trace),
        "key_id": key.id(),
        "blob": blob,
    });
    serde_json::from_value(envelope).expect("an envelope")
}

/// 270 changes of ten tickets: more than one tile.
pub(super) fn long() -> Vec<Told> {
    tell(tenant_id(1), changes(270))
}

/// The first of them again, of another tenant.
pub(super) fn rotated() -> Vec<Told> {
    tell(tenant_id(3), changes(3))
}

fn changes(count: u64) -> Vec<Fact> {
    let words = ["open", "pending", "hold", "solved"];
    let facts = (0..count).map(|number| {
        let (ticket, seconds) = (number % 10 + 1, number);
        Fact {
            stream: format!("ticket-{ticket}"),
            version: (number / 10) as i64 + 1,
            schema: "status_set@1",
            data: format!(r#"{{"status":"{}"}}"#, words[(number % 4) as usize]),
            recorded_at: format!("2026-11-22T10:{:02}:{:02}.{number:06}Z", seconds / 60, seconds % 60),
            actor: "person-7",
            command: number / 2,
            scope: format!("ticket-{ticket}"),
            cause: None,
            file: None,
            is_erased: false,
        }
    });
    facts.collect()
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const FILE: &[u8] = b"%PDF-1.4 a small file, with a byte \xff that is no text";

/// Every part an envelope can have; two days; a command that two generations share; an older version of a schema; an erased
/// comment.
pub(super) fn short() -> Vec<Told> {
    let general = |version, schema, data| Fact {
        scope: "general".into(),
        ..fact("tenant", version, (schema, data), ("2026-11-22T23:59:58Z", "system", 1))
    };
    let comment = |version: i64, text: (&'static str, &str), when| Fact {
        scope: format!("comment-{}", id(3, version as u64 + 4)),
        ..fact("ticket-1", version, text, when)
    };
    let facts = vec![
        general(1, "tenant_registered@1", r#"{"slug":"acme","company":"Ācme & Söhne «日本»"}"#),
        general(2, "plan_chosen@1", r#"{"plan":"professional"}"#),
        fact(
            "person-1",
            1,
            ("person_added@1", r#"{"person":1,"name":"Ada","email":"ada@acme.example","role":"admin"}"#),
            ("2026-11-22T23:59:58Z", "system", 1),
        ),
        Fact {
            scope: "attachment-21".into(),
            file: Some(FILE),
            ..fact("upload-21", 1, ("upload_received@1", UPLOAD), ("2026-11-22T23:59:59.5Z", "person-1", 2))
        },
        fact("ticket-1", 1, ("ticket_opened@1", OPENED), ("2026-11-22T23:59:59.999999Z", "person-1", 3)),
        comment(2, ("comment_added@2", &said("It smokes.", "public")), ("2026-11-22T23:59:59.999999Z", "person-1", 3)),
        Fact {
            is_erased: true,
            ..comment(3, ("comment_added@2", &said("Erased.", "internal")), ("2026-11-23T00:00:00Z", "person-1", 4))
        },
        Fact {
            cause: Some((7, TRACE)),
            ..comment(
                4,
                ("comment_added@1", r#"{"author":1,"public":true,"body":"An old shape.","attachments":[21]}"#),
                ("2026-11-23T00:00:00.000001Z", "system", 5),
            )
        },
    ];
    tell(tenant_id(2), facts)
}

fn fact(
    stream: &str,
    version: i64,
    (schema, data): (&'static str, &str),
    (recorded_at, actor, command): (&str, &'static str, u64),
) -> Fact {
    Fact {
        stream: stream.into(),
        version,
        schema,
        data: data.into(),
        recorded_at: recorded_at.into(),
        actor,
        command,
        scope: stream.into(),
        cause: None,
        file: None,
        is_erased: false,
    }
}

const UPLOAD: &str = concat!(
    r#"{"attachment":21,"file_name":"manual.pdf","content_type":"application/pdf","size_bytes":52,"uploader":1,"#,
    r#""token_sha256":"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae","#,
    r#""expires_at":"2026-11-25T10:00:00Z"}"#
);

const OPENED: &str = concat!(
    r#"{"requester":1,"submitter":1,"subject":"Printer on fire","priority":"high","ticket_type":"incident","#,
    r#""assignee":null,"group":null,"tags":["fire","printer"],"channel":"api","external_id":null}"#
);

fn said(text: &str, visibility: &str) -> String {
    format!(
        r#"{{"author":1,"visibility":"{visibility}","body":"{text}","html_body":null,"attachments":[21],"channel":"web"}}"#
    )
}
