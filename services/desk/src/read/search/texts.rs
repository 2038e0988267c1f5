//! What is sought, as Postgres is asked for it (PostgreSQL, section 8.11.2). Forms are letters and digits, so that quotes hold them.

use domain::search::{Sought, lexeme};
use schemas::TenantId;

/// Words, one after the other at their distances.
pub(super) fn query(tenant: TenantId, sought: &Sought) -> String {
    let mut query = String::new();
    let mut before = None;
    for word in &sought.0 {
        if let Some(before) = before {
            query.push_str(&format!(" <{}> ", word.place.saturating_sub(before)));
        }
        before = Some(word.place);
        let exact = word.forms.iter().map(|form| format!("'{}'", lexeme(tenant, form)));
        let beginnings = word.beginnings.iter().map(|form| format!("'{}':*", lexeme(tenant, form)));
        query.push_str(&format!("({})", exact.chain(beginnings).collect::<Vec<_>>().join(" | ")));
    }
    query
}

/// One of them.
pub(super) fn any(tenant: TenantId, sought: &[&Sought]) -> String {
    let queries: Vec<String> = sought.iter().map(|sought| format!("({})", query(tenant, sought))).collect();
    queries.join(" | ")
}
