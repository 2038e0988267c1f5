//! What goes out: to addresses that are for everybody, to those that were looked at, and to where the policy lets it go.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, response::Redirect, routing::get};
use futures::future::BoxFuture;
use regions::{Gate, Held, HostingPolicy, Names, Outgoing, Region, Regions, SendError};
use schemas::DataClass;
use tokio::net::TcpListener;

const CLASSES: &[DataClass] = &[DataClass::Personal, DataClass::Content];
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers from a list, one a question: another time, another address.
#[derive(Default)]
struct Told(Mutex<VecDeque<Vec<IpAddr>>>, AtomicUsize);

impl Names for Told {
    fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let told = self.0.lock().expect("nobody panics with it").pop_front();
        Box::pin(async move { told.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

fn names(answers: &[&[&str]]) -> Arc<Told> {
    let parsed = |texts: &&[&str]| texts.iter().map(|text| text.parse().expect("an address")).collect();
    Arc::new(Told(Mutex::new(answers.iter().map(parsed).collect()), AtomicUsize::new(0)))
}

fn repository() -> (Region, HostingPolicy) {
    let regions = Regions::load(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("good files");
    let eu = "eu".parse().expect("an id");
    (regions.get(&eu).expect("eu").clone(), regions.policy().clone())
}

fn gate(private_networks: &[&str], names: Arc<Told>) -> Gate {
    let (mut region, policy) = repository();
    region.private_networks = private_networks.iter().map(|text| text.parse().expect("a network")).collect();
    Gate::with_names(&region, &policy, PATIENCE, names).expect("a gate")
}

fn to(url: impl Into<String>) -> Outgoing {
    Outgoing {
        classes: CLASSES,
        url: url.into(),
        method: reqwest::Method::GET,
        headers: Default::default(),
        body: String::new(),
    }
}

/// A server on loopback, and how many requests came.
async fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let came = Arc::new(AtomicUsize::new(0));
    let (here, counted) = (came.clone(), came.clone());
    let routes = Router::new()
        .route(
            "/",
            get(async move || {
                counted.fetch_add(1, Ordering::Relaxed);
                (StatusCode::ACCEPTED, "x".repeat(100_000))
            }),
        )
        .route(
            "/away",
            get(async move || {
                here.fetch_add(1, Ordering::Relaxed);
                Redirect::temporary("/")
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, came)
}

#[tokio::test]
async fn a_network_that_the_region_names_is_reached_and_of_an_answer_so_much_is_read() {
    let (address, came) = server().await;
    let answered = gate(&["127.0.0.0/8"], names(&[])).send(to(format!("http://{address}/"))).await.expect("an answer");
    assert_eq!((answered.status, answered.body.len(), came.load(Ordering::Relaxed)), (202, 64 * 1024, 1));
    let refused = gate(&[], names(&[])).send(to(format!("http://{address}/"))).await.expect_err("it is off by default");
    assert!(matches!(refused, SendError::Held(Held::Url)), "{refused:?}");
    let other =
        gate(&["10.0.0.0/8"], names(&[])).send(to(format!("http://{address}/"))).await.expect_err("another network");
    assert!(matches!(other, SendError::Held(Held::Address { .. })), "{other:?}");
    assert_eq!(came.load(Ordering::Relaxed), 1, "nothing came of what was refused");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (address, came) = server().await;
    let answered =
        gate(&["127.0.0.0/8"], names(&[])).send(to(format!("http://{address}/away"))).await.expect("an answer");
    assert_eq!((answered.status, came.load(Ordering::Relaxed)), (307, 1));
}

#[tokio::test]
async fn the_connection_is_made_to_the_address_that_was_looked_at() {
    let (address, came) = server().await;
    let url = format!("http://hooks.example:{}/", address.port());
    let told = names(&[&["127.0.0.1"], &["10.0.0.1"], &["127.0.0.1", "10.0.0.1"]]);
    let gate = gate(&["127.0.0.0/8"], told.clone());
    assert_eq!(gate.send(to(url.clone())).await.expect("an answer").status, 202);
    assert_eq!(told.1.load(Ordering::Relaxed), 1, "the name was asked for once");
    let mut said = Vec::new();
    for _ in 0..2 {
        let refused = gate.send(to(url.clone())).await.expect_err("the name leads elsewhere now");
        assert!(matches!(&refused, SendError::Held(Held::Name)), "{refused:?}");
        said.push(refused.to_string());
    }
    assert_eq!(came.load(Ordering::Relaxed), 1);
    let unknown = gate.send(to(url)).await.expect_err("there is no such name any more");
    assert!(matches!(unknown, SendError::Unreachable(_)), "{unknown:?}");
    said.push(unknown.to_string());
    said.dedup();
    assert_eq!(said.len(), 1, "nobody learns what a name leads to: {said:?}");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_over_tls_too() {
    for address in ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00:ec2::254"] {
        let refused = gate(&[], names(&[&[address]])).send(to("https://hooks.example/")).await.expect_err("inside");
        assert!(matches!(refused, SendError::Held(Held::Name)), "{address}: {refused:?}");
        assert!(!refused.to_string().contains(address), "{refused}");
    }
}

#[test]
fn an_address_is_refused_in_every_notation() {
    let gate = gate(&[], names(&[]));
    for host in [
        "127.0.0.1",
        "127.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0",
        "10.0.0.1",
        "0xa9fea9fe",
        "169.254.169.254",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "①②⑦.0.0.1",
        "127。0。0。1",
    ] {
        let refused = gate.check(&format!("https://{host}/"));
        assert!(matches!(refused, Err(Held::Address { .. })), "{host}: {refused:?}");
    }
    for url in [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "https://",
        "hooks.example",
        "https://a:b@hooks.example/",
        "https://a@hooks.example/",
        "https://hooks.example:22/",
        "https://hooks.example:80/",
        "gopher://hooks.example/",
        "",
    ] {
        assert_eq!(gate.check(url), Err(Held::Url), "{url}");
    }
    for url in
        ["https://hooks.example/", "https://hooks.example:8443/x?y=z", "https://8.8.8.8/", "https://[2606:4700::1111]/"]
    {
        assert_eq!(gate.check(url), Ok(()), "{url}");
    }
}

#[tokio::test]
async fn a_policy_that_does_not_name_webhooks_lets_nothing_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a file");
    let policy = of("hosting-policy.toml");
    let silent = policy.split("# A webhook:").next().expect("the rest");
    std::fs::write(folder.path().join("hosting-policy.toml"), silent).expect("written");
    std::fs::write(folder.path().join("us.toml"), of("us.toml")).expect("written");
    let regions = Regions::load(folder.path()).expect("a policy of before there were webhooks");
    let us = regions.iter().next().expect("us");
    let gate = Gate::with_names(us, regions.policy(), PATIENCE, names(&[])).expect("a gate");
    let refused = gate.send(to("https://8.8.8.8/")).await.expect_err("the policy says nothing of it");
    assert!(matches!(refused, SendError::Held(Held::Policy { class: DataClass::Personal, .. })), "{refused:?}");
}

#[test]
fn a_server_is_the_same_by_scheme_host_and_port() {
    let here = "https://hooks.example/a";
    for same in ["https://HOOKS.example:443/b?c", "https://hooks.example"] {
        assert!(regions::is_same_server(here, same), "{same}");
    }
    for other in ["http://hooks.example/a", "https://hooks.example:8443/a", "https://other.example/a", "", "data:a"] {
        assert!(!regions::is_same_server(here, other), "{other}");
    }
    assert!(!regions::is_same_server("nothing", "nothing"), "what is no address is no server");
}
