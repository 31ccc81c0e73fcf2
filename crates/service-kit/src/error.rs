//! The errors of all services: few kinds, a documented reason, a public message, and an
//! internal cause that never leaves the process.

use std::{collections::BTreeMap, error::Error as StdError, fmt, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::telemetry;

pub use contracts::types::ErrorReason as Reason;

/// `domain` of `google.rpc.ErrorInfo` in every answer.
pub const DOMAIN: &str = "bylaw";

/// How long a client waits before it repeats what was refused for a passing reason.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// At most this many bytes of violations are sent, and as many of metadata: they travel
/// in headers, and peers refuse long ones.
const MAX_DETAILS: usize = 3 * 1024;

/// At most this many bytes of any one text are sent.
const MAX_TEXT: usize = 512;

/// Result of everything in the services that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller acts on it: a deliberately small subset of the
/// canonical codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is malformed, whatever the state.
    InvalidArgument,
    /// The caller can't be identified.
    Unauthenticated,
    /// The caller may not do this.
    PermissionDenied,
    /// There is no such resource, or the caller may not know of it.
    NotFound,
    /// The resource exists already.
    AlreadyExists,
    /// A concurrent change came first: read again, then repeat.
    Aborted,
    /// The state doesn't allow this.
    FailedPrecondition,
    /// A quota, a rate or a size is exhausted.
    ResourceExhausted,
    /// Something needed can't be reached: repeat later.
    Unavailable,
    /// It took too long; it may have taken effect.
    DeadlineExceeded,
    /// Past the end of what there is.
    OutOfRange,
    /// A defect of ours.
    Internal,
}

impl Kind {
    fn code(self) -> Code {
        match self {
            Self::InvalidArgument => Code::InvalidArgument,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::PermissionDenied => Code::PermissionDenied,
            Self::NotFound => Code::NotFound,
            Self::AlreadyExists => Code::AlreadyExists,
            Self::Aborted => Code::Aborted,
            Self::FailedPrecondition => Code::FailedPrecondition,
            Self::ResourceExhausted => Code::ResourceExhausted,
            Self::Unavailable => Code::Unavailable,
            Self::DeadlineExceeded => Code::DeadlineExceeded,
            Self::OutOfRange => Code::OutOfRange,
            Self::Internal => Code::Internal,
        }
    }

    /// The kind of a code; `None` for those that no service of ours gives.
    fn of(code: Code) -> Option<Self> {
        Some(match code {
            Code::InvalidArgument => Self::InvalidArgument,
            Code::Unauthenticated => Self::Unauthenticated,
            Code::PermissionDenied => Self::PermissionDenied,
            Code::NotFound => Self::NotFound,
            Code::AlreadyExists => Self::AlreadyExists,
            Code::Aborted => Self::Aborted,
            Code::FailedPrecondition => Self::FailedPrecondition,
            Code::ResourceExhausted => Self::ResourceExhausted,
            Code::Unavailable => Self::Unavailable,
            Code::DeadlineExceeded => Self::DeadlineExceeded,
            Code::OutOfRange => Self::OutOfRange,
            Code::Internal => Self::Internal,
            Code::Ok | Code::Cancelled | Code::Unknown | Code::Unimplemented | Code::DataLoss => {
                return None;
            }
        })
    }
}

/// A field of a request, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, such as `event.scope` or `facts[3].value`.
    pub field: String,
    /// What was found and what was wanted, in lower case without a period.
    pub problem: String,
}

