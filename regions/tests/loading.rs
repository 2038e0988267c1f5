//! Region files and the hosting policy: the repository's own are good, and every way to get one wrong is answered with
//! file, line, field and what it takes.

use std::{fs, path::Path};

use jiff::SignedDuration;
use regions::{ConfigError, Feed, HostingPolicy, KafkaSecurity, LockMode, ObjectLock, RateLimits, Regions};
use schemas::{DataClass, RegionId, values::Plan};
use tempfile::TempDir;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

fn id(text: &str) -> RegionId {
    text.parse().expect("a region id")
}

/// A copy of the repository's files.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["us.toml", "eu.toml", "au.toml", "jp.toml", "hosting-policy.toml"] {
        fs::copy(Path::new(REPOSITORY).join(name), folder.path().join(name)).expect("a copy");
    }
    folder
}

/// Loads the files after `replaced` became `by` in one of them, and expects a refusal: the text of the line it names, and
/// what it says about it.
fn refusal(file: &str, replaced: &str, by: &str) -> (String, String) {
    let folder = folder();
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).expect("a copy");
    assert!(text.contains(replaced), "{replaced:?} stands in {file}");
    let text = text.replacen(replaced, by, 1);
    fs::write(&path, &text).expect("written");
    named_line(file, &text, &load(&folder).expect_err("it must be refused"))
}

/// Splits `<file>:<line>: <what>` into the line's text and what.
fn named_line(file: &str, text: &str, refusal: &str) -> (String, String) {
    let rest = refusal.strip_prefix(&format!("{file}:")).expect("the file is named");
    let (line, what) = rest.split_once(": ").expect("the line is named");
    let line: usize = line.parse().expect("a number");
    (text.lines().nth(line - 1).expect("a line of the file").to_owned(), what.to_owned())
}

fn load(folder: &TempDir) -> Result<Regions, String> {
    Regions::load(folder.path()).map_err(|error| without_folder(folder, &error))
}

fn without_folder(folder: &TempDir, error: &ConfigError) -> String {
    let line = error.to_string();
    assert_eq!(line.lines().count(), 1, "one line: {line}");
    line.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn the_repositorys_files_describe_four_regions() {
    let regions = Regions::load(Path::new(REPOSITORY)).expect("good files");
    let places: Vec<_> = regions
        .iter()
        .map(|region| (region.id.as_str(), region.jurisdiction.as_str(), region.cloud_region.as_str()))
        .collect();
    let expected = [
        ("au", "AU", "ap-southeast-2"),
        ("eu", "EEA", "eu-central-1"),
        ("jp", "JP", "ap-northeast-1"),
        ("us", "US", "us-east-1"),
    ];
    assert_eq!(places, expected);
    assert!(regions.iter().all(|region| region.endpoints().is_none()), "the embedded stores are the default");
}

#[test]
fn the_repositorys_policy_lets_professional_and_enterprise_choose() {
    let regions = Regions::load(Path::new(REPOSITORY)).expect("good files");
    let policy = regions.policy();
    assert_eq!((policy.version(), policy.default_region()), (8, &id("us")));
    let choosing: Vec<_> = Plan::ALL.iter().copied().filter(|plan| policy.is_entitled(*plan)).collect();
    assert_eq!(choosing, [Plan::Professional, Plan::Enterprise]);
}

#[test]
fn the_european_economic_area_has_thirty_members() {
    let regions = Regions::load(Path::new(REPOSITORY)).expect("good files");
    let is_eea = |country: &str| regions.policy().is_eea(country);
    assert!(["DE", "FR", "IE", "IS", "LI", "NO"].into_iter().all(is_eea));
    assert!(!["GB", "CH", "US", "JP", "AU", "de", ""].into_iter().any(is_eea));
    let letters = || (b'A'..=b'Z').map(char::from);
    let members = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}"))).filter(|code| is_eea(code));
    assert_eq!(members.count(), 30);
}

#[test]
fn personal_data_and_content_leave_their_region_for_nowhere() {
    let regions = Regions::load(Path::new(REPOSITORY)).expect("good files");
    let policy = regions.policy();
    for class in [DataClass::Personal, DataClass::Content] {
        for destination in HostingPolicy::DESTINATIONS.into_iter().chain(["us", "au", "jp", "a-mail-provider"]) {
            let verdict = policy.may_leave(class, &id("eu"), destination);
            assert!(!verdict.allowed && !verdict.reason.is_empty(), "{class} to {destination}");
        }
    }
    assert!(
        policy.may_leave(DataClass::Personal, &id("eu"), HostingPolicy::WEBHOOK).allowed,
        "but where an admin says"
    );
    assert!(policy.may_leave(DataClass::Routing, &id("eu"), "directory").allowed);
    assert!(!policy.may_leave(DataClass::Operational, &id("eu"), "us").allowed);
}

