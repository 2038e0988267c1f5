//! Nobody is served in the clear who could be served over TLS (RFC 9325, section 3.2; RFC 6797).
//!
//! Only where both are at the ports that need no number: with any other port nobody can tell from the one where the other is. And not on
//! `localhost`, which leaves no machine and where a promise to come back over TLS would hold for every program that listens there.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// A year: browsers come back over TLS by themselves, to every tenant too.
const COME_BACK: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// What the plain port answers while there is a TLS port: where to read, and nothing to whoever sends something, who sent it to everybody
/// on the way.
pub(super) async fn elsewhere(request: Request, next: Next) -> Response {
    let Some(host) = public_host(request.uri(), request.headers()) else { return next.run(request).await };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let address = format!("https://{host}{path}");
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::FORBIDDEN, format!("nothing is taken in the clear: send it to {address}\n"))
            .into_response();
    }
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, address)]).into_response()
}

/// What the TLS port adds to every answer.
pub(super) async fn remembered(request: Request, next: Next) -> Response {
    let is_public = public_host(request.uri(), request.headers()).is_some();
    let mut response = next.run(request).await;
    if is_public {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, COME_BACK);
    }
    response
}

/// The host that was asked, if it is asked by its name alone and not this machine's own.
fn public_host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let named = uri.authority().map(|authority| authority.as_str());
    let host = named.or_else(|| headers.get(header::HOST)?.to_str().ok())?.to_ascii_lowercase();
    let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let is_own = host == "localhost" || host.ends_with(".localhost");
    (is_name && !is_own && !host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn asked(routes: Router, method: Method, host: &str) -> Response {
        let request = Request::builder().method(method).uri("/agent?view=3").header(header::HOST, host);
        routes.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer")
    }

    fn plain() -> Router {
        Router::new()
            .route("/agent", get(async || "served").post(async || "served"))
            .layer(middleware::from_fn(elsewhere))
    }

    #[tokio::test]
    async fn whoever_comes_in_the_clear_is_sent_to_tls_and_may_send_nothing() {
        let answer = asked(plain(), Method::GET, "Acme.example.com").await;
        assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(answer.headers()[header::LOCATION], "https://acme.example.com/agent?view=3");
        assert_eq!(asked(plain(), Method::POST, "acme.example.com").await.status(), StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn this_machine_and_ports_with_numbers_are_served_as_they_are() {
        for host in ["acme.localhost", "localhost", "acme.example.com:8080", "evil.example/@x"] {
            assert_eq!(asked(plain(), Method::POST, host).await.status(), StatusCode::OK, "{host}");
        }
    }

    #[tokio::test]
    async fn browsers_are_told_to_come_back_over_tls() {
        let routes = || Router::new().route("/agent", get(async || "served")).layer(middleware::from_fn(remembered));
        let answer = asked(routes(), Method::GET, "acme.example.com").await;
        assert_eq!(answer.headers()[header::STRICT_TRANSPORT_SECURITY], COME_BACK);
        let answer = asked(routes(), Method::GET, "acme.localhost").await;
        assert!(!answer.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