/// Why something failed. The message is public; the source is for the log only.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    reason: Reason,
    message: String,
    violations: Vec<Violation>,
    metadata: BTreeMap<String, String>,
    retry: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with a public message: lower case, no period, what was found and what
    /// was wanted.
    pub fn new(kind: Kind, reason: Reason, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            reason,
            message: message.into(),
            violations: Vec::new(),
            metadata: BTreeMap::new(),
            retry: None,
            source: None,
        }))
    }

    /// A malformed field of the request.
    pub fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        let (field, problem) = (field.into(), problem.into());
        let message = format!("{field}: {problem}");
        Self::new(Kind::InvalidArgument, Reason::InvalidArgument, message)
            .with_violation(field, problem)
    }

    /// No such resource, or none that the caller may know of.
    pub fn not_found(resource_name: impl Into<String>) -> Self {
        let name = resource_name.into();
        Self::new(Kind::NotFound, Reason::NotFound, format!("no {name}"))
            .with_metadata("resource", name)
    }

    /// A resource of this name exists.
    pub fn already_exists(resource_name: impl Into<String>) -> Self {
        let name = resource_name.into();
        let message = format!("{name} exists already");
        Self::new(Kind::AlreadyExists, Reason::AlreadyExists, message)
            .with_metadata("resource", name)
    }

    /// The resource's state doesn't allow the step.
    pub fn illegal_state(message: impl Into<String>) -> Self {
        Self::new(Kind::FailedPrecondition, Reason::IllegalState, message)
    }

    /// The etag isn't the current one.
    pub fn etag_mismatch(resource_name: impl Into<String>) -> Self {
        let name = resource_name.into();
        let message = format!("the etag is not the current one of {name}, read it again");
        Self::new(Kind::Aborted, Reason::EtagMismatch, message).with_metadata("resource", name)
    }

    /// No role of the caller has the permission, at whatever scope.
    pub fn denied(permission: impl Into<String>) -> Self {
        let permission = permission.into();
        let message = format!("the caller lacks {permission}");
        Self::new(Kind::PermissionDenied, Reason::PermissionDenied, message)
            .with_metadata("permission", permission)
    }

    /// No role of the caller has the permission at the scope.
    pub fn denied_at(permission: impl Into<String>, scope: impl Into<String>) -> Self {
        let (permission, scope) = (permission.into(), scope.into());
        let message = format!("the caller lacks {permission} at {scope}");
        Self::new(Kind::PermissionDenied, Reason::PermissionDenied, message)
            .with_metadata("permission", permission)
            .with_metadata("scope", scope)
    }

    /// The step would break segregation of duties.
    pub fn sod(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Kind::PermissionDenied, reason, message)
    }

    /// A message, list or value is over its limit.
    pub fn too_large(field: impl Into<String>, problem: impl Into<String>) -> Self {
        let (field, problem) = (field.into(), problem.into());
        let message = format!("{field}: {problem}");
        Self::new(Kind::InvalidArgument, Reason::TooLarge, message).with_violation(field, problem)
    }

    /// A defect of ours. The caller learns only the trace id.
    pub fn internal(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::new(Kind::Internal, Reason::Internal, "internal error").with_source(source)
    }

    /// A defect of ours that has no error value, such as a broken invariant. The caller
    /// learns only the trace id.
    pub fn broken(cause: impl Into<String>) -> Self {
        Self::internal(Cause(cause.into()))
    }

    /// Something needed can't be reached; the answer tells when to repeat.
    pub fn unavailable(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, reason, message).with_retry(RETRY_AFTER)
    }

    /// Adds a malformed field.
    #[must_use]
    pub fn with_violation(mut self, field: impl Into<String>, problem: impl Into<String>) -> Self {
        self.0.violations.push(Violation {
            field: field.into(),
            problem: problem.into(),
        });
        self
    }

    /// Adds a value that clients read by key.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.into(), value.into());
        self
    }

    /// Tells the client when to repeat.
    #[must_use]
    pub fn with_retry(mut self, after: Duration) -> Self {
        self.0.retry = Some(after);
        self
    }

    /// Sets the internal cause, for the log only.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What a caller acts on.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The documented reason.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// The public message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Fields that are malformed.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// A value that clients read by key.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.0.metadata.get(key).map(String::as_str)
    }

    /// Whether repeating the same call may succeed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self.0.kind {
            Kind::Unavailable | Kind::Aborted | Kind::DeadlineExceeded => true,
            Kind::ResourceExhausted => self.0.reason == Reason::RateLimited,
            Kind::InvalidArgument
            | Kind::Unauthenticated
            | Kind::PermissionDenied
            | Kind::NotFound
            | Kind::AlreadyExists
            | Kind::FailedPrecondition
            | Kind::OutOfRange
            | Kind::Internal => false,
        }
    }

    /// What a peer answered. Its reason, message and details are kept where it gave a
    /// reason of ours; a transport failure is `Unavailable` with `PEER_UNAVAILABLE`, and
    /// so is a peer that refuses this service's own token.
    #[must_use]
    pub fn from_status(status: Status, peer: &'static str) -> Self {
        let details = status.get_error_details();
        let known = details.error_info().filter(|info| info.domain == DOMAIN);
        let reason = known.and_then(|info| Reason::from_code(&info.reason));
        match (Kind::of(status.code()), reason) {
            (Some(Kind::Unauthenticated) | None, _)
            | (Some(Kind::Unavailable | Kind::Internal), None) => {
                let message = format!("the {peer} service can't be used");
                Self::unavailable(Reason::PeerUnavailable, message)
                    .with_metadata("peer", peer)
                    .with_source(status)
            }
            (Some(Kind::Internal), Some(_)) => Self::internal(status).with_metadata("peer", peer),
            (Some(kind), reason) => {
                let reason = reason.unwrap_or_else(|| default_reason(kind));
                let mut error = Self::new(kind, reason, status.message());
                error.0.metadata = known
                    .map(|info| info.metadata.clone().into_iter().collect())
                    .unwrap_or_default();
                error.0.violations = violations(&details);
                error.0.retry = details.retry_info().and_then(|info| info.retry_delay);
                error.with_source(status)
            }
        }
    }

    /// Writes the internal cause to the log, once, at the level the kind deserves.
    fn log(&self) {
        let Some(source) = &self.0.source else {
            return;
        };
        let (reason, message) = (self.0.reason.code(), &self.0.message);
        let cause = Chain(source.as_ref());
        match self.0.kind {
            Kind::Internal => tracing::error!(reason, message, %cause, "call failed"),
            Kind::Unavailable | Kind::DeadlineExceeded => {
                tracing::warn!(reason, message, %cause, "call failed");
            }
            Kind::InvalidArgument
            | Kind::Unauthenticated
            | Kind::PermissionDenied
            | Kind::NotFound
            | Kind::AlreadyExists
            | Kind::Aborted
            | Kind::FailedPrecondition
            | Kind::ResourceExhausted
            | Kind::OutOfRange => tracing::debug!(reason, message, %cause, "call refused"),
        }
    }
}