#[test]
fn a_region_file_may_name_stores() {
    let folder = folder();
    fs::write(folder.path().join("postgres.secret"), "pg-secret\n").expect("written");
    fs::write(folder.path().join("s3.secret"), "s3-secret\n").expect("written");
    let stores = "\n[postgres]\nhost = \"db.eu\"\nport = 5432\ndatabase = \"domicile\"\nuser = \"owner\"\n\
        password_file = \"postgres.secret\"\n\n[s3]\nurl = \"https://s3.eu:9000\"\naccess_key = \"key\"\n\
        secret_key_file = \"s3.secret\"\n";
    let path = folder.path().join("eu.toml");
    let text = fs::read_to_string(&path).expect("a copy");
    fs::write(&path, text + stores).expect("written");

    let regions = load(&folder).expect("good files");
    let endpoints = regions.get(&id("eu")).expect("eu").endpoints().expect("both stores");
    let (postgres, s3) = (&endpoints.postgres, &endpoints.s3);
    assert_eq!((postgres.host.as_str(), postgres.port, postgres.user.as_str()), ("db.eu", 5432, "owner"));
    assert_eq!((postgres.password.expose(), s3.secret_key.expose()), ("pg-secret", "s3-secret"));
    assert_eq!(s3.url, "https://s3.eu:9000");
}

#[test]
fn objects_travel_without_tls_on_this_machine_only() {
    let folder = folder();
    fs::write(folder.path().join("secret"), "s3-secret\n").expect("written");
    let path = folder.path().join("eu.toml");
    let text = fs::read_to_string(&path).expect("a copy");
    for here in
        ["http://localhost", "http://localhost:9000", "http://127.0.0.1:9000", "http://[::1]", "http://[::1]:9000"]
    {
        let stores = format!(
            "\n[postgres]\nhost = \"db.eu\"\nport = 5432\ndatabase = \"domicile\"\nuser = \"owner\"\n\n\
            [s3]\nurl = \"{here}\"\naccess_key = \"key\"\nsecret_key_file = \"secret\"\n"
        );
        fs::write(&path, text.clone() + &stores).expect("written");
        assert!(load(&folder).is_ok(), "{here}");
    }
}

/// What stands in the file, what is put there, the line that must be named, what must be said.
type Case<'text> = (&'text str, &'text str, &'text str, &'text str);

