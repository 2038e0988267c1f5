//! Wrong use and wrong configuration: one clear line, the exit code that says which, and nothing changed.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use system_tests::{Ran, command, folder::Folder, setup::copy_regions};

const FREE: [&str; 4] = ["--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"];

/// `domicile up` on these folders, which is to refuse.
async fn refused(data: &Path, regions: &Path, listen: &[&str]) -> anyhow::Result<Ran> {
    let arguments = [&["up"], listen].concat();
    let ran = command::run(&arguments, &[("DOMICILE_DATA", data), ("DOMICILE_REGIONS", regions)]).await?;
    anyhow::ensure!(ran.stderr.trim_end().lines().count() == 1, "one line: {}", ran.stderr);
    Ok(ran)
}

/// A region file, what is done to it, and what the one line is to hold.
type BadFile = (&'static str, fn(&str) -> String, &'static [&'static str]);

const BAD_FILES: [BadFile; 12] = [
    (
        "eu.toml",
        |text| text.replace("bucket = \"domicile-eu\"", "bucket = \"No Such Bucket\""),
        &["eu.toml:", "bucket", "takes"],
    ),
    ("eu.toml", |text| text.replace("id = \"eu\"", "id = \"us\""), &["eu.toml:", "id"]),
    (
        "eu.toml",
        |text| text.replace("cloud_region = \"eu-central-1\"", "cloud_region = \"us-east-1\""),
        &["eu.toml:", "cloud_region"],
    ),
    ("jp.toml", |text| text.replace("name = ", "nmae = "), &["jp.toml:", "nmae"]),
    ("jp.toml", |text| text.replace("jurisdiction = \"JP\"", ""), &["jp.toml", "jurisdiction"]),
    ("au.toml", |text| format!("{text}\n[[["), &["au.toml:"]),
    ("eu.toml", |text| format!("feed = \"kafka\"\n{text}"), &["eu.toml:1: feed", "[kafka]"]),
    ("eu.toml", |text| format!("{text}\n[kafka]\npartitions = 12\n"), &["eu.toml:", "kafka", "brokers"]),
    (
        "eu.toml",
        |text| format!("{text}\n[kafka]\nbrokers = [\"kafka:9092\"]\npartitions = 0\n"),
        &["eu.toml:", "partitions", "takes a number from 1"],
    ),
    (
        "eu.toml",
        |text| format!("{text}\n[kafka]\nbrokers = [\"kafka:9092\"]\npartitions = 1\nsecurity = \"plaintext\"\n"),
        &["eu.toml:", "security", "takes plaintext only"],
    ),
    (
        "hosting-policy.toml",
        |text| text.replace("default_region = \"us\"", "default_region = \"mars\""),
        &["hosting-policy.toml:", "default_region"],
    ),
    (
        "hosting-policy.toml",
        |text| text.replace("version = 8", "version = \"one\""),
        &["hosting-policy.toml:", "version"],
    ),
];

#[tokio::test]
async fn a_bad_region_file_is_refused_with_file_line_field_and_what_it_takes() -> anyhow::Result<()> {
    for (number, (file, spoil, says)) in BAD_FILES.iter().enumerate() {
        let folder = Folder::new()?;
        let (data, regions) = (folder.path().join("data"), folder.path().join("regions"));
        copy_regions(&regions)?;
        let text = fs::read_to_string(regions.join(file))?;
        let spoiled = spoil(&text);
        assert_ne!(text, spoiled, "case {number} spoils nothing");
        fs::write(regions.join(file), spoiled)?;
        let ran = refused(&data, &regions, &FREE).await?.expect(78)?;
        for part in *says {
            assert!(ran.stderr.contains(part), "case {number}: {part} is missing: {}", ran.stderr);
        }
        assert!(!data.exists(), "case {number} made {}", data.display());
    }
    Ok(())
}

#[tokio::test]
async fn region_files_that_cannot_be_read_are_refused() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let (data, regions) = (folder.path().join("data"), folder.path().join("regions"));
    let ran = refused(&data, &regions, &FREE).await?.expect(78)?;
    assert!(ran.stderr.contains("regions"), "{}", ran.stderr);
    copy_regions(&regions)?;
    fs::remove_file(regions.join("eu.toml"))?;
    // A folder cannot be read as a file, not even by root.
    fs::create_dir(regions.join("eu.toml"))?;
    let ran = refused(&data, &regions, &FREE).await?.expect(78)?;
    assert!(ran.stderr.contains("eu.toml"), "{}", ran.stderr);
    assert!(!data.exists());
    Ok(())
}

#[tokio::test]
async fn a_port_in_use_is_refused_before_anything_starts() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    for (options, name) in [
        (["--listen", &address, "--listen-tls", "127.0.0.1:0"], "DOMICILE_LISTEN"),
        (["--listen", "127.0.0.1:0", "--listen-tls", &address], "DOMICILE_LISTEN_TLS"),
    ] {
        let ran = refused(&data, &regions(), &options).await?.expect(69)?;
        assert!(ran.stderr.contains(name) && ran.stderr.contains(&address), "{}", ran.stderr);
        assert!(!data.join("eu").exists() && !data.join("directory").exists(), "nothing was started");
    }
    Ok(())
}

