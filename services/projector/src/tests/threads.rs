//! The projection `ticket_thread`.

use schemas::{
    AttachmentId, PersonId, Position,
    ids::{audit_id, comment_id},
    ticket::StatusSet,
    upload::{UploadEvent, UploadReceived},
    values::{Status, Visibility},
};

use super::world::{Draft, World, comment_of, opened, ticket};

pub(super) fn received(id: i64) -> Draft {
    let received = UploadReceived {
        attachment: AttachmentId::new(id),
        file_name: format!("{id}.pdf").into(),
        content_type: "application/pdf".to_owned().into(),
        size_bytes: 1234,
        uploader: PersonId::new(3),
        token_sha256: format!("{id:064}"),
        expires_at: "2026-11-25T10:00:00Z".parse().expect("a time"),
    };
    UploadEvent::from(received).into()
}

#[tokio::test]
async fn comments_name_their_audit_and_claim_their_files_once() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "upload-20", vec![received(20)]).await?;
    world.say(&acme, "upload-21", vec![received(21)]).await?;
    world.catch_up(&acme).await?;
    // 20 was received in an earlier batch, 22 in the same; both comments name 20.
    world.say(&acme, "upload-22", vec![received(22)]).await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment_of("See.", Visibility::Internal, &[20, 22])]).await?;
    world
        .say(
            &acme,
            "ticket-1",
            vec![ticket(StatusSet { status: Status::Open }), comment_of("Again.", Visibility::Public, &[20])],
        )
        .await?;
    world.catch_up(&acme).await?;

    let comments = sqlx::query!(
        "select comment_id, audit_id, body, is_public, attachment_ids from comment
         where tenant_id = $1 and ticket_id = 1 order by comment_id",
        acme.tenant_id().get()
    )
    .fetch_all(&mut world.reader().await?)
    .await?;
    let shown: Vec<_> = comments
        .iter()
        .map(|row| (row.comment_id, row.audit_id, row.body.as_str(), row.is_public, row.attachment_ids.as_slice()))
        .collect();
    let at = Position::new;
    assert_eq!(
        shown,
        [
            (comment_id(at(5)), audit_id(at(4)), "See.", false, &[20, 22][..]),
            (comment_id(at(7)), audit_id(at(6)), "Again.", true, &[20][..]),
        ]
    );

    let files = sqlx::query!(
        "select attachment_id, file_name, comment_id, is_public, octet_length(blob) as blob_length from attachment
         where tenant_id = $1 order by attachment_id",
        acme.tenant_id().get()
    )
    .fetch_all(&mut world.reader().await?)
    .await?;
    let claims: Vec<_> = files.iter().map(|row| (row.attachment_id, row.comment_id, row.is_public)).collect();
    let first = Some(comment_id(at(5)));
    assert_eq!(claims, [(20, first, Some(false)), (21, None, None), (22, first, Some(false))]);
    assert_eq!((files[0].file_name.as_str(), files[0].blob_length), ("20.pdf", Some(32)));
    Ok(())
}

#[tokio::test]
async fn a_comment_written_in_version_1_is_shown_in_the_shape_of_today() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let old = Draft::raw("comment_added", 1, r#"{"author":7,"public":true,"body":"Hello.","attachments":[]}"#);
    world.say(&acme, "ticket-1", vec![opened("Kettle"), old]).await?;
    world.catch_up(&acme).await?;
    let row = sqlx::query!(
        "select author_id, is_public, body, html_body, channel from comment where tenant_id = $1",
        acme.tenant_id().get()
    )
    .fetch_one(&mut world.reader().await?)
    .await?;
    assert_eq!((row.author_id, row.is_public, row.body.as_str()), (7, true, "Hello."));
    assert_eq!((row.html_body, row.channel.as_str()), (None, "api"));
    Ok(())
}
