//! What the tests of the desk's pages share: forms as browsers send them, and pages as text.

use axum::{
    body::Body,
    http::{HeaderValue, header},
};

use crate::api::{
    testing::{Answer, Bench, Who, request},
    v2::page::encode,
};

/// Sends a form to acme.
pub(in crate::pages) async fn post_form(bench: &Bench, who: Who, path: &str, fields: &[(&str, &str)]) -> Answer {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let mut request = request("POST", "acme", Some(who), path, Body::from(pairs.join("&")));
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, form);
    bench.send(request).await
}

/// A page of acme as text.
pub(in crate::pages) async fn page(bench: &Bench, who: Who, path: &str) -> String {
    let answer = bench.get(who, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", text(&answer));
    text(&answer)
}

/// What an answer says.
pub(in crate::pages) fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}