fn assert_refused(file: &str, cases: &[Case<'_>]) {
    for (replaced, by, line, what) in cases {
        let named = refusal(file, replaced, by);
        assert_eq!((named.0.as_str(), named.1.as_str()), (*line, *what), "{replaced} -> {by}");
    }
}

#[test]
fn every_wrong_field_of_a_region_file_is_refused_by_name() {
    const ID: &str = "id: takes 2 to 16 lower-case letters, digits or '-', beginning with a letter";
    const NAME: &str = "name: takes 1 to 80 characters, no control characters";
    const BUCKET: &str =
        "bucket: takes 3 to 63 lower-case letters, digits, '.' or '-', beginning and ending with a letter or digit";
    const KEY_ALIAS: &str = "key_alias: takes 1 to 256 letters, digits, '/', '_' or '-'";
    const KNOWN: &str = "id, name, jurisdiction, cloud_region, bucket, key_alias, url, feed, backup, drill, object_lock, encryption, private_networks, incident, postgres, s3, kafka";
    let first =
        "# Without [postgres] and [s3] the region runs on the embedded stores of `domicile up`. To use managed ones:";
    assert_refused(
        "eu.toml",
        &[
            ("id = \"eu\"", "id = \"EU\"", "id = \"EU\"", ID),
            ("id = \"eu\"", "id = 7", "id = 7", ID),
            ("id = \"eu\"", "id = \"de\"", "id = \"de\"", "id: takes the file's name, eu"),
            ("id = \"eu\"\n", "", first, &format!("id: is missing; {}", ID.trim_start_matches("id: "))),
            ("id = \"eu\"", "colour = 1", "colour = 1", &format!("colour: is unknown; takes one of {KNOWN}")),
            ("European Union", "", "name = \"\"", NAME),
            ("European Union", "a\\u0000b", "name = \"a\\u0000b\"", NAME),
            (
                "\"EEA\"",
                "\"Europe\"",
                "jurisdiction = \"Europe\"",
                "jurisdiction: takes EEA, or a country code of two upper-case letters",
            ),
            (
                "\"EEA\"",
                "\"CH\"",
                "jurisdiction = \"CH\"",
                "jurisdiction: takes one in which the hosting policy knows a cloud region",
            ),
            (
                "\"EEA\"",
                "\"JP\"",
                "cloud_region = \"eu-central-1\"",
                "cloud_region: takes a cloud region in JP: ap-northeast-1, ap-northeast-3",
            ),
            (
                "\"eu-central-1\"",
                "\"us-east-1\"",
                "cloud_region = \"us-east-1\"",
                "cloud_region: takes a cloud region in EEA: \
            eu-central-1, eu-north-1, eu-south-1, eu-south-2, eu-west-1, eu-west-3",
            ),
            ("\"domicile-eu\"", "\"Domicile\"", "bucket = \"Domicile\"", BUCKET),
            ("\"domicile-eu\"", "\"-eu\"", "bucket = \"-eu\"", BUCKET),
            ("\"domicile-eu\"", "[\"domicile-eu\"]", "bucket = [\"domicile-eu\"]", BUCKET),
            (
                "\"domicile-eu\"",
                "\"domicile-au\"",
                "bucket = \"domicile-au\"",
                "bucket: takes a bucket of its own; domicile-au is region au's",
            ),
            ("alias/domicile-eu", "alias domicile", "key_alias = \"alias domicile\"", KEY_ALIAS),
            ("id = \"eu\"", "id = \"eu\"\nid = 'eu'", "id = 'eu'", "is not TOML: duplicate key"),
            ("id = \"eu\"", "id = eu", "id = eu", "is not TOML: string values must be quoted, expected literal string"),
        ],
    );
}

#[test]
fn every_wrong_field_of_a_store_is_refused_by_name() {
    const POSTGRES: &str = "[postgres]\nhost = \"db\"\nport = 5432\ndatabase = \"domicile\"\nuser = \"owner\"\n";
    const S3: &str = "[s3]\nurl = \"https://s3.eu\"\naccess_key = \"key\"\nsecret_key_file = \"hosting-policy.toml\"\n";
    const BOTH: &str = "is missing; a region names both [postgres] and [s3], or neither";
    const URL: &str = "s3.url: takes https://, a host and perhaps a port; http:// if the host is this machine";
    const PORT: &str = "postgres.port: takes a number from 1 to 65535";
    let (alias, last) = ("alias/domicile-eu\"", "alias/domicile-eu\"\n");
    let first =
        "# Without [postgres] and [s3] the region runs on the embedded stores of `domicile up`. To use managed ones:";
    let both = format!("{POSTGRES}{S3}");
    let changed = |replaced: &str, by: &str| format!("{last}{}", both.replacen(replaced, by, 1));
    assert_refused(
        "eu.toml",
        &[
            (alias, &format!("{last}{POSTGRES}"), first, &format!("s3: {BOTH}")),
            (alias, &format!("{last}{S3}"), first, &format!("postgres: {BOTH}")),
            (alias, &format!("{last}postgres = 1"), "postgres = 1", "postgres: takes a table, [postgres]"),
            (
                alias,
                &changed("\"db\"", "\"d b\""),
                "host = \"d b\"",
                "postgres.host: takes a host name, an address or a socket's folder",
            ),
            (alias, &changed("5432", "0"), "port = 0", PORT),
            (alias, &changed("5432", "65536"), "port = 65536", PORT),
            (alias, &changed("5432", "\"5432\""), "port = \"5432\"", PORT),
            (alias, &changed("\"domicile\"", "\"\""), "database = \"\"", "postgres.database: takes a database's name"),
            (
                alias,
                &changed("user =", "password ="),
                "password = \"owner\"",
                "postgres.password: is unknown; takes one of \
            host, port, database, user, password_file",
            ),
            (alias, &changed("user = \"owner\"\n", ""), "[postgres]", "postgres.user: is missing; takes a user's name"),
            (alias, &changed("https://s3.eu", "s3.eu"), "url = \"s3.eu\"", URL),
            (alias, &changed("https://s3.eu", "https://s3.eu/x"), "url = \"https://s3.eu/x\"", URL),
            (alias, &changed("https://s3.eu", "http://s3.eu:9000"), "url = \"http://s3.eu:9000\"", URL),
            (alias, &changed("https://s3.eu", "http://[fd00::1]"), "url = \"http://[fd00::1]\"", URL),
            (alias, &changed("https://s3.eu", "http://localhost.eu"), "url = \"http://localhost.eu\"", URL),
            (alias, &changed("https://s3.eu", "http://::1"), "url = \"http://::1\"", URL),
            (alias, &changed("\"key\"", "\"\""), "access_key = \"\"", "s3.access_key: takes an access key's id"),
        ],
    );
}

/// A region file with a topic, after `replaced` became `by`.
fn with_topic(folder: &TempDir, replaced: &str, by: &str) -> String {
    fs::write(folder.path().join("password"), "secret\n").expect("written");
    let text = fs::read_to_string(Path::new(REPOSITORY).join("eu.toml")).expect("the repository's");
    let topic = "feed = \"kafka\"\n[kafka]\nbrokers = [\"kafka-1.eu:9093\", \"[fd00::1]:9093\"]\npartitions = 12\n\
        username = \"domicile\"\npassword_file = \"password\"\n";
    assert!(topic.contains(replaced), "{replaced:?}");
    let text = format!("{text}{}", topic.replacen(replaced, by, 1));
    fs::write(folder.path().join("eu.toml"), &text).expect("written");
    text
}

#[test]
fn a_region_with_a_topic_says_where_and_how() {
    let folder = folder();
    with_topic(&folder, "", "");
    let regions = load(&folder).expect("good files");
    let region = regions.get(&id("eu")).expect("a region");
    let kafka = region.kafka().expect("a topic");
    assert_eq!((region.feed, region.topic().as_str()), (Feed::Kafka, "domicile-eu"));
    assert_eq!((kafka.partitions, kafka.replication, kafka.brokers.len()), (12, 3, 2));
    assert_eq!(kafka.security, KafkaSecurity::Tls { ca_file: None });
    assert_eq!(kafka.login.as_ref().map(|login| login.password.expose()), Some("secret"));
    let other = regions.get(&id("us")).expect("a region");
    assert!(other.feed == Feed::Log && other.kafka().is_none(), "the log is the default");
    with_topic(&folder, "feed = \"kafka\"\n", "");
    let filling = load(&folder).expect("a relay may fill a topic that nobody reads yet");
    assert_eq!(filling.get(&id("eu")).map(|region| region.feed), Some(Feed::Log));
}

#[test]
fn every_wrong_field_of_a_topic_is_refused_by_name() {
    const BROKERS: &str = "kafka.brokers: takes a list of brokers, each as host:port";
    const PARTITIONS: &str = "kafka.partitions: takes a number from 1 to 1000";
    let brokers = "brokers = [\"kafka-1.eu:9093\", \"[fd00::1]:9093\"]";
    for (replaced, by, line, expected) in [
        ("kafka\"\n", "rabbit\"\n", "feed = \"rabbit\"", "feed: takes log or kafka"),
        (brokers, "", "[kafka]", "kafka.brokers: is missing; takes a list of brokers, each as host:port"),
        (brokers, "brokers = []", "brokers = []", "kafka.brokers: takes at least one broker, as host:port"),
        (brokers, "brokers = \"a:1\"", "brokers = \"a:1\"", BROKERS),
        (brokers, "brokers = [\"kafka-1\"]", "brokers = [\"kafka-1\"]", BROKERS),
        (brokers, "brokers = [\"a:1,b:1\"]", "brokers = [\"a:1,b:1\"]", BROKERS),
        (brokers, "brokers = [\":9092\"]", "brokers = [\":9092\"]", BROKERS),
        ("partitions = 12", "partitions = 0", "partitions = 0", PARTITIONS),
        ("partitions = 12", "partitions = 1001", "partitions = 1001", PARTITIONS),
        ("partitions = 12\n", "", "[kafka]", "kafka.partitions: is missing; takes a number from 1 to 1000"),
        (
            "partitions = 12",
            "partitions = 12\nreplication = 16",
            "replication = 16",
            "kafka.replication: takes a number from 1 to 15",
        ),
        (
            "partitions = 12",
            "partitions = 12\nsecurity = \"none\"",
            "security = \"none\"",
            "kafka.security: takes tls or plaintext",
        ),
        (
            "partitions = 12",
            "partitions = 12\nsecurity = \"plaintext\"",
            "security = \"plaintext\"",
            "kafka.security: takes plaintext only if every broker is this machine",
        ),
        (
            "partitions = 12",
            "partitions = 12\nca_file = \"absent\"",
            "ca_file = \"absent\"",
            "kafka.ca_file: takes a readable file; absent: entity not found",
        ),
        (
            "username = \"domicile\"\n",
            "",
            "[kafka]",
            "kafka.username: is missing; username and password_file go together",
        ),
        (
            "partitions = 12",
            "partitions = 12\ntopic = \"mine\"",
            "topic = \"mine\"",
            "kafka.topic: is unknown; takes one of brokers, partitions, replication, security, ca_file, username, \
            password_file",
        ),
    ] {
        let folder = folder();
        let text = with_topic(&folder, replaced, by);
        let (found, what) = named_line("eu.toml", &text, &load(&folder).expect_err("refused"));
        assert_eq!((found.as_str(), what.as_str()), (line, expected));
    }
}

#[test]
fn a_region_that_reads_a_topic_it_does_not_name_is_refused() {
    let folder = folder();
    let text = fs::read_to_string(folder.path().join("eu.toml")).expect("a copy");
    let text = format!("{text}feed = \"kafka\"\n");
    fs::write(folder.path().join("eu.toml"), &text).expect("written");
    let (line, what) = named_line("eu.toml", &text, &load(&folder).expect_err("refused"));
    assert_eq!(line, "feed = \"kafka\"");
    assert_eq!(what, "feed: takes kafka only where a table [kafka] names brokers and partitions");
}

#[test]
fn a_secret_that_cannot_be_read_is_refused_by_the_field_that_names_it() {
    let folder = folder();
    fs::write(folder.path().join("empty"), "\n").expect("written");
    let text = fs::read_to_string(folder.path().join("eu.toml")).expect("a copy");
    let stores = "[postgres]\nhost = \"db\"\nport = 5432\ndatabase = \"domicile\"\nuser = \"owner\"\n\
        [s3]\nurl = \"https://s3.eu\"\naccess_key = \"key\"\nsecret_key_file = \"SECRET\"\n";
    for (secret, expected) in [
        ("absent", "s3.secret_key_file: takes a readable file; absent: entity not found"),
        ("empty", "s3.secret_key_file: takes a file that is not empty; empty is"),
        ("", "s3.secret_key_file: takes the path of a file"),
    ] {
        let text = format!("{text}{}", stores.replace("SECRET", secret));
        fs::write(folder.path().join("eu.toml"), &text).expect("written");
        let (line, what) = named_line("eu.toml", &text, &load(&folder).expect_err("refused"));
        assert_eq!((line, what.as_str()), (format!("secret_key_file = \"{secret}\""), expected));
    }
}

#[test]
fn every_wrong_field_of_the_policy_is_refused_by_name() {
    const VERSION: &str = "version: takes a number from 1, raised with every change";
    const KNOWN: &str = "version, default_region, eea_members, cloud_regions, plans, egress, deletion, access_log, auditor_grant, \
         endpoint_limits";
    const COUNTRIES: &str = "takes country codes of two upper-case letters";
    let first = "# Who may choose where its data lives, and what may leave the place it lives in. Signup records the version with the";
    let (trial, choice) = ("[plans.trial]\nlocality_choice = false", "plans.trial.locality_choice");
    assert_refused(
        "hosting-policy.toml",
        &[
            ("version = 8", "version = 0", "version = 0", VERSION),
            ("version = 8", "version = -1", "version = -1", VERSION),
            ("version = 8", "version = \"1\"", "version = \"1\"", VERSION),
            ("version = 8\n", "", first, &VERSION.replace("takes", "is missing; takes")),
            (
                "version = 8",
                "version = ",
                "version = ",
                "is not TOML: string values must be quoted, expected literal string",
            ),
            ("version = 8", "version = 1\nowner = 2", "owner = 2", &format!("owner: is unknown; takes one of {KNOWN}")),
            (
                "\"us\"",
                "\"mars\"",
                "default_region = \"mars\"",
                "default_region: takes the id of a region file: au, eu, jp, us",
            ),
            ("\"us\"", "\"M A\"", "default_region = \"M A\"", "default_region: takes the id of a region file"),
            ("    \"AT\"", "\"Austria\",\n\"AT\"", "\"Austria\",", &format!("eea_members: {COUNTRIES}")),
            ("    \"AT\"", "3,\n\"AT\"", "3,", &format!("eea_members: {COUNTRIES}")),
            ("us-east-1 = \"US\"", "us-east-1 = 1", "us-east-1 = 1", &format!("cloud_regions.us-east-1: {COUNTRIES}")),
            (trial, "[plans.trial]", "[plans.trial]", &format!("{choice}: is missing; takes true or false")),
            (
                "locality_choice = false",
                "locality_choice = 0",
                "locality_choice = 0",
                &format!("{choice}: takes true or false"),
            ),
            (
                "[plans.trial]",
                "[plans.free]",
                "[plans.free]",
                "plans.free: is unknown; takes one of trial, team, growth, \
            professional, enterprise",
            ),
            (
                "[access_log]\n",
                "[access_log]\ndays = 0\n#",
                "days = 0",
                "access_log.days: takes a number of days, from 1",
            ),
            (
                "[auditor_grant]\ndays = 90",
                "[auditor_grant]\ndays = -1",
                "days = -1",
                "auditor_grant.days: takes a number of days, from 1",
            ),
            (
                "requests_per_minute = 200",
                "requests_per_minute = 0",
                "requests_per_minute = 0",
                "plans.trial.requests_per_minute: takes a number from 1; without it, there is no limit",
            ),
            (
                "[endpoint_limits.tickets-index]",
                "[endpoint_limits.tickets]",
                "[endpoint_limits.tickets]",
                "endpoint_limits.tickets: is unknown; takes one of tickets-index, tickets-update, per-ticket-updates, \
                 deleted-tickets-destroy, incremental-exports, search-exports, searches, view-executions, view-tickets, \
                 view-counts, many-view-counts",
            ),
            (
                "most = 100\nseconds = 60",
                "most = 100",
                "[endpoint_limits.tickets-index]",
                "endpoint_limits.tickets-index.seconds: is missing; takes a number of seconds, from 1",
            ),
        ],
    );
}

#[test]
fn every_wrong_rule_of_the_matrix_is_refused_by_name() {
    let classes = "class: takes one of personal, content, operational, routing";
    let (class, directory) = ("class = \"personal\"", "destination = \"directory\"");
    let reason = "reason = \"personal data is kept in the tenant's home region\"";
    assert_refused(
        "hosting-policy.toml",
        &[
            (class, "class = \"secret\"", "class = \"secret\"", &format!("egress.{classes}")),
            (
                class,
                "place = 1",
                "place = 1",
                "egress.place: is unknown; takes one of class, destination, allowed, reason",
            ),
            (
                directory,
                "destination = \"moon\"",
                "destination = \"moon\"",
                "egress.destination: takes one of \
            another-region, directory, telemetry, witness, webhook",
            ),
            (
                directory,
                "destination = \"telemetry\"",
                "class = \"personal\"",
                "egress.class: takes each class once per \
            destination; personal is there twice",
            ),
            (
                "allowed = false",
                "allowed = true",
                "allowed = true",
                "egress.allowed: takes false: data of class personal never \
            leaves its region",
            ),
            ("allowed = false", "allowed = \"no\"", "allowed = \"no\"", "egress.allowed: takes true or false"),
            (reason, "reason = \" \"", "reason = \" \"", "egress.reason: takes the reason, for people to read"),
        ],
    );
}

#[test]
fn a_matrix_with_a_hole_is_refused() {
    let folder = folder();
    let path = folder.path().join("hosting-policy.toml");
    let text = fs::read_to_string(&path).expect("a copy");
    let end = text.rfind("[[egress]]").expect("the last rule");
    fs::write(&path, &text[..end]).expect("written");
    let (line, what) = named_line("hosting-policy.toml", &text, &load(&folder).expect_err("refused"));
    assert_eq!(
        (line.as_str(), what.as_str()),
        ("[[egress]]", "egress: takes a rule for class routing and destination webhook")
    );
}

#[test]
fn a_policy_in_which_no_plan_may_choose_is_refused() {
    let folder = folder();
    let path = folder.path().join("hosting-policy.toml");
    let text = fs::read_to_string(&path).expect("a copy");
    fs::write(&path, text.replace("locality_choice = true", "locality_choice = false")).expect("written");
    let refused = load(&folder).expect_err("refused");
    assert!(
        refused.ends_with("plans.enterprise: takes locality_choice = true: some plan must have a choice"),
        "{refused}"
    );
}

#[test]
fn a_folder_that_is_not_there_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Regions::load(&folder.path().join("absent")).expect_err("refused");
    assert_eq!(without_folder(&folder, &error), "absent/hosting-policy.toml: cannot be read: entity not found");
}

