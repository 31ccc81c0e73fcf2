//! What every method answers to a scope that is none: read from the contracts, so that no
//! new method is left out.

use contracts::DESCRIPTORS;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, Value};
use service_kit::{
    access::{AccessTable, Methods},
    identity::PrincipalKind,
};
use testkit::identity::{Bearer, Calls, Tokens};
use tonic::{Code, Status, transport::Endpoint};
use tonic_types::StatusExt as _;

use crate::bylaw::Suite;

const MALFORMED: [&str; 6] = ["", "*", "ACME", "acme/../acme", "/acme", "acme/"];

/// A method that is called at a scope.
struct Scoped {
    path: String,
    permission: String,
    field: String,
    input: MessageDescriptor,
}

fn scoped() -> Vec<Scoped> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let methods = Methods::of_contracts().unwrap();
    let of = |(path, method): (&str, &service_kit::access::Method)| {
        let field = method.scope_field.clone()?;
        let (service, name) = path[1..].split_once('/').unwrap();
        let service = pool.get_service_by_name(service).unwrap();
        let called = service.methods().find(|method| method.name() == name);
        Some(Scoped {
            path: path.to_owned(),
            permission: method.permission.clone(),
            field,
            input: called.unwrap().input(),
        })
    };
    methods.iter().filter_map(of).collect()
}

/// A request with nothing but the text at this path of fields.
fn request(input: &MessageDescriptor, path: &str, text: &str) -> DynamicMessage {
    let (name, below) = path.split_once('.').unwrap_or((path, ""));
    let field = input.get_field_by_name(name).unwrap();
    let value = match field.kind() {
        Kind::Message(inner) => Value::Message(request(&inner, below, text)),
        _ => Value::String(text.to_owned()),
    };
    let mut message = DynamicMessage::new(input.clone());
    message.set_field(&field, value);
    message
}

/// A token of whoever holds the permission by one role, everywhere.
fn holder(tokens: &Tokens, table: &AccessTable, permission: &str) -> String {
    let roles = table.roles();
    let role = roles.iter().find(|role| table.permits(role, permission));
    let role = role.unwrap_or_else(|| panic!("no role holds {permission}"));
    let (kind, at) = if table.is_internal(role) {
        (PrincipalKind::Service, "*")
    } else {
        (PrincipalKind::Person, "acme")
    };
    tokens.mint(role, kind, &[&format!("{role}@{at}")], chrono::Utc::now())
}

async fn call(calls: Calls, method: &Scoped, scope: &str) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(calls);
    grpc.ready().await.unwrap();
    let request = tonic::Request::new(request(&method.input, &method.field, scope));
    let codec = tonic_prost::ProstCodec::<DynamicMessage, ()>::default();
    let path = method.path.parse().unwrap();
    grpc.unary(request, path, codec).await.map(|_| ())
}

#[tokio::test]
async fn every_method_refuses_a_malformed_scope_with_all_else_that_is_wrong() {
    let suite = Suite::start();
    let written = suite.written().unwrap();
    let address = format!("http://{}", written["grpc_addr"].as_str().unwrap());
    let channel = Endpoint::from_shared(address).unwrap().connect_lazy();
    let tokens = Tokens::of(&suite.home.data_dir());
    let table = AccessTable::shipped().unwrap();
    let nobody = tokens.mint("nobody", PrincipalKind::Person, &[], chrono::Utc::now());
    let methods = scoped();
    assert!(methods.len() >= 8, "the contracts have scope fields");
    let mut together = 0;
    for method in &methods {
        let path = &method.path;
        let token = holder(&tokens, &table, &method.permission);
        let as_holder = Calls::new(channel.clone(), Bearer::new(&token));
        let as_nobody = Calls::new(channel.clone(), Bearer::new(&nobody));
        for scope in MALFORMED {
            let status = call(as_holder.clone(), method, scope).await.unwrap_err();
            assert_eq!(
                status.code(),
                Code::InvalidArgument,
                "{path} {scope:?}: {status:?}"
            );
            let details = status.get_error_details();
            let violations = &details.bad_request().unwrap().field_violations;
            let named = violations
                .iter()
                .any(|violation| violation.field == method.field);
            assert!(named, "{path} {scope:?}: {violations:?}");
            together += usize::from(violations.len() > 1);
            // Who holds the permission nowhere is told that, and nothing of the request.
            let status = call(as_nobody.clone(), method, scope).await.unwrap_err();
            assert_eq!(status.code(), Code::PermissionDenied, "{path} {scope:?}");
        }
    }
    assert!(
        together > MALFORMED.len(),
        "other fields are named beside the scope"
    );
}
