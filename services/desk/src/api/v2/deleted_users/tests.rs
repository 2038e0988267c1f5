use schemas::PersonId;
use serde_json::{Value, json};
use vault::Scope;

use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, email};

async fn bench_with_ticket() -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    Ok(bench)
}

async fn close(bench: &Bench) {
    bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"status": "closed"}})).await;
}

#[tokio::test]
async fn a_deleted_user_can_do_nothing_and_gives_the_address_up() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let open = bench.delete(GRACE, "/api/v2/users/3").await;
    assert_eq!(open.wrong_fields(), ["id"], "somebody must be asked back about the ticket");
    close(&bench).await;
    let deleted = bench.delete(GRACE, "/api/v2/users/3.json").await;
    assert_eq!((deleted.status.as_u16(), &deleted.body["user"]["active"]), (200, &json!(false)), "{}", deleted.body);
    assert_eq!(bench.get(ADA, "/api/v2/users/me").await.status, 401, "the token is none any more");
    assert_eq!(bench.get(ALAN, "/api/v2/users").await.body["count"], 3);
    assert_eq!(bench.get(ALAN, "/api/v2/users/3").await.body["user"]["active"], false);
    assert_eq!(bench.get(ALAN, "/api/v2/deleted_users").await.body["deleted_users"][0]["id"], 3);
    assert_eq!(bench.get(ALAN, "/api/v2/deleted_users/3").await.status, 200);
    assert_eq!(bench.get(ALAN, "/api/v2/deleted_users/4").await.status, 404);
    assert_eq!(bench.put(GRACE, "/api/v2/users/3", json!({"user": {"name": "Ada K"}})).await.status, 404);
    assert_eq!(bench.delete(GRACE, "/api/v2/users/3").await.status, 404, "once");
    let ticket = json!({"ticket": {"requester_id": ADA.id, "comment": {"body": "x"}}});
    assert_eq!(bench.post(ALAN, "/api/v2/tickets", ticket).await.wrong_fields(), ["requester_id"]);
    let user = json!({"user": {"name": "Ada the Second", "email": email("acme", ADA)}});
    assert_eq!(bench.post(ALAN, "/api/v2/users", user).await.status, 201, "the address is free");
    Ok(())
}

#[tokio::test]
async fn only_admins_delete_users_and_never_themselves() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for path in ["/api/v2/users/4", "/api/v2/deleted_users/4"] {
        for who in [ALAN, ADA] {
            assert_eq!(bench.delete(who, path).await.status, 403, "{path}");
        }
    }
    assert_eq!(bench.delete(GRACE, "/api/v2/users/1").await.status, 403);
    assert_eq!(bench.delete(GRACE, "/api/v2/deleted_users/4").await.status, 404, "deleted first, then erased");
    assert_eq!(bench.get(EVE, "/api/v2/deleted_users").await.status, 403);
    Ok(())
}

#[tokio::test]
async fn an_erased_user_leaves_no_name_and_the_tickets_stay() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    bench.put(ALAN, "/api/v2/users/3", json!({"user": {"name": "Countess Canaryname"}})).await;
    close(&bench).await;
    bench.delete(GRACE, "/api/v2/users/3").await;
    // Whoever has the address next, and the twin's ada, are somebody else.
    let address = email("acme", ADA);
    assert!(
        bench.holds("Countess Canaryname").await? && bench.holds("canaryname").await? && bench.holds(&address).await?
    );

    let erased = bench.delete(GRACE, "/api/v2/deleted_users/3.json").await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    let user = &erased.body["deleted_user"];
    assert_eq!((&user["name"], &user["email"]), (&json!("Permanently Deleted User"), &Value::Null));
    for word in ["Countess Canaryname", "canaryname", &address] {
        assert!(!bench.holds(word).await?, "{word}");
    }
    assert_eq!(bench.test.desk.vault.living(&bench.acme, &[Scope::Person(PersonId::new(ADA.id))]).await?, []);
    assert_eq!(bench.delete(GRACE, "/api/v2/deleted_users/3").await.status, 404, "once");
    assert_eq!(bench.get(ALAN, "/api/v2/users/3").await.body["user"]["name"], "Permanently Deleted User");
    let comments = bench.get(ALAN, "/api/v2/tickets/1/comments").await.body;
    assert_eq!(
        (&comments["comments"][0]["body"], &comments["comments"][0]["author_id"]),
        (&json!("It smokes"), &json!(ADA.id)),
        "what was written belongs to the ticket"
    );
    Ok(())
}
