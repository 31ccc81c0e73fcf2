//! Calls to the other services: lazy connections, this service's own token, the person
//! acted for, the trace, and a deadline on every call.

mod channel;
mod connect;

pub use channel::PeerChannel;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use contracts::audit::audit_service_client::AuditServiceClient;
use http::Uri;
use tokio_util::sync::CancellationToken;
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use crate::{
    error::{Error, Result},
    identity::{Caller, TokenSource},
    settings::Settings,
    tls,
};

/// Metadata key that carries the token of the person a service acts for.
pub const ON_BEHALF_OF: &str = "on-behalf-of";

/// The other services, by name. Cheap to clone.
#[derive(Clone)]
pub struct Peers {
    shared: Arc<Shared>,
}

struct Shared {
    channels: BTreeMap<String, Peer>,
    tokens: TokenSource,
    /// Deadline of a unary call outside of any call in work.
    timeout: Duration,
}

#[derive(Clone)]
struct Peer {
    channel: Channel,
    address: Arc<str>,
    port: u16,
}

impl Peers {
    /// Peers by the addresses in the settings; nothing is connected before the first
    /// call.
    ///
    /// # Errors
    /// If an address or a TLS file is malformed.
    pub fn new(
        settings: &Settings,
        tokens: TokenSource,
        shutdown: &CancellationToken,
    ) -> Result<Self> {
        let tls = match &settings.peers.tls {
            Some(files) => Some(tls::Client::open(files, shutdown.clone())?),
            None => None,
        };
        let mut channels = BTreeMap::new();
        for (name, address) in &settings.peers.addresses {
            let uri: Uri = address
                .parse()
                .map_err(|e| Error::invalid(format!("peers.addresses.{name}"), format!("{e}")))?;
            let host = uri.host().unwrap_or_default().into();
            let port = uri
                .port_u16()
                .unwrap_or(if connect::secure(&uri) { 443 } else { 80 });
            let server_name = settings
                .peers
                .tls
                .as_ref()
                .and_then(|t| t.server_name.clone());
            let channel = connect::lazy(uri, tls.clone(), server_name, &settings.limits)?;
            let peer = Peer {
                channel,
                address: host,
                port,
            };
            channels.insert(name.clone(), peer);
        }
        let shared = Shared {
            channels,
            tokens,
            timeout: settings.limits.deadline,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// The audit service, which every service appends to.
    pub(crate) fn audit(&self) -> AuditServiceClient<PeerChannel> {
        crate::limited!(AuditServiceClient::new(self.channel("audit")))
    }

    /// The connection to a service, for a generated client within [`crate::limited!`].
    /// Calls to one whose address isn't known end as unavailable.
    #[must_use]
    pub fn channel(&self, peer: &'static str) -> PeerChannel {
        PeerChannel::new(peer, Arc::clone(&self.shared))
    }
}

/// Makes requests on behalf of the person that `caller` acts for.
#[must_use]
pub fn on_behalf(caller: &Caller) -> OnBehalf {
    OnBehalf::token(caller.person_token())
}

/// A person that requests are made for, or nobody.
#[derive(Clone, Default)]
pub struct OnBehalf(Option<MetadataValue<Ascii>>);

impl OnBehalf {
    fn token(token: Option<&str>) -> Self {
        let value = token.and_then(|token| {
            let mut value: MetadataValue<Ascii> = token.parse().ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Self(value)
    }

    /// A request with the message, made for the person.
    pub fn apply<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if let Some(value) = &self.0 {
            request.metadata_mut().insert(ON_BEHALF_OF, value.clone());
        }
        request
    }
}