#[test]
fn a_folder_without_region_files_is_refused() {
    let folder = folder();
    for name in ["us.toml", "eu.toml", "au.toml", "jp.toml"] {
        fs::remove_file(folder.path().join(name)).expect("removed");
    }
    let refused = load(&folder).expect_err("refused");
    assert!(refused.ends_with("takes at least one region file, <id>.toml"), "{refused}");
}

#[test]
fn a_file_that_is_not_text_and_a_file_that_is_a_folder_are_refused() {
    let folder = folder();
    fs::write(folder.path().join("eu.toml"), [0xff, 0xfe]).expect("written");
    assert_eq!(load(&folder).expect_err("refused"), "eu.toml: cannot be read: invalid data");
    fs::remove_file(folder.path().join("eu.toml")).expect("removed");
    fs::create_dir(folder.path().join("eu.toml")).expect("made");
    assert_eq!(load(&folder).expect_err("refused"), "eu.toml: cannot be read: is a directory");
}

#[test]
fn a_region_is_backed_up_and_drilled_once_a_day_unless_its_file_says_otherwise() {
    for table in ["backup", "drill"] {
        let every = |text: &str| {
            let folder = folder();
            let path = folder.path().join("eu.toml");
            let before = fs::read_to_string(&path).expect("a copy");
            fs::write(&path, format!("{before}{text}")).expect("written");
            load(&folder).map(|regions| {
                let region = regions.get(&id("eu")).expect("it is there");
                if table == "backup" { region.backup_every } else { region.drill_every }
            })
        };
        let said = |text: &str| every(&format!("[{table}]\nevery = \"{text}\"\n"));
        let hours = |hours| Ok(Some(SignedDuration::from_hours(hours)));
        assert_eq!(every(""), hours(24));
        assert_eq!((said("6h"), said("7d"), said("never")), (hours(6), hours(168), Ok(None)));
        for wrong in ["0h", "30s", "32d", "9999d", "-1h", "daily", ""] {
            let refusal = said(wrong).expect_err("it must be refused");
            let takes = format!("{table}.every: takes a time from 1m to 31d, as 6h or 1d, or never");
            assert!(refusal.ends_with(&takes), "{refusal}");
        }
        let unknown = every(&format!("[{table}]\nkept = \"7d\"\n")).expect_err("it must be refused");
        assert!(unknown.contains(&format!("{table}.kept: is unknown")), "{unknown}");
        assert_eq!(every("[backup]\nkeep = \"40d\"\n"), hours(24), "of the other field it says nothing");
        assert!(every("[drill]\nkeep = \"40d\"\n").expect_err("backups only").contains("drill.keep"));
    }
}

