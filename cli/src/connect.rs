//! Reaching a suite: where it listens, and with which token.

use std::{collections::BTreeMap, path::Path, time::Duration};

use contracts::{
    aigate::recommendation_service_client::RecommendationServiceClient,
    audit::audit_service_client::AuditServiceClient,
    exceptions::{
        event_service_client::EventServiceClient, exception_service_client::ExceptionServiceClient,
    },
    masterdata::validation_service_client::ValidationServiceClient,
    policy::{
        change_service_client::ChangeServiceClient, decision_service_client::DecisionServiceClient,
        policy_service_client::PolicyServiceClient, report_service_client::ReportServiceClient,
        waiver_service_client::WaiverServiceClient,
    },
};
use governance::Scope;
use serde::Deserialize;
use service_kit::{
    access::AccessTable,
    identity::{Asserts, DevIssuer, Grant, GrantScope, PrincipalKind, Provenance},
};
use tonic::{
    Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

use crate::{args::Common, channels::Channels, failure::Failure};

/// What `bylaw dev` writes about itself into its data directory.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Running {
    /// Where gRPC listens.
    pub grpc_addr: String,
    /// Where HTTP listens.
    pub http_addr: String,
    /// Process id.
    pub pid: u32,
}

impl Running {
    /// Name of the file.
    pub const FILE: &str = "suite.json";

    /// Reads what the suite of this data directory wrote.
    pub fn read(data_dir: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(data_dir.join(Self::FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// What a command needs of whoever calls; picks a principal where none is named.
#[derive(Debug, Clone, Copy)]
pub struct Wants {
    /// Permission, as the protos name it.
    pub permission: &'static str,
    /// Whether what the caller says must count as the ERP's word.
    pub as_erp: bool,
}

impl Wants {
    /// A permission.
    pub const fn permission(permission: &'static str) -> Self {
        Self {
            permission,
            as_erp: false,
        }
    }

    /// A permission, with the ERP's word.
    pub const fn erp(permission: &'static str) -> Self {
        Self {
            permission,
            as_erp: true,
        }
    }

    /// The service that is called: permissions begin with it.
    fn service(self) -> &'static str {
        self.permission.split('.').next().unwrap_or_default()
    }
}

/// A connection to a suite as one principal.
#[derive(Debug, Clone)]
pub struct Session {
    channels: Channels,
    bearer: Bearer,
}

type Client = InterceptedService<Channel, Bearer>;

/// Adds the token, and the trace the call belongs to.
#[derive(Debug, Clone)]
pub struct Bearer {
    authorization: MetadataValue<tonic::metadata::Ascii>,
    trace_parent: Option<MetadataValue<tonic::metadata::Ascii>>,
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.authorization.clone());
        if let Some(parent) = &self.trace_parent {
            request.metadata_mut().insert("traceparent", parent.clone());
        }
        Ok(request)
    }
}

impl Session {
    /// Connects. Without a token, one is made by the issuer in the data directory.
    pub async fn open(common: &Common, wants: Wants) -> Result<Self, Failure> {
        let token = match &common.token {
            Some(token) => token.clone(),
            None => {
                Development::open(&common.data_dir)?
                    .token(common.subject.as_deref(), wants)?
                    .0
            }
        };
        Self::with(Channels::open(common, wants.service()).await?, &token)
    }

    /// The same connection as another principal of the development suite.
    pub fn acting_as(&self, common: &Common, subject: &str) -> Result<Self, Failure> {
        let development = Development::open(&common.data_dir)?;
        let wants = Wants::permission("");
        let (token, _) = development.token(Some(subject), wants)?;
        let mut session = Self::with(self.channels.clone(), &token)?;
        session.bearer.trace_parent = self.bearer.trace_parent.clone();
        Ok(session)
    }

    /// All calls from here on belong to this trace (W3C `traceparent`).
    pub fn in_trace(mut self, trace_parent: &str) -> Result<Self, Failure> {
        self.bearer.trace_parent = Some(ascii(trace_parent)?);
        Ok(self)
    }

    fn with(channels: Channels, token: &str) -> Result<Self, Failure> {
        let mut authorization = ascii(&format!("Bearer {token}"))?;
        authorization.set_sensitive(true);
        let bearer = Bearer {
            authorization,
            trace_parent: None,
        };
        Ok(Self { channels, bearer })
    }
}

fn ascii(text: &str) -> Result<MetadataValue<tonic::metadata::Ascii>, Failure> {
    text.parse()
        .map_err(|_| Failure::usage("the token holds characters that no token has"))
}

/// One method a service: its client over this session, with the limits of the servers.
macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $client:ident of $service:ident),+ $(,)?) => {
        impl Session {
            $($(#[$doc])*
            pub fn $name(&self) -> $client<Client> {
                $client::with_interceptor(self.channels.$service.clone(), self.bearer.clone())
                    .max_decoding_message_size(service_kit::limits::MESSAGE_BYTES)
            })+
        }
    };
}

clients! {
    /// Decisions.
    decisions: DecisionServiceClient of policy,
    /// Policies in force.
    policies: PolicyServiceClient of policy,
    /// Changes of what is governed.
    changes: ChangeServiceClient of policy,
    /// Reports on changes.
    reports: ReportServiceClient of policy,
    /// Waivers.
    waivers: WaiverServiceClient of policy,
    /// Events.
    events: EventServiceClient of exceptions,
    /// The work queue.
    exceptions: ExceptionServiceClient of exceptions,
    /// Master data.
    masterdata: ValidationServiceClient of masterdata,
    /// The AI gate.
    aigate: RecommendationServiceClient of aigate,
    /// The log.
    audit: AuditServiceClient of audit,
}

