//! What prost and tonic make of `proto/`, and conversions of scalars.
//!
//! Nothing here is written by hand but [`DESCRIPTORS`], the names of error reasons and
//! conversions between well-known types and Rust's own.

pub mod time;

/// Types and services of one package of `proto/`.
macro_rules! package {
    ($($(#[$doc:meta])* $name:ident = $package:literal),+ $(,)?) => {
        $($(#[$doc])*
        #[allow(missing_docs, clippy::all, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
        pub mod $name {
            tonic::include_proto!($package);
        })+
    };
}

/// Nested as in the protos, since the generated code refers to its siblings by path.
mod generated {
    pub mod bylaw {
        pub mod r#type {
            package! {
                /// `bylaw.type.v1`.
                v1 = "bylaw.r#type.v1",
            }
        }
        pub mod policy {
            package! {
                /// `bylaw.policy.v1`.
                v1 = "bylaw.policy.v1",
            }
        }
        pub mod exceptions {
            package! {
                /// `bylaw.exceptions.v1`.
                v1 = "bylaw.exceptions.v1",
            }
        }
        pub mod masterdata {
            package! {
                /// `bylaw.masterdata.v1`.
                v1 = "bylaw.masterdata.v1",
            }
        }
        pub mod aigate {
            package! {
                /// `bylaw.aigate.v1`.
                v1 = "bylaw.aigate.v1",
            }
        }
        pub mod audit {
            package! {
                /// `bylaw.audit.v1`.
                v1 = "bylaw.audit.v1",
            }
        }
    }
}

pub use generated::bylaw::{
    aigate::v1 as aigate, audit::v1 as audit, exceptions::v1 as exceptions,
    masterdata::v1 as masterdata, policy::v1 as policy, r#type::v1 as types,
};

/// The encoded `FileDescriptorSet` of all protos, with imports and custom options.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bylaw.binpb"));

impl types::ErrorReason {
    /// The reason as `google.rpc.ErrorInfo` carries it: the value's name without its
    /// prefix, such as `SOD_REQUESTER`.
    #[must_use]
    pub fn code(self) -> &'static str {
        let name = self.as_str_name();
        name.strip_prefix("ERROR_REASON_").unwrap_or(name)
    }

    /// The reason of a code that [`Self::code`] gives.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::from_str_name(&format!("ERROR_REASON_{code}"))
    }
}
