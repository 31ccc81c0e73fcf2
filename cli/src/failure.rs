//! How a command ends when it doesn't end well.

use std::{fmt, process::ExitCode};

use contracts::types::ErrorReason;
use tonic_types::StatusExt as _;

use crate::channels::Channels;

/// Exit statuses beyond 0, as docs/cli.md has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Failed or refused.
    Failed = 1,
    /// Usage, or input that can't be read.
    Usage = 2,
    /// A policy has an error.
    Unsound = 3,
    /// A test failed, or none ran.
    Untested = 4,
    /// A record or identifier is invalid.
    Invalid = 5,
    /// What was to be verified is wrong.
    Unverified = 6,
    /// Two versions differ.
    Different = 7,
    /// The decision is REQUIRE_APPROVAL.
    RequireApproval = 10,
    /// The decision is DENY.
    Deny = 11,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended, with its exit status. The message goes to standard error, a line
/// for each thing that is wrong; an empty one says nothing, since the output said it.
#[derive(Debug)]
pub struct Failure {
    /// The exit status.
    pub exit: Exit,
    /// What went wrong and what to do next.
    pub message: String,
}

impl Failure {
    /// Failed or refused.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            message: message.into(),
        }
    }

    /// Usage, or input that can't be read.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
        }
    }

    /// An exit status whose reason was printed as the result.
    pub const fn said(exit: Exit) -> Self {
        Self {
            exit,
            message: String::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error.to_string())
    }
}

/// A refusal by the suite: its message, its reason, and the fields it names.
impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        if lost(&status) {
            return Self::failed(format!(
                "the suite at {} went away before it answered, so that the call may have taken \
                 effect; start it again (`bylaw dev`), or name another with --addr",
                Channels::addr()
            ));
        }
        let details = status.get_error_details();
        let mut message = status.message().to_owned();
        if let Some(bad) = details.bad_request() {
            for violation in &bad.field_violations {
                let said = format!("{}: {}", violation.field, violation.description);
                if !message.contains(&said) {
                    message.push_str(&format!("; {said}"));
                }
            }
        }
        let reason = details.error_info().map(|info| info.reason.clone());
        match &reason {
            Some(reason) => message.push_str(&format!(" ({reason})")),
            None => message.push_str(&format!(" ({:?})", status.code())),
        }
        if let Some(next) = reason
            .as_deref()
            .and_then(ErrorReason::from_code)
            .and_then(next_step)
        {
            message.push_str(&format!("; {next}"));
        }
        let usage = status.code() == tonic::Code::InvalidArgument;
        Self {
            exit: if usage { Exit::Usage } else { Exit::Failed },
            message,
        }
    }
}

/// Whether the connection ended, rather than that somebody answered: only what this side
/// found out by itself has a cause.
fn lost(status: &tonic::Status) -> bool {
    use tonic::Code;
    let code = matches!(
        status.code(),
        Code::Unknown | Code::Unavailable | Code::Internal | Code::Cancelled
    );
    code && std::error::Error::source(status).is_some()
}

/// What a person can do about a refusal, where that is the same whatever was asked.
fn next_step(reason: ErrorReason) -> Option<&'static str> {
    match reason {
        ErrorReason::TokenMissing | ErrorReason::TokenInvalid => {
            Some("get a token with `bylaw token`, or name a principal with --as")
        }
        ErrorReason::PermissionDenied | ErrorReason::NotAnApprover => {
            Some("ask somebody with the role, or name another principal with --as")
        }
        ErrorReason::SodRequester
        | ErrorReason::SodEditor
        | ErrorReason::SodApprover
        | ErrorReason::SodModelOwner
        | ErrorReason::SodAlreadyApproved => Some("another person has to do this"),
        ErrorReason::EtagMismatch => Some("read it again, then repeat"),
        ErrorReason::PeerUnavailable | ErrorReason::StoreUnavailable | ErrorReason::Draining => {
            Some("try again in a moment")
        }
        _ => None,
    }
}
