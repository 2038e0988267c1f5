//! The one way out: every request that carries a tenant's data to somebody else's server goes through a [`Gate`].
//!
//! It asks the hosting policy about every class of data in the request, looks at the address, and connects only to what it looked at:
//! a name is resolved once, by the gate, and the connection is made to the very addresses that were checked. Another answer to the same
//! name a moment later changes nothing, and neither does a redirect, because none is followed.
//!
//! What is refused is [`Held`], with the reason in words for people; nothing was sent then. Who sends keeps a record of what the gate
//! said, refusals too.

mod address;

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures::future::BoxFuture;
use reqwest::{
    Client, Method, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use schemas::{DataClass, RegionId};

pub use self::address::{InvalidNetwork, Network};
use crate::{policy::HostingPolicy, region::Region};

/// How much of an answer is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// What is said of a server that nobody reaches, whatever the reason is.
const UNREACHABLE: &str = "the server cannot be reached, or does not speak HTTP";
/// The port of HTTPS.
const HTTPS: u16 = 443;
/// From here on ports are anybody's; below, they are those of services that are no web servers.
const PORT_MIN: u16 = 1024;

/// The one way out of a region.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    policy: HostingPolicy,
    region: RegionId,
    private_networks: Vec<Network>,
    /// For addresses that anybody may reach, over TLS.
    guarded: Client,
    /// For networks that the region's file names, without TLS.
    private: Client,
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Which classes of data are in it.
    pub classes: &'static [DataClass],
    /// Where to.
    pub url: String,
    /// How.
    pub method: Method,
    /// With which headers.
    pub headers: HeaderMap,
    /// What.
    pub body: String,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The first 64 KiB of the body, as text.
    pub body: String,
}

/// Why the gate lets something not out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Held {
    /// The policy does not allow it.
    #[error("the hosting policy keeps data of class {class} in its region: {reason}")]
    Policy {
        /// Which class.
        class: DataClass,
        /// The policy's reason.
        reason: String,
    },
    /// It is no address of a web server.
    #[error("takes https:// with a host, perhaps a port (443, or 1024 and above), and no user or password")]
    Url,
    /// The URL itself holds an address that is not for everybody.
    #[error("takes a host that is reached over the internet; {address} is private, reserved or a machine of ours")]
    Address {
        /// Which one.
        address: IpAddr,
    },
    /// The host is the name of such an address. Which one is not said, and neither that it is: that would tell what the names of our own
    /// networks lead to.
    #[error("{UNREACHABLE}")]
    Name,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nothing was sent.
    #[error(transparent)]
    Held(Held),
    /// Nothing came back in time.
    #[error("no answer in time")]
    Timeout,
    /// There is no such name, nobody listens, TLS failed, or the answer broke off.
    #[error("{UNREACHABLE}")]
    Unreachable(#[source] reqwest::Error),
}

/// Finds the addresses of a name.
pub trait Names: Send + Sync + 'static {
    /// Asks once.
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

impl Gate {
    /// The gate of a region under a policy. `patience` is how long an answer may take, from the name to the last byte.
    ///
    /// # Errors
    /// If TLS cannot be set up on this machine.
    pub fn new(region: &Region, policy: &HostingPolicy, patience: Duration) -> Result<Self, reqwest::Error> {
        Self::with_names(region, policy, patience, Arc::new(SystemNames))
    }

    /// The same with another resolver.
    ///
    /// # Errors
    /// As [`Gate::new`].
    pub fn with_names(
        region: &Region,
        policy: &HostingPolicy,
        patience: Duration,
        names: Arc<dyn Names>,
    ) -> Result<Self, reqwest::Error> {
        let private_networks = region.private_networks.clone();
        let client = |is_public_taken: bool| {
            let checked = Checked { names: names.clone(), private_networks: private_networks.clone(), is_public_taken };
            #[expect(clippy::disallowed_methods, reason = "this is the gate")]
            let builder = Client::builder();
            builder
                .no_proxy()
                .redirect(Policy::none())
                .referer(false)
                // A connection that is kept was checked for somebody else.
                .pool_max_idle_per_host(0)
                .timeout(patience)
                .https_only(is_public_taken)
                .dns_resolver(Arc::new(checked))
                .build()
        };
        let (guarded, private) = (client(true)?, client(false)?);
        let (policy, region) = (policy.clone(), region.id.clone());
        Ok(Self(Arc::new(Inner { policy, region, private_networks, guarded, private })))
    }

