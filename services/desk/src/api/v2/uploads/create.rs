//! `POST /api/v2/uploads?filename=`: takes a file for a comment to come. With `token=` it joins an earlier upload.
//!
//! The token that a comment presents is random, kept as a hash, and good for three days and for the uploader alone.

use axum::{Json, body::Bytes, extract::State, http::StatusCode, response::IntoResponse};
use domain::{
    text,
    upload::{Receive, Upload},
};
use jiff::{SignedDuration, Timestamp};
use schemas::{AttachmentId, Hash, StreamName};
use serde_json::json;

use super::file;
use crate::{
    api::{
        add_person::allocate_id,
        claim, settle,
        v2::{
            page::PageQuery,
            present::{self, moment},
        },
    },
    body::RawBody,
    caller::Caller,
    execute::{Done, Issuer, execute},
    problem::{ApiError, ApiResult},
    read::attachments::Attachment,
    state::Desk,
};

/// How long a token is good for.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(72);

/// A file as it was sent.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) name: &'a str,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) bytes: &'a Bytes,
}

/// Answers the token and the files of the upload.
pub(crate) async fn create(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    body: RawBody,
) -> ApiResult<impl IntoResponse> {
    let mut by = caller.issuer(&desk, &body.print);
    claim::refuse_key(&by)?;
    let (token, mut rows) = upload_of(&desk, &caller, query.get("token"), by.at).await?;
    let expires_at = rows.first().map_or(by.at + TOKEN_LIFE, |row| row.token_expires_at);
    let sent = Sent {
        name: query.get("filename").unwrap_or_default(),
        content_type: body.content_type.as_deref(),
        bytes: &body.bytes,
    };
    let (done, row) = take_in(&desk, &caller, &mut by, (sent, &token, expires_at)).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::FILES).await;
    let attachment = present::attachment::attachment(&desk, &caller, &row).await.map_err(ApiError::after_done)?;
    rows.push(row);
    let attachments = present::attachment::attachments(&desk, &caller, &rows).await.map_err(ApiError::after_done)?;
    let upload = json!({
        "token": token, "expires_at": moment(expires_at), "attachment": attachment, "attachments": attachments,
    });
    Ok((StatusCode::CREATED, written, Json(json!({"upload": upload}))))
}

