//! Nothing that people typed into one region lies in any other place: every byte of every other folder is searched for it.

use std::{collections::BTreeMap, fs, io::Read, path::Path};

use domicile::residency::search;
use regions::DatabaseRole;
use system_tests::{Deployment, Setup, canary::Canaries, populate::populated};

const REGIONS: [&str; 4] = ["au", "eu", "jp", "us"];

#[tokio::test]
async fn what_people_type_lies_in_their_own_region_and_nowhere_else() -> anyhow::Result<()> {
    let deployment = Deployment::start(Setup::four_regions().with("DOMICILE_LOG", "info")).await?;
    let mut homes = BTreeMap::new();
    for region in REGIONS {
        homes.insert(region, populated(&deployment, region).await?);
    }
    for region in REGIONS {
        deployment.flush(region).await?;
    }

    for (region, (_, canaries)) in &homes {
        assert_at_home(&deployment, region, canaries)?;
        assert_nowhere_else(&deployment, region, canaries)?;
        assert_sealed_at_home(&deployment, region, canaries).await?;
    }
    verify_by_command(&deployment, &homes["eu"].1).await?;
    a_planted_leak_is_found(&deployment, &homes["eu"].1).await
}

/// The control: the read models of the home region hold what people typed, and the search sees it there.
fn assert_at_home(deployment: &Deployment, region: &str, canaries: &Canaries) -> anyhow::Result<()> {
    let marks = ["subject", "body", "box", "file"].map(|field| canaries.of(field));
    let found = search(&deployment.data().join(region).join("postgres"), &marks)?.found;
    for mark in marks {
        anyhow::ensure!(found.iter().any(|found| found.mark == mark), "{mark} is not at home: the search is blind");
    }
    Ok(())
}

fn assert_nowhere_else(deployment: &Deployment, home: &str, canaries: &Canaries) -> anyhow::Result<()> {
    let places = REGIONS.into_iter().filter(|region| *region != home).chain(["directory", "router"]);
    for place in places {
        let searched = search(&deployment.data().join(place), &[canaries.beginning().to_owned()])?;
        anyhow::ensure!(searched.files > 0, "{place} holds nothing");
        anyhow::ensure!(searched.found.is_empty(), "of {home} in {place}: {:?}", searched.found);
    }
    for said in [deployment.output()?, deployment.log()?] {
        let found = canaries.found_in(said.as_bytes());
        anyhow::ensure!(found.is_empty(), "of {home} in what the process said: {found:?}");
    }
    Ok(())
}

/// At home, only the read models are readable: log, keys, bucket and server log hold no text of people.
async fn assert_sealed_at_home(deployment: &Deployment, region: &str, canaries: &Canaries) -> anyhow::Result<()> {
    let log = rows_of_log(deployment, region).await?;
    anyhow::ensure!(log.contains("comment_added"), "the rows of the log are there");
    // Bytes are shown as hex.
    for mark in [canaries.beginning().to_owned(), hex::encode(canaries.beginning())] {
        anyhow::ensure!(!log.contains(&mark), "{mark} lies in the log of {region}");
    }
    for place in ["s3", "keys", "postgres/postgres.log"] {
        let path = deployment.data().join(region).join(place);
        let found = if path.is_dir() { found_unpacked(&path, canaries)? } else { found_in_file(&path, canaries)? };
        anyhow::ensure!(found.is_empty(), "in {place} of {region}: {found:?}");
    }
    Ok(())
}

/// Every row of every table of the log and the keys, bytes as hex.
async fn rows_of_log(deployment: &Deployment, region: &str) -> anyhow::Result<String> {
    let mut owner = regions::connection(&deployment.region(region)?, DatabaseRole::Owner).await?;
    let tables = sqlx::query_scalar!(
        r#"select format('%I.%I', table_schema, table_name) as "table!" from information_schema.tables
           where table_schema in ('log', 'vault') and table_type = 'BASE TABLE'"#
    );
    let mut text = String::new();
    for table in tables.fetch_all(&mut owner).await? {
        let rows = format!("select row_of::text from {table} row_of");
        // The names come from the catalogue itself.
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_all(&mut owner).await?;
        text.extend(rows);
    }
    Ok(text)
}

/// Looks into every file below a folder, and into what it is when unpacked.
fn found_unpacked(folder: &Path, canaries: &Canaries) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        found.extend(if path.is_dir() { found_unpacked(&path, canaries)? } else { found_in_file(&path, canaries)? });
    }
    Ok(found)
}

fn found_in_file(path: &Path, canaries: &Canaries) -> anyhow::Result<Vec<String>> {
    let mut bytes = fs::read(path)?;
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut unpacked = Vec::new();
        zstd::Decoder::new(bytes.as_slice())?.read_to_end(&mut unpacked)?;
        bytes.extend(unpacked);
    }
    Ok(canaries.found_in(&bytes).into_iter().map(|around| format!("{}: {around}", path.display())).collect())
}

async fn verify_by_command(deployment: &Deployment, canaries: &Canaries) -> anyhow::Result<()> {
    let (subject, body) = (canaries.of("subject"), canaries.of("body"));
    let canaries = ["residency", "verify", "--home", "eu", "--canary", &subject, "--canary", &body];
    deployment.cli(&canaries).await?.expect(0)?;
    deployment.cli(&["residency", "verify"]).await?.expect(0)?;
    Ok(())
}

/// A check that cannot fail is a defect.
async fn a_planted_leak_is_found(deployment: &Deployment, canaries: &Canaries) -> anyhow::Result<()> {
    let leaked = &canaries.of("subject");
    let leak = deployment.data().join("us/s3/leak");
    fs::write(&leak, format!("....{leaked}...."))?;
    assert!(assert_nowhere_else(deployment, "eu", canaries).is_err());
    let ran = deployment.cli(&["residency", "verify", "--home", "eu", "--canary", leaked]).await?.expect(1)?;
    assert!(ran.stdout.contains("us/s3/leak"), "names the file: {}", ran.stdout);
    fs::remove_file(&leak)?;

    // Among so much else that packing leaves nothing of it as it was.
    let numbers: String = (0..5000).map(|number| number.to_string()).collect();
    let packed = zstd::encode_all(format!("{numbers}{leaked}{numbers}").as_bytes(), 19)?;
    assert!(canaries.found_in(&packed).is_empty());
    let hidden = deployment.beside("packed");
    fs::create_dir_all(&hidden)?;
    fs::write(hidden.join("segment"), packed)?;
    assert_eq!(found_unpacked(&hidden, canaries)?.len(), 1, "packed texts are seen, too");
    assert_nowhere_else(deployment, "eu", canaries)
}