    /// The version of the policy that decides.
    pub fn policy_version(&self) -> u32 {
        self.0.policy.version()
    }

    /// Whether data of these classes may go to a server that a tenant names.
    ///
    /// # Errors
    /// With the first class that may not.
    pub fn may_leave(&self, classes: &[DataClass]) -> Result<(), Held> {
        for class in classes {
            let verdict = self.0.policy.may_leave(*class, &self.0.region, HostingPolicy::WEBHOOK);
            if !verdict.allowed {
                return Err(Held::Policy { class: *class, reason: verdict.reason.into_owned() });
            }
        }
        Ok(())
    }

    /// Whether an address is one that things may be sent to, as far as that is known before its name is resolved.
    ///
    /// # Errors
    /// If it is none.
    pub fn check(&self, url: &str) -> Result<(), Held> {
        self.parsed(url).map(drop)
    }

    /// Sends, once.
    ///
    /// # Errors
    /// If the gate does not let it out, or nothing came back.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Answered, SendError> {
        self.may_leave(outgoing.classes).map_err(SendError::Held)?;
        let url = self.parsed(&outgoing.url).map_err(SendError::Held)?;
        let client = if url.scheme() == "https" { &self.0.guarded } else { &self.0.private };
        let request = client.request(outgoing.method, url).headers(outgoing.headers).body(outgoing.body);
        let mut response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while body.len() < ANSWER_BYTES_MAX {
            let Some(chunk) = response.chunk().await.map_err(failed)? else { break };
            body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES_MAX - body.len())]);
        }
        Ok(Answered { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// The address in its one notation: the parser turns every spelling of a number (octal, hexadecimal, with fewer dots) into the
    /// address that a connection would go to.
    fn parsed(&self, text: &str) -> Result<Url, Held> {
        let url = Url::parse(text).map_err(|_| Held::Url)?;
        if !url.username().is_empty() || url.password().is_some() || url.cannot_be_a_base() {
            return Err(Held::Url);
        }
        let port = url.port_or_known_default().ok_or(Held::Url)?;
        let is_secure = match url.scheme() {
            "https" => true,
            // Only where the region's file names a network of its own.
            "http" if !self.0.private_networks.is_empty() => false,
            _ => return Err(Held::Url),
        };
        if port < PORT_MIN && !(is_secure && port == HTTPS) {
            return Err(Held::Url);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Held::Url)?;
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = literal.parse::<IpAddr>() {
            require(address, &self.0.private_networks, is_secure)?;
        }
        Ok(url)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Gate({})", self.0.region)
    }
}

fn require(address: IpAddr, private_networks: &[Network], is_public_taken: bool) -> Result<(), Held> {
    let is_named = private_networks.iter().any(|network| network.contains(address));
    if is_named || (is_public_taken && address::is_public(address)) { Ok(()) } else { Err(Held::Address { address }) }
}

/// What a client resolves names with: the connection is made to what it returns, and to nothing else.
struct Checked {
    names: Arc<dyn Names>,
    private_networks: Vec<Network>,
    is_public_taken: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.names.addresses(name.as_str().to_owned());
        let (private_networks, is_public_taken) = (self.private_networks.clone(), self.is_public_taken);
        Box::pin(async move {
            let addresses = addresses.await?;
            // One that is not for everybody is enough to refuse all: no honest name has both.
            for address in &addresses {
                require(*address, &private_networks, is_public_taken).map_err(|_| Held::Name)?;
            }
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

fn failed(error: reqwest::Error) -> SendError {
    let sources = std::iter::successors(Some(&error as &(dyn std::error::Error + 'static)), |error| error.source());
    if let Some(held) = sources.filter_map(|error| error.downcast_ref::<Held>()).next() {
        return SendError::Held(held.clone());
    }
    if error.is_timeout() { SendError::Timeout } else { SendError::Unreachable(error.without_url()) }
}

/// Whether two addresses lead to the same server: one scheme, host and port, however they are written.
pub fn is_same_server(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some_and(|one| Some(one) == origin(other))
}

/// A header, if the name and the value are some.
pub fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}