#[test]
fn a_drill_takes_three_tenants_unless_the_region_says_another_number() {
    let sample = |text: &str| {
        let folder = folder();
        let path = folder.path().join("eu.toml");
        let before = fs::read_to_string(&path).expect("a copy");
        fs::write(&path, format!("{before}{text}")).expect("written");
        load(&folder).map(|regions| regions.get(&id("eu")).expect("it is there").drill_sample)
    };
    assert_eq!((sample(""), sample("[drill]\nevery = \"6h\"\n")), (Ok(3), Ok(3)));
    assert_eq!((sample("[drill]\nsample = 1\n"), sample("[drill]\nsample = 1000\n")), (Ok(1), Ok(1000)));
    for wrong in ["0", "-1", "1001", "99999999999", "\"3\"", "2.5"] {
        let refusal = sample(&format!("[drill]\nsample = {wrong}\n")).expect_err("it must be refused");
        assert!(refusal.starts_with("eu.toml:"), "{refusal}");
        assert!(refusal.ends_with("drill.sample: takes a number from 1 to 1000"), "{refusal}");
    }
    assert!(sample("[backup]\nsample = 3\n").expect_err("drills only").contains("backup.sample: is unknown"));
}

#[test]
fn a_region_keeps_its_backups_for_no_less_than_their_lock() {
    let keep = |lock: u16, backup: &str| {
        let folder = folder();
        let path = folder.path().join("eu.toml");
        let text = fs::read_to_string(&path).expect("a copy");
        let text = text.replace("mode = \"governance\", days = 30", &format!("mode = \"governance\", days = {lock}"));
        fs::write(&path, format!("{text}{backup}")).expect("written");
        let policy = folder.path().join("hosting-policy.toml");
        let text = fs::read_to_string(&policy).expect("a copy").replace("promise_days = 90", "promise_days = 400");
        fs::write(&policy, text).expect("written");
        load(&folder).map(|regions| regions.get(&id("eu")).expect("it is there").backup_keep.as_hours() / 24)
    };
    assert_eq!(keep(30, ""), Ok(90));
    assert_eq!(keep(120, ""), Ok(120), "what is locked cannot be gone before");
    assert_eq!(keep(30, "[backup]\nkeep = \"30d\"\n"), Ok(30));
    assert_eq!(keep(30, "[backup]\nkeep = \"3650d\"\nevery = \"6h\"\n"), Ok(3650));
    for wrong in ["29d", "3651d", "720h", "0d", "-40d", "99999d", "never", ""] {
        let refusal = keep(30, &format!("[backup]\nkeep = \"{wrong}\"\n")).expect_err("it must be refused");
        let takes = "backup.keep: takes days from 30d to 3650d: no fewer than object_lock.days";
        assert!(refusal.ends_with(takes), "{wrong}: {refusal}");
    }
}