/// The development issuer of a data directory and the principals it speaks for.
pub struct Development {
    issuer: DevIssuer,
    principals: BTreeMap<String, Listed>,
    access: AccessTable,
}

/// A principal as `principals.yaml` has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Kind.
    pub kind: PrincipalKind,
    /// Roles at scopes.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// What it may assert beyond its kind's own.
    #[serde(default)]
    pub asserts: Vec<Asserts>,
    #[serde(default)]
    #[expect(dead_code, reason = "part of the file's form")]
    owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    principals: BTreeMap<String, Listed>,
}

impl Development {
    /// The file of principals in the data directory.
    pub const PRINCIPALS: &str = "principals.yaml";

    /// Opens the data directory of a suite that `bylaw dev` started.
    pub fn open(data_dir: &Path) -> Result<Self, Failure> {
        let shown = data_dir.display();
        if !data_dir.join("issuer.jwk").exists() {
            return Err(Failure::failed(format!(
                "no token was given, and {shown} holds no development issuer; \
                 start a suite with `bylaw dev`, or give --token"
            )));
        }
        let issuer = DevIssuer::open(data_dir).map_err(|error| {
            Failure::failed(format!("{shown}/issuer.jwk can't be used: {error}"))
        })?;
        let path = data_dir.join(Self::PRINCIPALS);
        let principals = match std::fs::read_to_string(&path) {
            Ok(text) => {
                serde_saphyr::from_str::<File>(&text)
                    .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?
                    .principals
            }
            Err(_) => BTreeMap::new(),
        };
        let own = data_dir.join("access.yaml");
        let access = if own.exists() {
            AccessTable::read(&own)
        } else {
            AccessTable::shipped()
        }
        .map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Self {
            issuer,
            principals,
            access,
        })
    }

    /// A token for one of the principals: the one named, or the one with the widest scope
    /// among those that may do what is wanted.
    pub fn token(&self, subject: Option<&str>, wants: Wants) -> Result<(String, String), Failure> {
        let (subject, listed) = match subject {
            Some(subject) => self.principals.get_key_value(subject).ok_or_else(|| {
                Failure::usage(format!(
                    "no principal {subject:?}; there are: {}",
                    self.names()
                ))
            })?,
            None => self.fitting(wants).ok_or_else(|| {
                Failure::usage(format!(
                    "no principal of the data directory has the permission {}; give --token",
                    wants.permission
                ))
            })?,
        };
        let hour = Duration::from_secs(3_600);
        let token = self.mint(subject, listed.kind, &listed.grants, hour)?;
        Ok((token, subject.clone()))
    }

    /// A token of the development issuer for anybody.
    pub fn mint(
        &self,
        subject: &str,
        kind: PrincipalKind,
        grants: &[Grant],
        ttl: Duration,
    ) -> Result<String, Failure> {
        self.issuer
            .mint(subject, kind, grants, ttl, chrono::Utc::now())
            .map_err(|error| Failure::usage(error.to_string()))
    }

    /// Whether what the data directory says of the subject goes before its token.
    pub fn overrides(&self, subject: &str) -> bool {
        self.principals.contains_key(subject)
    }

    /// The roles that there are, by name.
    pub fn roles(&self) -> Vec<&str> {
        self.access.roles()
    }

    fn fitting(&self, wants: Wants) -> Option<(&String, &Listed)> {
        self.principals
            .iter()
            .filter(|(_, listed)| !wants.as_erp || listed.asserts.contains(&Provenance::Erp.into()))
            .filter_map(|(subject, listed)| {
                let depth = listed
                    .grants
                    .iter()
                    .filter(|grant| self.access.permits(&grant.role, wants.permission))
                    .map(|grant| match &grant.at {
                        GrantScope::All => 0,
                        GrantScope::Under(scope) => scope.depth(),
                    })
                    .min()?;
                Some((depth, subject, listed))
            })
            .min_by_key(|(depth, subject, _)| (*depth, (*subject).clone()))
            .map(|(_, subject, listed)| (subject, listed))
    }

    /// Whether one of its grants gives the permission at the scope.
    pub fn allows(&self, listed: &Listed, permission: &str, at: &Scope) -> bool {
        listed
            .grants
            .iter()
            .any(|grant| self.access.permits(&grant.role, permission) && covers(&grant.at, at))
    }

    /// The first principal, by name, that fits.
    pub fn find(&self, fits: &dyn Fn(&str, &Listed) -> bool) -> Option<String> {
        let mut all = self.principals.iter();
        all.find(|(subject, listed)| fits(subject, listed))
            .map(|(subject, _)| subject.clone())
    }

    /// A person who holds the role at the scope, other than these.
    pub fn holder(&self, role: &str, at: &str, but: &[&str]) -> Option<String> {
        let at = Scope::parse(at).ok()?;
        self.principals
            .iter()
            .filter(|(subject, listed)| {
                listed.kind == PrincipalKind::Person && !but.contains(&subject.as_str())
            })
            .find(|(_, listed)| {
                listed
                    .grants
                    .iter()
                    .any(|g| g.role == role && covers(&g.at, &at))
            })
            .map(|(subject, _)| subject.clone())
    }

    fn names(&self) -> String {
        self.principals
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

fn covers(grant: &GrantScope, at: &Scope) -> bool {
    match grant {
        GrantScope::All => true,
        GrantScope::Under(scope) => scope.contains(at),
    }
}