/// The reason of a kind that came without one.
fn default_reason(kind: Kind) -> Reason {
    match kind {
        Kind::InvalidArgument => Reason::InvalidArgument,
        Kind::Unauthenticated => Reason::TokenInvalid,
        Kind::PermissionDenied => Reason::PermissionDenied,
        Kind::NotFound => Reason::NotFound,
        Kind::AlreadyExists => Reason::AlreadyExists,
        Kind::Aborted => Reason::EtagMismatch,
        Kind::FailedPrecondition => Reason::IllegalState,
        Kind::ResourceExhausted | Kind::OutOfRange => Reason::TooLarge,
        Kind::Unavailable => Reason::PeerUnavailable,
        Kind::DeadlineExceeded => Reason::DeadlineExceeded,
        Kind::Internal => Reason::Internal,
    }
}

fn violations(details: &ErrorDetails) -> Vec<Violation> {
    details
        .bad_request()
        .map(|bad| {
            let violation = |v: &FieldViolation| Violation {
                field: v.field.clone(),
                problem: v.description.clone(),
            };
            bad.field_violations.iter().map(violation).collect()
        })
        .unwrap_or_default()
}

/// The first [`MAX_TEXT`] bytes, cut between characters.
fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

/// As many of the items as there is room for.
fn within<T>(
    items: impl Iterator<Item = T>,
    size: impl Fn(&T) -> usize,
) -> impl Iterator<Item = T> {
    let mut room = MAX_DETAILS;
    items.take_while(move |item| {
        // Each item has a frame of its own around its texts.
        let fits = room.checked_sub(size(item) + 16);
        room = fits.unwrap_or(0);
        fits.is_some()
    })
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        error.log();
        let inner = *error.0;
        let size = |(key, value): &(&str, &str)| key.len() + value.len();
        let metadata = inner.metadata.iter().map(|(k, v)| (clip(k), clip(v)));
        let mut metadata: std::collections::HashMap<_, _> = within(metadata, size)
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        if inner.kind == Kind::Internal {
            let trace = telemetry::current_trace();
            if !trace.trace_id.is_empty() {
                metadata.insert("trace_id".to_owned(), trace.trace_id);
            }
        }
        let mut details = ErrorDetails::new();
        details.set_error_info(inner.reason.code(), DOMAIN, metadata);
        if !inner.violations.is_empty() {
            let fields = inner.violations.iter();
            let fields = fields.map(|v| (clip(&v.field), clip(&v.problem)));
            let fields = within(fields, size).map(|(f, p)| FieldViolation::new(f, p));
            details.set_bad_request(fields.collect::<Vec<_>>());
        }
        if inner.retry.is_some() {
            details.set_retry_info(inner.retry);
        }
        Self::with_error_details(inner.kind.code(), clip(&inner.message), details)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("reason", &self.0.reason.code())
            .field("message", &self.0.message)
            .field("violations", &self.0.violations)
            .field("metadata", &self.0.metadata)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}

/// A cause without an error value of its own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Cause(String);

/// An error and its sources in one line, for the log.
pub struct Chain<'a>(pub &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}