#[test]
fn a_policy_that_says_nothing_of_deletion_and_access_log_has_the_repositorys() {
    let folder = folder();
    let shipped = load(&folder).expect("good files");
    let path = folder.path().join("hosting-policy.toml");
    let text = fs::read_to_string(&path).expect("a copy");
    let (before, rest) = text.split_once("[deletion]").expect("it says so");
    let (_, after) = rest.split_once("[plans.trial]").expect("it goes on");
    fs::write(&path, format!("{before}[plans.trial]{after}")).expect("written");
    let regions = load(&folder).expect("an operator's own, from before these tables");
    assert_eq!(regions.policy().deletion(), shipped.policy().deletion());
    assert_eq!(regions.policy().access_log_days(), shipped.policy().access_log_days());
    fs::write(&path, text.replace("drills_days = 400\n", "")).expect("written");
    let regions = load(&folder).expect("one from before reports of drills had an end");
    assert_eq!(regions.policy().deletion(), shipped.policy().deletion());
    assert!(regions.iter().all(|region| region.storage.deletion == shipped.policy().deletion()));
}

#[test]
fn a_regions_bucket_locks_for_less_than_the_promise_about_deletion() {
    let regions = Regions::load(Path::new(REPOSITORY)).expect("good files");
    let expected = ObjectLock { mode: LockMode::Governance, days: 30 };
    assert!(regions.iter().all(|region| region.storage.lock == Some(expected) && !region.storage.is_encrypted_by_kms));

    let lock = "object_lock = { mode = \"governance\", days = 30 }";
    let refused = |by: &str| refusal("eu.toml", lock, by);
    for days in ["82.9", "83", "90", "0"] {
        let line = format!("object_lock = {{ mode = \"governance\", days = {days} }}");
        let (text, what) = refused(&line);
        assert_eq!(text, line);
        let says = "object_lock.days: takes 1 to 82 days: with noncurrent_days = 7, less than the promise_days = 90";
        assert!(what.starts_with(says), "{what}");
    }
    let (_, what) = refused("object_lock = { mode = \"firm\", days = 3 }");
    assert_eq!(what, "object_lock.mode: takes governance or compliance");
    let (_, what) = refused("encryption = { kms = true }");
    assert_eq!(what, "encryption.kms: takes true only with [s3]: an embedded bucket has no key service");
}

