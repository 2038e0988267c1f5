//! Conditional reads (RFC 9110, section 13.1.2): what the client has already is not sent again.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// The layer around routes whose answers may carry an `ETag`. HEAD is asked as GET, so that it gets the header fields GET
/// gets, the tag of the body among them; the router drops the body.
pub(crate) async fn layer(mut request: Request, next: Next) -> Response {
    if request.method() == Method::HEAD {
        *request.method_mut() = Method::GET;
    }
    let is_read = request.method() == Method::GET;
    let known: Vec<HeaderValue> = request.headers().get_all(header::IF_NONE_MATCH).into_iter().cloned().collect();
    request.headers_mut().remove(header::IF_NONE_MATCH);
    let response = next.run(request).await;
    if is_read && response.status() == StatusCode::OK && is_known(response.headers(), &known) {
        return not_modified(response);
    }
    response
}

fn is_known(headers: &HeaderMap, known: &[HeaderValue]) -> bool {
    let Some(tag) = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()) else { return false };
    known.iter().filter_map(|list| list.to_str().ok()).any(|list| names(list, tag))
}

/// Whether a list names a tag, or is `*`. The comparison is the weak one: `W/` does not matter. No tag of ours holds a
/// comma, so that a tag that does is torn into pieces none of which is ours.
fn names(list: &str, tag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    list.trim() == "*" || list.split(',').any(|known| opaque(known.trim()) == opaque(tag))
}

fn not_modified(response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::names;
    use crate::testing::{Answer, TestDesk, TestTenant};

    async fn read(desk: &TestDesk, of: &TestTenant, method: &str, known: &str) -> anyhow::Result<Answer> {
        let mut request = of.request(method, "/api/v2/users/me.json");
        if !known.is_empty() {
            request.headers_mut().insert(header::IF_NONE_MATCH, known.parse()?);
        }
        Ok(desk.call(request).await)
    }

    #[tokio::test]
    async fn a_head_carries_the_header_fields_of_its_get() -> anyhow::Result<()> {
        let desk = TestDesk::new().await?;
        let acme = desk.tenant("acme").await?;
        let (get, head) = (read(&desk, &acme, "GET", "").await?, read(&desk, &acme, "HEAD", "").await?);
        assert!(head.body.is_empty() && !get.body.is_empty());
        for name in ["etag", "content-type", "content-length", "x-zendesk-api-version"] {
            assert!(get.header(name).is_some(), "{name}");
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn what_the_client_has_is_not_sent_again() -> anyhow::Result<()> {
        let desk = TestDesk::new().await?;
        let acme = desk.tenant("acme").await?;
        let tag = read(&desk, &acme, "GET", "").await?.header("etag").unwrap_or_default().to_owned();
        let (strong, listed) = (tag.trim_start_matches("W/"), format!("\"other\", {tag}"));
        for (known, status) in [(tag.as_str(), 304), (strong, 304), (&listed, 304), ("*", 304), ("W/\"other\"", 200)] {
            for method in ["GET", "HEAD"] {
                let answer = read(&desk, &acme, method, known).await?;
                assert_eq!(answer.status, status, "{method} {known}");
                assert_eq!(answer.header("etag"), Some(tag.as_str()));
            }
        }
        Ok(())
    }

    #[test]
    fn tags_are_compared_weakly_and_whole() {
        for list in ["*", "\"a\"", "W/\"a\"", "\"b\",W/\"a\"", " \"b\" , \"a\" "] {
            assert!(names(list, "W/\"a\""), "{list}");
        }
        for list in ["", "a", "\"A\"", "\"ab\"", "\"b\", \"c\"", "w/\"a\""] {
            assert!(!names(list, "W/\"a\""), "{list}");
        }
    }
}
