//! The methods of all services, by the path that calls name them with.

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::RandomState;
use prost::Message as _;

/// What the server and the clients must know of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Method {
    /// Full name, such as `bylaw.audit.v1.AuditService/GetRecord`.
    pub(crate) name: String,
    /// Whether either side sends more than one message.
    pub(crate) streaming: bool,
}

static METHODS: LazyLock<HashMap<String, Method, RandomState>> = LazyLock::new(|| {
    let sets = [
        contracts::DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    sets.into_iter().flat_map(methods).collect()
});

fn methods(encoded: &[u8]) -> Vec<(String, Method)> {
    let set = prost_types::FileDescriptorSet::decode(encoded).unwrap_or_default();
    let mut found = Vec::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let (package, service) = (file.package(), service.name());
                let name = format!("{package}.{service}/{}", method.name());
                let streaming = method.client_streaming() || method.server_streaming();
                found.push((format!("/{name}"), Method { name, streaming }));
            }
        }
    }
    found
}

/// The method that a path names.
pub(crate) fn find(path: &str) -> Option<&'static Method> {
    METHODS.get(path)
}

/// The method's name for spans and metrics; `_OTHER` for paths that name none, so that
/// callers can't invent names.
pub(crate) fn name(path: &str) -> &'static str {
    find(path).map_or("_OTHER", |method| &method.name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn methods_of_services_and_of_health_are_known() {
        assert!(
            !find("/bylaw.audit.v1.AuditService/GetRecord")
                .unwrap()
                .streaming
        );
        assert!(
            find("/bylaw.audit.v1.AuditService/ExportRecords")
                .unwrap()
                .streaming
        );
        assert!(find("/grpc.health.v1.Health/Watch").unwrap().streaming);
        assert_eq!(name("/made.up/Name"), "_OTHER");
    }
}