#[tokio::test]
async fn a_data_folder_of_another_version_is_refused_and_left_alone() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    fs::write(folder.path().join("version"), "99")?;
    let ran = refused(folder.path(), &regions(), &FREE).await?.expect(78)?;
    assert!(ran.stderr.contains("DOMICILE_DATA") && ran.stderr.contains("\"99\""), "{}", ran.stderr);
    let left: Vec<_> =
        fs::read_dir(folder.path())?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    assert_eq!(left, ["version"]);
    Ok(())
}

#[tokio::test]
async fn a_cluster_of_another_postgres_is_refused_and_left_alone() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let cluster = folder.path().join("eu/postgres/data");
    fs::create_dir_all(&cluster)?;
    fs::write(cluster.join("PG_VERSION"), "9\n")?;
    let ran = refused(folder.path(), &regions(), &FREE).await?.expect(78)?;
    assert!(ran.stderr.contains("eu/postgres") && ran.stderr.contains('9'), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(cluster.join("PG_VERSION"))?, "9\n");
    assert_eq!(fs::read_dir(&cluster)?.count(), 1, "nothing was added");
    Ok(())
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_made_is_refused() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let file = folder.path().join("file");
    fs::write(&file, "")?;
    let ran = refused(&file.join("data"), &regions(), &FREE).await?.expect(78)?;
    assert!(ran.stderr.contains("DOMICILE_DATA"), "{}", ran.stderr);
    Ok(())
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new()?;
    let keys = folder.path().join("eu/keys");
    fs::create_dir_all(&keys)?;
    let key = keys.join("signing.key");
    fs::write(&key, "x")?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644))?;
    let ran = refused(folder.path(), &regions(), &FREE).await?.expect(78)?;
    assert!(ran.stderr.contains("signing.key"), "{}", ran.stderr);
    Ok(())
}

#[tokio::test]
async fn wrong_use_names_the_argument_and_what_it_takes() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let (data, regions) = (folder.path().join("data"), regions());
    let place: [(&str, &Path); 2] = [("DOMICILE_DATA", &data), ("DOMICILE_REGIONS", &regions)];
    let create = ["tenant", "create", "acme", "--company", "Acme", "--plan"];
    let admin = ["--admin-name", "Grace", "--admin-email", "grace@acme.example", "--admin-password", "correct horse"];
    let cases: [(Vec<&str>, i32, &str); 10] = [
        (vec!["dance"], 64, "dance"),
        (vec!["up", "--listen", "here"], 64, "--listen"),
        (vec!["audit", "verify"], 64, "--region"),
        (vec!["audit", "verify", "--from", "/nonexistent"], 64, "--from"),
        (vec!["audit", "replay", "--region", "eu", "--tenant", "A B"], 64, "--tenant"),
        (vec!["audit", "replay", "--region", "eu", "--tenant", "acme", "--as-of", "yesterday"], 64, "--as-of"),
        (vec!["projections", "rebuild", "--region", "mars"], 64, "--region"),
        ([create.as_slice(), &["gold"], &admin].concat(), 64, "--plan"),
        ([create.as_slice(), &["team", "--locality", "jp"], &admin].concat(), 64, "--locality"),
        (vec!["backup", "create", "--region", "eu"], 69, "nothing runs"),
    ];
    for (arguments, code, says) in cases {
        let ran = command::run(&arguments, &place).await?.expect(code)?;
        assert!(ran.stderr.contains(says), "{arguments:?}: {}", ran.stderr);
        assert!(!data.exists(), "{arguments:?} made {}", data.display());
    }
    Ok(())
}

fn regions() -> PathBuf {
    system_tests::repository().join("regions")
}
