//! Limits that are the same in every process; those an operator may choose are in
//! [`crate::settings::Limits`].

/// Largest gRPC message in either direction, in bytes. The clients of the peers and the
/// servers of all services set it explicitly: tonic limits only what it decodes.
pub const MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// Largest body of an HTTP request, in bytes.
pub const HTTP_BODY_BYTES: usize = 64 * 1024;

/// A generated gRPC server or client with the limits of [`MESSAGE_BYTES`] both ways.
///
/// ```ignore
/// let routes = Routes::new(service_kit::limited!(AuditServiceServer::new(handler)));
/// let client = service_kit::limited!(AuditServiceClient::new(peers.channel("audit")));
/// ```
#[macro_export]
macro_rules! limited {
    ($grpc:expr) => {
        $grpc
            .max_decoding_message_size($crate::limits::MESSAGE_BYTES)
            .max_encoding_message_size($crate::limits::MESSAGE_BYTES)
    };
}
