use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use axum::http::StatusCode;
use jiff::SignedDuration;
use replicator::backup::State;
use runtime::Clock;

use crate::testing::{Answer, Bench, CANARY};

/// The files below a folder with an ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path, ending) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect()
}

#[test]
fn whatever_the_console_says_is_in_the_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut said = BTreeSet::new();
    for file in files(&root.join("templates"), "html").into_iter().chain(files(&root.join("src"), "rs")) {
        let text = fs::read_to_string(&file).expect("a readable file");
        let keys =
            text.split('"').skip(1).step_by(2).filter(|text| text.starts_with("ops-") && !text.contains(['{', '/']));
        said.extend(keys.map(str::to_owned));
        said.extend(text.split("say(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    let locales = files(&root.join("../desk/locales/en"), "ftl");
    let known: String = locales.iter().map(|file| fs::read_to_string(file).expect("a readable file")).collect();
    let known: BTreeSet<_> = known.lines().filter_map(|line| Some(line.split_once(" =")?.0)).collect();
    let missing: Vec<_> = said.iter().filter(|key| !known.contains(key.as_str())).collect();
    assert!(said.len() > 40 && missing.is_empty(), "no language has {missing:?}");
}

#[tokio::test]
async fn nobody_but_an_operator_sees_or_does_anything() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for path in ["/ops", "/ops/tenants?after=a", "/ops/backups", "/ops/backups/1"] {
        for cookie in [None, Some("domicile_operator=guessed"), Some("domicile_session=a.1.b")] {
            let answer = bench.get(path, cookie).await;
            let location = answer.location.unwrap_or_default();
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
            assert!(location.starts_with("/ops/signin?return_to=/ops"), "{location}");
        }
    }
    let wrong = bench.post("/ops/signin", None, &[("key", "domicile-operator-00")]).await;
    assert_eq!((wrong.status, wrong.cookie), (StatusCode::FORBIDDEN, None));
    let ada = bench.sign_in("Ada").await?;
    assert_eq!(ada.get("/ops").await.status, StatusCode::OK);
    let denied = [
        bench.post("/ops/backups", None, &[]).await.status,
        bench.post("/ops/backups", Some(&ada.cookie), &[("csrf", "guessed")]).await.status,
    ];
    assert_eq!(denied, [StatusCode::SEE_OTHER, StatusCode::FORBIDDEN]);
    let page = ada.get("/ops").await.text;
    let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let token = token.expect("the page has forms");
    let elsewhere = bench.post_from_elsewhere("/ops/backups", &ada.cookie, &[("csrf", token)]).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    assert!(bench.console.backups.latest().is_none(), "nothing was done");

    bench.console.operators.end("Ada", bench.test.clock.now())?;
    assert_eq!(ada.get("/ops").await.status, StatusCode::SEE_OTHER, "Ada operates no more");
    let bob = bench.sign_in("Bob").await?;
    let out = bob.post("/ops/signout", &[]).await;
    assert!(out.cookie.is_some_and(|cookie| cookie.contains("Max-Age=0") && cookie.contains("HttpOnly")));
    assert_eq!(bob.get("/ops").await.status, StatusCode::SEE_OTHER, "Bob signed out");
    Ok(())
}

#[tokio::test]
async fn the_overview_shows_health_and_how_the_marks_went() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ada = bench.sign_in("Ada").await?;
    let deps = bench.console.backups.deps();
    let acme = bench.tenant("acme").await?;
    assert!(ada.get("/ops").await.text.contains("Nothing was measured yet"));
    let look = async || bench.console.samples().look(deps).await.map_err(|error| anyhow::anyhow!(error));
    look().await?;
    bench.test.clock.advance(SignedDuration::from_secs(90));
    look().await?;
    let before = ada.get("/ops").await.text;
    assert!(before.contains("points=\"0.0,120.0 600.0,0.0\""), "the lag grew by 90 s: {before}");
    replicator::archive_tenant(deps, &acme, None).await?;
    look().await?;
    let text = ada.get("/ops").await.text;
    for shown in
        ["Archived: 4", "Sealed: 4", "Archived: 0", "Sealed: 0", "Verified: 90", "<td>90</td>", "All are open."]
    {
        assert!(text.contains(shown), "{shown} is missing in {text}");
    }
    assert!(text.contains("There is none yet.") && text.contains("Look here"), "no backup is a finding: {text}");
    bench.close("acme").await?;
    let text = ada.get("/ops").await.text;
    assert!(text.contains("One is closed until its log is whole again."), "{text}");
    Ok(())
}

