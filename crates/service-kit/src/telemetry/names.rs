//! Names of spans' attributes and of metrics: OpenTelemetry's semantic conventions where
//! they have one (1.42), `bylaw.` where they don't.

/// `grpc`, always.
pub const RPC_SYSTEM_NAME: &str = "rpc.system.name";
/// Full name of the method, such as `bylaw.audit.v1.AuditService/GetRecord`.
pub const RPC_METHOD: &str = "rpc.method";
/// Canonical code, such as `OK` or `NOT_FOUND`.
pub const RPC_RESPONSE_STATUS_CODE: &str = "rpc.response.status_code";
/// Canonical code of a failed call.
pub const ERROR_TYPE: &str = "error.type";
/// Host that was called.
pub const SERVER_ADDRESS: &str = "server.address";
/// Port that was called.
pub const SERVER_PORT: &str = "server.port";
/// Address of the other side of the connection.
pub const NETWORK_PEER_ADDRESS: &str = "network.peer.address";
/// Name of the process.
pub const SERVICE_NAME: &str = "service.name";
/// Version of the process.
pub const SERVICE_VERSION: &str = "service.version";
/// Distinguishes replicas.
pub const SERVICE_INSTANCE_ID: &str = "service.instance.id";
/// Service that a measurement is of, where a process holds several.
pub const SERVICE: &str = "bylaw.service";
/// Documented reason of a refusal, such as `SOD_REQUESTER`.
pub const REASON: &str = "bylaw.reason";

/// Seconds that calls took, by method and code.
pub const SERVER_CALL_DURATION: &str = "rpc.server.call.duration";
/// Seconds that calls to peers took, by method and code.
pub const CLIENT_CALL_DURATION: &str = "rpc.client.call.duration";
/// Calls refused before a handler saw them, by reason.
pub const CALLS_REFUSED: &str = "bylaw.calls.refused";
/// Handlers that panicked, by method.
pub const PANICS: &str = "bylaw.panics";
/// Open connections, by listener.
pub const CONNECTIONS: &str = "bylaw.connections";
/// Spans that never reached the collector, by reason.
pub const SPANS_DROPPED: &str = "bylaw.telemetry.spans.dropped";
