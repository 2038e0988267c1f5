//! Every wrong field of a signup gets one clear answer that names it, and makes nothing.

use serde_json::Value;
use system_tests::{Deployment, setup::signup};

/// What is done to a right signup, and what the answer is to say.
struct Case {
    what: &'static str,
    change: fn(&mut Value),
    status: u16,
    field: &'static str,
    says: &'static str,
}

const SIGNUPS: [Case; 16] = [
    Case {
        what: "an over-long name",
        change: |s| s["subdomain"] = "x".repeat(64).into(),
        status: 422,
        field: "subdomain",
        says: "takes",
    },
    Case {
        what: "a name with a space",
        change: |s| s["subdomain"] = "a b".into(),
        status: 422,
        field: "subdomain",
        says: "takes",
    },
    Case {
        what: "a name with a control character",
        change: |s| s["subdomain"] = "a\u{7}b".into(),
        status: 422,
        field: "subdomain",
        says: "takes",
    },
    Case {
        what: "a region's name",
        change: |s| s["subdomain"] = "jp".into(),
        status: 422,
        field: "subdomain",
        says: "takes",
    },
    Case {
        what: "no name",
        change: |s| s["subdomain"] = Value::Null,
        status: 422,
        field: "subdomain",
        says: "cannot be blank",
    },
    Case {
        what: "an over-long company",
        change: |s| s["company"] = "x".repeat(256).into(),
        status: 422,
        field: "company",
        says: "255",
    },
    Case {
        what: "a company with U+0000",
        change: |s| s["company"] = "a\u{0}b".into(),
        status: 422,
        field: "company",
        says: "control character",
    },
    Case {
        what: "an unknown plan",
        change: |s| s["plan"] = "gold".into(),
        status: 422,
        field: "plan",
        says: "professional",
    },
    Case {
        what: "an unknown locality",
        change: |s| s["locality"] = "mars".into(),
        status: 422,
        field: "locality",
        says: "au, eu, jp, us",
    },
    Case {
        what: "a locality that is a number",
        change: |s| s["locality"] = 5.into(),
        status: 422,
        field: "locality",
        says: "takes",
    },
    Case {
        what: "a plan that is not entitled",
        change: |s| s["plan"] = "team".into(),
        status: 422,
        field: "locality",
        says: "plan team keeps data in us",
    },
    Case {
        what: "an address without @",
        change: |s| s["admin"]["email"] = "nobody".into(),
        status: 422,
        field: "admin.email",
        says: "takes",
    },
    Case {
        what: "an address with a control character",
        change: |s| s["admin"]["email"] = "a\n@b.example".into(),
        status: 422,
        field: "admin.email",
        says: "takes",
    },
    Case {
        what: "an over-long person",
        change: |s| s["admin"]["name"] = "x".repeat(256).into(),
        status: 422,
        field: "admin.name",
        says: "255",
    },
    Case {
        what: "a short password",
        change: |s| s["admin"]["password"] = "short".into(),
        status: 422,
        field: "admin.password",
        says: "8",
    },
    Case { what: "no admin", change: |s| s["admin"] = "Grace".into(), status: 422, field: "admin", says: "takes" },
];

#[tokio::test]
async fn every_wrong_field_of_a_signup_is_named_and_nothing_is_made() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    for (number, Case { what, change, status, field, says }) in SIGNUPS.iter().enumerate() {
        let slug = format!("bad-{number}");
        let mut body = signup("eu", &slug);
        change(&mut body);
        let answer = deployment.try_signup("eu", &body).await?;
        assert_eq!(answer.status, *status, "{what}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
        assert_eq!(answer.wrong_fields(), [*field], "{what}: {}", answer.text());
        assert!(answer.text().contains(says), "{what}: {}", answer.text());
        assert_unknown(deployment, &slug).await?;
    }
    Ok(())
}

/// The directory holds no claim for a name, and a right signup may take it at once.
async fn assert_unknown(deployment: &Deployment, slug: &str) -> anyhow::Result<()> {
    let map = deployment.library()?.directory_map().await.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    assert!(!map.names.contains_key(&slug.parse()?), "{slug} is claimed");
    Ok(())
}

#[tokio::test]
async fn a_taken_name_is_refused_and_its_tenant_left_alone() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "bad-taken").await?;
    let head = acme.written().await?;
    for region in ["eu", "au"] {
        let answer = deployment.try_signup(region, &signup(region, "bad-taken")).await?;
        assert_eq!((answer.status, answer.wrong_fields()), (409, vec!["subdomain".to_owned()]), "{}", answer.text());
    }
    assert_eq!(acme.written().await?, head);
    acme.client.get("/api/v2/users/me.json").await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn a_signup_for_another_region_is_sent_there() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let answer = deployment.try_signup("us", &signup("eu", "bad-elsewhere")).await?.expect(421)?;
    assert!(
        answer.body["url"].as_str().is_some_and(|url| url.starts_with("http://eu.localhost:")),
        "{}",
        answer.text()
    );
    assert_unknown(deployment, "bad-elsewhere").await
}