#[tokio::test]
async fn tenants_are_listed_with_plan_state_and_marks_page_by_page() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ada = bench.sign_in("Ada").await?;
    let acme = bench.tenant("acme").await?;
    projector::catch_up(&bench.projector, &acme).await?;
    for number in 0..50 {
        bench.test.tenant(&format!("desk-{number:02}")).await?;
    }
    replicator::archive_tenant(bench.console.backups.deps(), &acme, None).await?;
    let page = ada.get("/ops/tenants").await.text;
    let row = page.split("<bdi>acme</bdi>").nth(1).and_then(|rest| rest.split("</tr>").next()).unwrap_or_default();
    let numbers: Vec<_> = row.split("class=\"number\">").skip(1).map(|rest| rest.split('<').next()).collect();
    assert_eq!(numbers, ["4", "4", "4", "0"].map(Some), "{row}");
    assert!(row.contains("open"), "{row}");
    assert!(page.contains("/ops/tenants?after=desk-48") && !page.contains("desk-49"), "{page}");
    let rest = ada.get("/ops/tenants?after=desk-48").await.text;
    assert!(rest.contains("desk-49") && !rest.contains("<bdi>acme"), "{rest}");
    Ok(())
}

#[tokio::test]
async fn a_backup_is_made_shown_and_verified() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ada = bench.sign_in("Ada").await?;
    bench.tenant("acme").await?;
    let begun = ada.post("/ops/backups", &[]).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER);
    let place = begun.location.unwrap_or_default();
    let shown = async || -> Answer { ada.get(&place).await };
    assert_eq!(shown().await.status, StatusCode::OK, "also while it is made");
    let latest = || bench.console.backups.latest().map(|work| work.state);
    testkit::until(|| matches!(latest(), Some(State::Created(_)))).await?;
    let page = shown().await.text;
    assert!(page.contains("<td>whole</td>") && page.contains(r#"<td class="number">4</td>"#), "{page}");
    let listed = ada.get("/ops/backups").await.text;
    assert!(listed.contains(&place) && listed.contains("as the newest that is whole"), "{listed}");

    let begun = ada.post(&format!("{place}/verification"), &[]).await;
    assert_eq!(begun.location.as_deref(), Some(place.as_str()));
    testkit::until(|| matches!(latest(), Some(State::Verified(_)))).await?;
    let page = shown().await.text;
    assert!(page.contains("everything this backup names is there") && page.contains("<td>verified</td>"), "{page}");
    assert!(page.contains("Not checked:"), "what was not looked at is said: {page}");

    let none = ada.post("/ops/backups/none/verification", &[]).await.status;
    assert_eq!((none, ada.get("/ops/backups/none").await.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    Ok(())
}

#[tokio::test]
async fn no_page_shows_content() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ada = bench.sign_in("<script>Ada").await?;
    let acme = bench.tenant("acme").await?;
    projector::catch_up(&bench.projector, &acme).await?;
    bench.console.samples().look(bench.console.backups.deps()).await.map_err(|error| anyhow::anyhow!(error))?;
    let place = ada.post("/ops/backups", &[]).await.location.unwrap_or_default();
    testkit::until(|| bench.console.backups.latest().is_some_and(|work| matches!(work.state, State::Created(_))))
        .await?;
    let pages = crate::PAGES.iter().map(|(path, _)| *path).chain([place.as_str(), "/ops/signin"]);
    for path in pages {
        let answer = ada.get(path).await;
        assert!(path == "/ops/signin" || answer.status == StatusCode::OK, "{path}: {}", answer.status);
        assert!(!answer.text.contains(CANARY), "{path} shows content: {}", answer.text);
        assert!(!answer.text.contains("<script>Ada"), "{path} takes a name for markup");
    }
    Ok(())
}
