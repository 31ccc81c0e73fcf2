//! Where the services of a suite listen, and the connections to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
    time::Duration,
};

use tonic::transport::{Channel, Endpoint};

use crate::{args::Common, connect::Running, failure::Failure};

/// Where a suite listens unless it is said otherwise.
const DEFAULT_ADDR: &str = "127.0.0.1:50051";

/// The services, as permissions and addresses name them.
const SERVICES: [&str; 5] = ["policy", "exceptions", "masterdata", "aigate", "audit"];

/// A connection to each service; all the same where one process runs them.
#[derive(Debug, Clone)]
pub struct Channels {
    /// To the policy service.
    pub policy: Channel,
    /// To the exceptions service.
    pub exceptions: Channel,
    /// To the masterdata service.
    pub masterdata: Channel,
    /// To the AI gate.
    pub aigate: Channel,
    /// To the audit service.
    pub audit: Channel,
}

/// Where the suite that was asked listens: messages name it long after the call was made.
static ASKED: OnceLock<String> = OnceLock::new();

impl Channels {
    /// Where the suite listens that this process asks.
    pub fn addr() -> &'static str {
        ASKED.get().map_or(DEFAULT_ADDR, String::as_str)
    }

    /// Connects to the service that is called first; to the others, when they are called.
    pub async fn open(common: &Common, first: &str) -> Result<Self, Failure> {
        let text = match &common.addr {
            Some(addr) => addr.clone(),
            None => Running::read(&common.data_dir)
                .map_or_else(|| DEFAULT_ADDR.to_owned(), |running| running.grpc_addr),
        };
        let addresses = addresses(&text)
            .map_err(|problem| Failure::usage(format!("--addr {text}: {problem}")))?;
        ASKED.get_or_init(|| text.clone());
        let mut channels = BTreeMap::new();
        for addr in addresses.values().collect::<BTreeSet<_>>() {
            let endpoint = Endpoint::from_shared(format!("http://{addr}"))
                .map_err(|error| Failure::usage(format!("--addr {addr}: {error}")))?
                .connect_timeout(Duration::from_secs(5))
                .tcp_nodelay(true);
            channels
                .entry(addr.as_str())
                .or_insert_with(|| endpoint.connect_lazy());
            if addresses.get(first) == Some(addr) {
                let connected = endpoint.connect().await.map_err(|_| {
                    Failure::failed(format!(
                        "nothing answers at {addr}; start a suite with `bylaw dev`, or name one with --addr"
                    ))
                })?;
                channels.insert(addr, connected);
            }
        }
        let to = |service: &str| {
            addresses
                .get(service)
                .and_then(|addr| channels.get(addr.as_str()).cloned())
                .ok_or_else(|| Failure::usage(format!("--addr {text}: no address of {service}")))
        };
        Ok(Self {
            policy: to("policy")?,
            exceptions: to("exceptions")?,
            masterdata: to("masterdata")?,
            aigate: to("aigate")?,
            audit: to("audit")?,
        })
    }
}

/// Reads `HOST:PORT`, or `SERVICE=HOST:PORT` for services with addresses of their own;
/// one without a service is that of all the others.
fn addresses(text: &str) -> Result<BTreeMap<&'static str, String>, String> {
    let mut others = None;
    let mut named = BTreeMap::new();
    for part in text.split(',') {
        let (service, addr) = match part.split_once('=') {
            Some((service, addr)) => (Some(service.trim()), addr.trim()),
            None => (None, part.trim()),
        };
        checked(addr)?;
        let again = match service {
            None => others.replace(addr.to_owned()).is_some(),
            Some(service) => {
                let known = SERVICES
                    .into_iter()
                    .find(|known| *known == service)
                    .ok_or_else(|| {
                        format!(
                            "there is no service {service:?}; there are: {}",
                            SERVICES.join(", ")
                        )
                    })?;
                named.insert(known, addr.to_owned()).is_some()
            }
        };
        if again {
            return Err(format!(
                "{} has two addresses",
                service.unwrap_or("the suite")
            ));
        }
    }
    for service in SERVICES {
        if let (false, Some(addr)) = (named.contains_key(service), &others) {
            named.insert(service, addr.clone());
        }
    }
    match SERVICES
        .into_iter()
        .find(|service| !named.contains_key(service))
    {
        Some(missing) => Err(format!(
            "no address of {missing}; one without a service is that of all the others"
        )),
        None => Ok(named),
    }
}

fn checked(addr: &str) -> Result<(), String> {
    let wrong = || format!("{addr:?} is not of the form HOST:PORT");
    let (host, port) = addr.rsplit_once(':').ok_or_else(wrong)?;
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let fits = !host.is_empty()
        && (bracketed || !host.contains(':'))
        && port.parse::<u16>().is_ok_and(|port| port > 0);
    if fits { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::{SERVICES, addresses};

    #[test]
    fn one_address_is_that_of_all() {
        let found = addresses("127.0.0.1:50051").unwrap_or_default();
        assert_eq!(found.len(), SERVICES.len());
        assert!(found.values().all(|addr| addr == "127.0.0.1:50051"));
    }

    #[test]
    fn services_may_have_addresses_of_their_own() {
        let found = addresses("[::1]:1, audit=audit.example:2").unwrap_or_default();
        assert_eq!(
            found.get("audit").map(String::as_str),
            Some("audit.example:2")
        );
        assert_eq!(found.get("policy").map(String::as_str), Some("[::1]:1"));
        assert!(addresses("policy=a:1,exceptions=a:2,masterdata=a:3,aigate=a:4,audit=a:5").is_ok());
    }

    #[test]
    fn what_names_no_address_is_refused() {
        for wrong in [
            "",
            ":1",
            "a",
            "a:0",
            "a:65536",
            "::::",
            "::1:5",
            "a:1,b:2",
            "audit=a:1",
            "a:1,queue=b:2",
            "a:1,audit=b:1,audit=c:1",
        ] {
            assert!(addresses(wrong).is_err(), "{wrong}");
        }
    }
}