#[test]
fn exported_keys_are_gone_before_the_promise_about_deletion() {
    let (text, what) = refusal("hosting-policy.toml", "keys_days = 30", "keys_days = 83");
    assert_eq!(text, "keys_days = 83");
    assert!(what.starts_with("deletion.keys_days: takes fewer days: with noncurrent_days = 7"), "{what}");
    let (_, what) = refusal("hosting-policy.toml", "keys_days = 30", "keys_days = 1");
    assert!(what.starts_with("deletion.keys_days: takes 2 days or more"), "{what}");
    let (_, what) = refusal("hosting-policy.toml", "drills_days = 400", "drills_days = 31");
    assert_eq!(what, "deletion.drills_days: takes 32 days or more: a region may be drilled once in 31 days");
    let (_, what) = refusal("hosting-policy.toml", "promise_days = 90\n", "");
    assert_eq!(what, "deletion.promise_days: is missing; takes a number of days, from 1");
}

#[test]
fn a_policy_that_says_nothing_of_rates_limits_none() {
    let folder = folder();
    let shipped = load(&folder).expect("good files");
    let plans = [200, 200, 400, 400, 700].map(Some);
    let of = |regions: &Regions, plan: &Plan| regions.policy().rate_limits().requests_per_minute(*plan);
    assert_eq!(Plan::ALL.iter().map(|plan| of(&shipped, plan)).collect::<Vec<_>>(), plans);
    let path = folder.path().join("hosting-policy.toml");
    let text = fs::read_to_string(&path).expect("a copy");
    let (before, rest) = text.split_once("# Limits of single endpoints").expect("it says so");
    let (_, after) = rest.split_once("# The matrix").expect("it goes on");
    let kept: Vec<&str> = before.lines().filter(|line| !line.starts_with("requests_per_minute")).collect();
    fs::write(&path, format!("{}\n# The matrix{after}", kept.join("\n"))).expect("written");
    let regions = load(&folder).expect("an operator's own, from before there were limits");
    assert_eq!(*regions.policy().rate_limits(), RateLimits::default());
}

