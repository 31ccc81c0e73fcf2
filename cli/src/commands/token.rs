//! `bylaw token`.

use service_kit::identity::{Grant, GrantScope, MAX_SUBJECT, PrincipalKind};

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
    let development = Development::open(&common.data_dir)?;
    check(&development, &args.subject, kind, &grants)?;
    let token = development.mint(&args.subject, kind, &grants, args.ttl)?;
    if development.overrides(&args.subject) {
        output::warn(&format!(
            "{} of the data directory names {:?}: its kind and grants hold, and not those given here",
            Development::PRINCIPALS,
            args.subject
        ));
    }
    match common.output {
        Output::Text | Output::Junit => output::line(&token),
        Output::Json => output::json(&serde_json::json!({
            "token": token,
            "subject": args.subject,
            "expires_in": args.ttl.as_secs(),
        })),
    }
}

/// Refuses what no service would take.
fn check(
    development: &Development,
    subject: &str,
    kind: PrincipalKind,
    grants: &[Grant],
) -> Result<(), Failure> {
    if subject.is_empty() || subject.len() > MAX_SUBJECT || subject.chars().any(char::is_control) {
        return Err(Failure::usage(format!(
            "--subject {subject:?}: expected 1 to {MAX_SUBJECT} bytes without control characters"
        )));
    }
    let roles = development.roles();
    for grant in grants {
        let wrong = |problem: String| Err(Failure::usage(format!("--grant {grant}: {problem}")));
        if !roles.contains(&grant.role.as_str()) {
            return wrong(format!(
                "there is no role {}; there are: {}",
                grant.role,
                roles.join(", ")
            ));
        }
        if grant.at == GrantScope::All && kind != PrincipalKind::Service {
            return wrong("only a service's grant may hold everywhere; name a scope".to_owned());
        }
    }
    Ok(())
}