/// Takes a file that came with a form, under a token of its own or the one of an earlier file. Answers the token.
pub(crate) async fn take(
    desk: &Desk,
    caller: &Caller,
    mut by: Issuer,
    (token, sent): (Option<&str>, Sent<'_>),
) -> Result<String, ApiError> {
    let (token, rows) = upload_of(desk, caller, token, by.at).await?;
    let expires_at = rows.first().map_or(by.at + TOKEN_LIFE, |row| row.token_expires_at);
    let (done, _) = take_in(desk, caller, &mut by, (sent, &token, expires_at)).await?;
    settle::settled(desk, &caller.resident, &done, settle::FILES).await;
    Ok(token)
}

/// Seals the file, and says that it is there.
async fn take_in(
    desk: &Desk,
    caller: &Caller,
    by: &mut Issuer,
    (sent, token, expires_at): (Sent<'_>, &str, Timestamp),
) -> Result<(Done, Attachment), ApiError> {
    let receive = receive(desk, caller, (sent, token, expires_at)).await?;
    by.blob = Some(file::write(desk, &caller.resident, receive.attachment, sent.bytes).await?);
    let stream = StreamName::Upload(receive.attachment);
    let done = execute::<Upload>(desk, by, stream, None, &receive.clone().into()).await?;
    Ok((done, row(receive, by)?))
}

/// The token, and the files that are under it already: a new one, or the one the client names.
async fn upload_of(
    desk: &Desk,
    caller: &Caller,
    token: Option<&str>,
    at: Timestamp,
) -> Result<(String, Vec<Attachment>), ApiError> {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Ok((hex::encode(desk.ids.secret()), Vec::new()));
    };
    let rows = claim::of_token(desk, caller, token).await?;
    if rows.is_empty() || !rows.iter().all(|row| claim::is_claimable(row, caller, at)) {
        return Err(ApiError::invalid(
            "token",
            "token: takes the token of an upload that no comment has used",
            "InvalidValue",
        ));
    }
    Ok((token.to_owned(), rows))
}

async fn receive(
    desk: &Desk,
    caller: &Caller,
    (sent, token, expires_at): (Sent<'_>, &str, Timestamp),
) -> Result<Receive, ApiError> {
    let file_name = text::file_name(sent.name)?;
    let content_type = text::content_type(sent.content_type.unwrap_or("application/octet-stream"))?;
    if sent.bytes.is_empty() {
        return Err(ApiError::invalid("base", "the body takes the bytes of a file", "BlankValue"));
    }
    Ok(Receive {
        attachment: AttachmentId::new(allocate_id(desk, &caller.resident).await?),
        file_name: file_name.into(),
        content_type: content_type.into(),
        size_bytes: u64::try_from(sent.bytes.len()).map_err(ApiError::internal)?,
        uploader: caller.person,
        token_sha256: claim::hash(token),
        expires_at,
    })
}

fn row(receive: Receive, by: &Issuer) -> Result<Attachment, ApiError> {
    Ok(Attachment {
        attachment_id: receive.attachment.get(),
        file_name: receive.file_name.into_inner(),
        content_type: receive.content_type.into_inner(),
        size_bytes: i64::try_from(receive.size_bytes).map_err(ApiError::internal)?,
        uploader_id: receive.uploader.get(),
        token_expires_at: receive.expires_at,
        blob: by.blob.as_ref().map(|blob: &Hash| blob.as_bytes().to_vec()).unwrap_or_default(),
        key_id: uuid::Uuid::nil(),
        comment_id: None,
        ticket_id: None,
        is_public: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, without_ids};

    #[tokio::test]
    async fn an_upload_answers_a_token_and_lies_sealed_in_the_bucket() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let answer = bench.upload(ADA, "filename=smoke%20signal.txt", b"plain smoke").await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let upload = &answer.body["upload"];
        assert_eq!(
            (&upload["expires_at"], upload["token"].as_str().map(str::len)),
            (&json!("2026-11-25T10:00:00Z"), Some(64))
        );
        assert_eq!(
            without_ids(upload["attachment"].clone(), &["content_url", "mapped_content_url"]),
            json!({
                "id": 6, "url": "http://acme.localhost:8080/api/v2/attachments/6.json", "file_name": "smoke signal.txt",
                "content_type": "text/plain", "size": 11, "width": null, "height": null, "content_url": "…",
                "mapped_content_url": "…", "inline": false, "deleted": false, "malware_access_override": false,
                "malware_scan_result": "not_scanned", "thumbnails": [],
            })
        );
        assert_eq!(upload["attachments"], json!([upload["attachment"]]));
        let objects = bench.test.desk.bucket.list(&format!("tenants/{}/attachments/", bench.acme.tenant_id())).await?;
        let object = bench.test.desk.bucket.get(&objects[0].key).await?.expect("the object");
        assert!(objects[0].key.ends_with(&schemas::Hash::of(&[&object.body]).to_string()), "named by its own hash");
        assert!(!object.body.windows(5).any(|window| window == b"smoke"), "sealed");
        Ok(())
    }

    #[tokio::test]
    async fn more_files_join_an_upload_and_come_along_with_one_comment() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let first = bench.upload(ADA, "filename=a.txt", b"a").await;
        let token = first.body["upload"]["token"].as_str().expect("a token").to_owned();
        let second = bench.upload(ADA, &format!("filename=b.txt&token={token}"), b"b").await;
        assert_eq!(second.body["upload"]["token"], token);
        assert_eq!(second.body["upload"]["attachments"].as_array().map(Vec::len), Some(2));
        let id = bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "x", "uploads": token}})).await;
        let comments = bench.get(ADA, &format!("/api/v2/tickets/{id}/comments")).await.body;
        let files = comments["comments"][0]["attachments"].as_array().expect("attachments").clone();
        assert_eq!(files.iter().map(|file| &file["file_name"]).collect::<Vec<_>>(), ["a.txt", "b.txt"]);
        Ok(())
    }

    #[tokio::test]
    async fn a_token_is_good_once_for_its_uploader_for_three_days() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let upload = bench.upload(ADA, "filename=a.txt", b"a").await;
        let ticket =
            json!({"ticket": {"subject": "x", "comment": {"body": "x", "uploads": [upload.body["upload"]["token"]]}}});
        for stranger in [EVE, ALAN] {
            assert_eq!(
                bench.post(stranger, "/api/v2/tickets", ticket.clone()).await.wrong_fields(),
                ["comment.uploads"]
            );
        }
        assert_eq!(bench.post(ADA, "/api/v2/tickets", ticket.clone()).await.status, 201);
        assert_eq!(bench.post(ADA, "/api/v2/tickets", ticket).await.wrong_fields(), ["comment.uploads"], "used");
        let late = bench.upload(ADA, "filename=a.txt", b"a").await;
        bench.advance_seconds(72 * 60 * 60);
        let ticket =
            json!({"ticket": {"subject": "x", "comment": {"body": "x", "uploads": [late.body["upload"]["token"]]}}});
        assert_eq!(bench.post(ADA, "/api/v2/tickets", ticket).await.wrong_fields(), ["comment.uploads"], "expired");
        Ok(())
    }

    #[tokio::test]
    async fn where_a_secret_is_answered_a_key_is_refused_by_name() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let token = json!({"api_token": {"description": "x"}});
        for request in [("/api/v2/uploads?filename=a", json!("a")), ("/api/v2/api_tokens", token)] {
            assert_eq!(bench.keyed("POST", GRACE, request, "k").await.wrong_fields(), ["Idempotency-Key"]);
        }
        Ok(())
    }

    #[tokio::test]
    async fn an_upload_needs_a_name_some_bytes_and_a_token_of_ones_own() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        assert_eq!(bench.upload(ADA, "", b"a").await.wrong_fields(), ["filename"]);
        assert_eq!(bench.upload(ADA, "filename=a%0Ab", b"a").await.wrong_fields(), ["filename"]);
        assert_eq!(bench.upload(ADA, "filename=a", b"").await.wrong_fields(), ["base"]);
        let token = bench.upload(EVE, "filename=a", b"a").await.body["upload"]["token"].clone();
        let joined = bench.upload(ADA, &format!("filename=a&token={}", token.as_str().unwrap_or_default()), b"a").await;
        assert_eq!(joined.wrong_fields(), ["token"]);
        Ok(())
    }
}