#[test]
fn incidents_are_read_the_latest_first_and_wrong_ones_are_refused() {
    let folder = folder();
    let path = folder.path().join("eu.toml");
    let text = fs::read_to_string(&path).expect("a file");
    let load = |incidents: &str| {
        fs::write(&path, format!("{text}\n{incidents}")).expect("a written file");
        Regions::load(folder.path())
    };
    let two = "[[incident]]\nbegan = \"2026-01-01T00:00:00Z\"\nended = \"2026-01-01T01:00:00Z\"\nwhat = \"Slow\"\n\
               [[incident]]\nbegan = \"2026-02-01T00:00:00Z\"\nwhat = \"Slower\"\n";
    let regions = load(two).expect("regions");
    let eu = regions.iter().find(|region| region.id.as_str() == "eu").expect("a region");
    let told: Vec<_> = eu.incidents.iter().map(|incident| (incident.what.as_str(), incident.ended.is_some())).collect();
    assert_eq!(told, [("Slower", false), ("Slow", true)]);
    assert!(regions.iter().filter(|region| region.id.as_str() != "eu").all(|region| region.incidents.is_empty()));
    for (replaced, by, says) in [
        ("2026-01-01T01:00:00Z", "2025-01-01T01:00:00Z", "takes a moment after began"),
        ("2026-01-01T00:00:00Z", "yesterday", "takes a moment such as"),
        ("\"Slow\"", "\" \"", "takes what happened"),
        ("what", "why", "why"),
    ] {
        let error = load(&two.replacen(replaced, by, 1)).expect_err("a refusal").to_string();
        assert!(error.contains(says), "{by}: {error}");
    }
}
