//! What each method needs, read from the access options in the contracts.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use foldhash::fast::RandomState;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, ExtensionDescriptor, Kind, MessageDescriptor,
    MethodDescriptor,
};

/// Services that need no token: health, and the contracts themselves.
const PUBLIC: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// What a method needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// The permission; empty for a public method.
    pub permission: String,
    /// Name of the request field that holds the scope, such as `event.scope`.
    pub scope_field: Option<String>,
    /// Its field numbers, outermost first.
    pub(super) scope_path: Vec<u32>,
    /// Whether it needs no token.
    pub public: bool,
}

/// All methods of the contracts by their path, `/package.Service/Method`.
#[derive(Debug)]
pub struct Methods(HashMap<String, Arc<Method>, RandomState>);

impl Methods {
    /// Reads the descriptors that the process was built with.
    ///
    /// # Errors
    /// If a method has no access option, or one that can't be.
    pub fn of_contracts() -> Result<Self, String> {
        Self::of_descriptors(contracts::DESCRIPTORS)
    }

    /// Reads an encoded `FileDescriptorSet`.
    ///
    /// # Errors
    /// If a method has no access option, or one that can't be.
    pub fn of_descriptors(set: &[u8]) -> Result<Self, String> {
        let pool = DescriptorPool::decode(set).map_err(|e| format!("descriptors: {e}"))?;
        let access = pool
            .get_extension_by_name("bylaw.type.v1.access")
            .ok_or("descriptors: no option bylaw.type.v1.access")?;
        let mut methods = HashMap::default();
        for service in pool.services() {
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let read = read(&method, &access).map_err(|e| format!("{path}: {e}"))?;
                methods.insert(path, Arc::new(read));
            }
        }
        Ok(Self(methods))
    }

    /// What the method of this path needs; `None` for one that the contracts don't have.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Arc<Method>> {
        self.0.get(path)
    }

    /// All of them with their paths, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Method)> {
        let all = self.0.iter();
        all.map(|(path, method)| (path.as_str(), &**method))
    }

    /// The permissions that methods need.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        let names: BTreeSet<&str> = self.0.values().map(|m| m.permission.as_str()).collect();
        names.into_iter().filter(|name| !name.is_empty())
    }

    /// Whether a path needs no token. Unknown paths need one.
    #[must_use]
    pub fn is_public(&self, path: &str) -> bool {
        PUBLIC.iter().any(|prefix| path.starts_with(prefix))
            || self.get(path).is_some_and(|method| method.public)
    }
}

fn read(method: &MethodDescriptor, access: &ExtensionDescriptor) -> Result<Method, String> {
    let options = method.options();
    if !options.has_extension(access) {
        return Err("has no access option, and nobody could tell who may call it".into());
    }
    let option = options.get_extension(access);
    let option = option.as_message().ok_or("access option is no message")?;
    let text = |name: &str| -> String {
        let value = option.get_field_by_name(name);
        value
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    };
    let public = is_public(option);
    let (permission, scope_field) = (text("permission"), text("scope_field"));
    if public != permission.is_empty() {
        return Err("a method has a permission or is public, not both or neither".into());
    }
    if !permission.is_empty() && !is_permission(&permission) {
        return Err(format!(
            "permission {permission:?} is not `service.resource.verb`"
        ));
    }
    if !scope_field.is_empty() && (public || method.is_client_streaming()) {
        return Err("a scope field is for unary requests with a permission".into());
    }
    let scope_path = match scope_field.as_str() {
        "" => Vec::new(),
        field => resolve(&method.input(), field)?,
    };
    Ok(Method {
        permission,
        scope_field: Some(scope_field).filter(|field| !field.is_empty()),
        scope_path,
        public,
    })
}

fn is_public(option: &DynamicMessage) -> bool {
    let value = option.get_field_by_name("public");
    value.and_then(|v| v.as_bool()).unwrap_or(false)
}

fn is_permission(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.split('.').count() == 3 && text.split('.').all(word)
}

/// Field numbers of a dotted path that ends in a string.
fn resolve(input: &MessageDescriptor, path: &str) -> Result<Vec<u32>, String> {
    let mut message = Some(input.clone());
    let mut numbers = Vec::new();
    for name in path.split('.') {
        let at = message
            .take()
            .ok_or_else(|| format!("scope field {path}: nothing lies below a string"))?;
        let field = at
            .get_field_by_name(name)
            .ok_or_else(|| format!("scope field {path}: {} has no field {name}", at.full_name()))?;
        if field.cardinality() == Cardinality::Repeated {
            return Err(format!("scope field {path}: {name} is repeated"));
        }
        numbers.push(field.number());
        message = match field.kind() {
            Kind::Message(below) => Some(below),
            Kind::String => None,
            other => {
                return Err(format!(
                    "scope field {path}: {name} is {other:?}, not a string"
                ));
            }
        };
    }
    match message {
        None => Ok(numbers),
        Some(_) => Err(format!("scope field {path} is a message, not a string")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )]
    use super::*;
    use prost::Message as _;
    use prost_types::{
        DescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
        ServiceDescriptorProto,
    };

    #[test]
    fn every_method_of_the_contracts_says_what_it_needs() {
        let methods = Methods::of_contracts().unwrap();
        let decide = methods
            .get("/bylaw.policy.v1.DecisionService/Decide")
            .unwrap();
        assert_eq!(decide.permission, "policy.decision.decide");
        assert_eq!(decide.scope_path, [2]);
        let ingest = methods
            .get("/bylaw.exceptions.v1.EventService/IngestEvent")
            .unwrap();
        assert_eq!(ingest.scope_path, [1, 6]);
        assert!(methods.is_public("/grpc.health.v1.Health/Check"));
        assert!(!methods.is_public("/bylaw.policy.v1.DecisionService/Decide"));
        assert!(!methods.is_public("/unknown.Service/Method"));
    }

    #[test]
    fn a_method_without_option_is_refused() {
        // The option itself, and a service that doesn't use it.
        let mut set = FileDescriptorSet::decode(contracts::DESCRIPTORS).unwrap();
        set.file.retain(|file| {
            file.package() == "google.protobuf" || file.name().ends_with("/access.proto")
        });
        set.file.push(FileDescriptorProto {
            name: Some("bare.proto".into()),
            package: Some("bare".into()),
            message_type: vec![DescriptorProto {
                name: Some("M".into()),
                ..Default::default()
            }],
            service: vec![ServiceDescriptorProto {
                name: Some("S".into()),
                method: vec![MethodDescriptorProto {
                    name: Some("Call".into()),
                    input_type: Some(".bare.M".into()),
                    output_type: Some(".bare.M".into()),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            syntax: Some("proto3".into()),
            ..Default::default()
        });
        let error = Methods::of_descriptors(&set.encode_to_vec()).unwrap_err();
        assert!(error.contains("/bare.S/Call"), "{error}");
    }

    #[test]
    fn scope_fields_must_lead_to_a_string() {
        let pool = DescriptorPool::decode(contracts::DESCRIPTORS).unwrap();
        let input = pool
            .get_message_by_name("bylaw.exceptions.v1.IngestEventRequest")
            .unwrap();
        assert_eq!(resolve(&input, "event.scope").unwrap(), [1, 6]);
        for bad in [
            "event",
            "event.time",
            "event.nothing",
            "event.scope.more",
            "",
        ] {
            assert!(resolve(&input, bad).is_err(), "{bad:?}");
        }
    }
}
