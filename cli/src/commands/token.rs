//! `bylaw token`.

use service_kit::identity::{Grant, PrincipalKind};

use crate::{
    args::{Common, Kind, Output, Token},
    connect::Development,
    failure::Failure,
    output,
};

pub fn run(common: &Common, args: &Token) -> Result<(), Failure> {
    let grants: Vec<Grant> = args
        .grants
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|error| Failure::usage(format!("--grant {text}: {error}")))
        })
        .collect::<Result<_, _>>()?;
    let kind = match args.kind {
        Kind::Person => PrincipalKind::Person,
        Kind::Service => PrincipalKind::Service,
        Kind::Model => PrincipalKind::Model,
    };
    let token =
        Development::open(&common.data_dir)?.mint(&args.subject, kind, &grants, args.ttl)?;
    match common.output {
        Output::Text | Output::Junit => output::line(&token),
        Output::Json => output::json(&serde_json::json!({
            "token": token,
            "subject": args.subject,
            "expires_in": args.ttl.as_secs(),
        })),
    }
}
