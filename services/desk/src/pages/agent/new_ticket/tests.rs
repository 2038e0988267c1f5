use super::super::testing::{page, post_form, text};
use crate::api::testing::{ALAN, Bench};

#[tokio::test]
async fn a_ticket_is_opened_once_however_often_the_form_is_sent() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let fields = [
        ("once", "0192a1b2"),
        ("requester", "Lin@Client.example"),
        ("requester_name", "Lin"),
        ("subject", "Kettle"),
        ("comment", "It leaks\r\non the floor"),
        ("said", "note"),
        ("status", "open"),
        ("priority", "high"),
        ("type", ""),
        ("assignee", "2"),
        ("group", ""),
        ("tags", "kitchen  floor"),
        ("ccs", ""),
    ];
    for _ in 0..2 {
        let answer = post_form(&bench, ALAN, "/agent/tickets", &fields).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/agent/tickets/1"), "{}", text(&answer));
    }
    let tickets = bench.get(ALAN, "/api/v2/tickets").await.body;
    assert_eq!(tickets["count"], 1);
    let ticket = &tickets["tickets"][0];
    assert_eq!(
        (&ticket["subject"], &ticket["status"], &ticket["priority"]),
        (&"Kettle".into(), &"open".into(), &"high".into())
    );
    assert_eq!((&ticket["via"]["channel"], &ticket["is_public"]), (&"web".into(), &false.into()));
    assert_eq!(ticket["tags"], serde_json::json!(["floor", "kitchen"]));
    Ok(())
}

#[tokio::test]
async fn a_wrong_form_comes_again_with_what_was_typed() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let blank = page(&bench, ALAN, "/agent/tickets/new").await;
    assert!(blank.contains(r#"name="once""#) && blank.contains(r#"<option value="2">alan</option>"#), "{blank}");
    let fields = [("requester", "no address"), ("subject", "Ke\"ttle"), ("comment", ""), ("said", "note")];
    let answer = post_form(&bench, ALAN, "/agent/tickets", &fields).await;
    let shown = text(&answer);
    assert_eq!(answer.status, 422, "{shown}");
    assert!(
        shown.contains(r##"<a href="#requester">Requester: "##) && shown.contains(r##"<a href="#comment">"##),
        "{shown}"
    );
    assert!(shown.contains("no address") && shown.contains("Ke&#34;ttle"), "{shown}");
    assert!(shown.contains(r#"value="note" checked"#) && shown.contains(r#"id="requester-error""#));
    assert_eq!(bench.get(ALAN, "/api/v2/tickets").await.body["count"], 0);
    Ok(())
}
