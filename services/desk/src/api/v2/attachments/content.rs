//! `GET /attachments/token/{token}/?name=`: the bytes of a file.
//!
//! A file of a public comment is given to whoever holds the address, as mail programs and browsers need it. A file of an
//! internal note needs an agent besides, one that no comment has claimed its uploader. It is always a download, never a page
//! of ours: what people send is not to run under the tenant's address.

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderName, header},
    response::IntoResponse,
};
use regions::Resident;
use schemas::{AttachmentId, Hash, KeyId};

use super::token;
use crate::{
    access::Reading,
    api::v2::{page::encode, uploads::file},
    caller::Caller,
    host::Site,
    problem::{ApiError, ApiResult},
    read::{self, attachments::Attachment},
    state::Desk,
};

/// Answers the bytes.
pub(crate) async fn content(
    State(desk): State<Desk>,
    Extension(site): Extension<Site>,
    Path(token): Path<String>,
    reading: Reading,
    caller: Result<Caller, ApiError>,
) -> ApiResult<impl IntoResponse> {
    let Site::Tenant(resident) = site else { return Err(ApiError::unknown_path()) };
    let attachment = token::read(&desk, &resident, &token).await?.ok_or_else(ApiError::not_found)?;
    reading.of([attachment.get()]);
    let row = row(&desk, &resident, attachment).await?.ok_or_else(ApiError::not_found)?;
    check(&row, caller)?;
    let blob = Hash::try_from(row.blob.as_slice()).map_err(ApiError::internal)?;
    let bytes = file::read(&desk, &resident, attachment, (blob, KeyId::new(row.key_id))).await?;
    let bytes = bytes.ok_or_else(ApiError::not_found)?;
    Ok((headers(&row), bytes))
}

async fn row(desk: &Desk, resident: &Resident, attachment: AttachmentId) -> Result<Option<Attachment>, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    Ok(read::attachments::one(&mut transaction, resident, attachment).await?)
}

/// Who is not allowed hears what a holder of a wrong token hears; who did not say who they are is asked.
fn check(row: &Attachment, caller: Result<Caller, ApiError>) -> Result<(), ApiError> {
    if row.is_public == Some(true) {
        return Ok(());
    }
    let caller = caller?;
    let is_allowed = match row.comment_id {
        Some(_) => caller.is_insider() && caller.is_granted(row.ticket_id),
        None => row.uploader_id == caller.person.get(),
    };
    if is_allowed { Ok(()) } else { Err(ApiError::not_found()) }
}

fn headers(row: &Attachment) -> [(HeaderName, String); 5] {
    // RFC 6266, appendix D: the plain form for old clients, the encoded one (RFC 8187) for the true name.
    let plain: String =
        row.file_name.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_ ".contains(c) { c } else { '_' }).collect();
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", encode(&row.file_name));
    [
        (header::CONTENT_TYPE, row.content_type.clone()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Answer, Bench, EVE, Who, request};

    async fn uploaded(bench: &Bench, who: Who) -> (Value, String) {
        let upload = bench.upload(who, "filename=Gr%C3%BC%C3%9Fe.txt", b"the bytes").await.body["upload"].clone();
        let url = upload["attachment"]["content_url"].as_str().expect("a url").to_owned();
        (upload["token"].clone(), url.strip_prefix("http://acme.localhost:8080").expect("the tenant's host").to_owned())
    }

    async fn fetch(bench: &Bench, who: Option<Who>, path: &str) -> Answer {
        bench.send(request("GET", "acme", who, path, Body::empty())).await
    }

    #[tokio::test]
    async fn a_file_of_a_public_comment_is_given_to_whoever_has_the_address() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let (token, path) = uploaded(&bench, ADA).await;
        bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "x", "uploads": [token]}})).await;
        let answer = fetch(&bench, None, &path).await;
        assert_eq!((answer.status.as_u16(), &answer.bytes[..]), (200, &b"the bytes"[..]));
        assert_eq!(answer.header("content-type"), "text/plain");
        assert_eq!(
            answer.header("content-disposition"),
            "attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; sandbox");
        let foreign = request("GET", "globex", Some(ALAN), &path, Body::empty());
        assert_eq!(bench.send(foreign).await.status, 404, "the token is another tenant's");
        Ok(())
    }

    #[tokio::test]
    async fn a_file_of_a_note_is_for_agents() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let (token, path) = uploaded(&bench, ALAN).await;
        let note = json!({"body": "x", "public": false, "uploads": [token]});
        bench.ticket(ALAN, json!({"subject": "x", "comment": note, "requester_id": ADA.id})).await;
        assert_eq!(fetch(&bench, None, &path).await.status, 401);
        let mut followed = request("GET", "acme", None, &path, Body::empty());
        followed.headers_mut().insert("accept", "text/html,*/*;q=0.8".parse()?);
        assert_eq!(bench.send(followed).await.status, 303, "a browser is led to where one signs in");
        assert_eq!(fetch(&bench, Some(ADA), &path).await.status, 404);
        assert_eq!(fetch(&bench, Some(ALAN), &path).await.status, 200);
        Ok(())
    }

    #[tokio::test]
    async fn a_file_no_comment_has_claimed_is_its_uploaders() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let (_, path) = uploaded(&bench, ADA).await;
        assert_eq!(fetch(&bench, None, &path).await.status, 401);
        assert_eq!(fetch(&bench, Some(ALAN), &path).await.status, 404);
        assert_eq!(fetch(&bench, Some(ADA), &path).await.status, 200);
        for token in ["", "x", "00", &"0".repeat(33), "ü".repeat(40).as_str()] {
            let path = format!("/attachments/token/{}/", crate::api::v2::page::encode(token));
            assert_eq!(fetch(&bench, Some(ALAN), &path).await.status, 404, "{token}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn what_is_known_about_a_file_is_seen_by_those_who_see_its_comment() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let (token, _) = uploaded(&bench, ADA).await;
        let path = "/api/v2/attachments/6";
        assert_eq!(
            (bench.get(ADA, path).await.status.as_u16(), bench.get(EVE, path).await.status.as_u16()),
            (200, 404)
        );
        bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "x", "uploads": [token]}})).await;
        for (who, status) in [(ADA, 200), (ALAN, 200), (EVE, 404)] {
            assert_eq!(bench.get(who, path).await.status, status, "{}", who.name);
        }
        assert_eq!(bench.get(ALAN, path).await.body["attachment"]["size"], 9);
        assert_eq!(bench.get(ALAN, "/api/v2/attachments/99").await.status, 404);
        Ok(())
    }
}
