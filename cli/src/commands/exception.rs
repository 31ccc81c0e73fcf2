//! `bylaw exception`.

use contracts::exceptions::{
    Action, ActionState, ApproveActionRequest, ClaimExceptionRequest, Exception, ExceptionState,
    GetAgeingReportRequest, GetExceptionRequest, ListActionsRequest, ListExceptionsRequest,
    RejectActionRequest, RequestActionRequest, ResolveExceptionRequest,
};

use super::{decide, input};
use crate::{
    args::{Common, ExceptionCommand, ExceptionList, Output},
    connect::{Session, Wants},
    failure::Failure,
    output,
};

const COLLECTION: &str = "exceptions";

pub async fn run(common: &Common, command: ExceptionCommand) -> Result<(), Failure> {
    let session = Session::open(common, Wants::permission(permission(&command))).await?;
    let mut client = session.exceptions();
    match command {
        ExceptionCommand::List(args) => list(common, &session, args).await,
        ExceptionCommand::Show { name } => {
            let name = input::name(COLLECTION, &name);
            let found = client
                .get_exception(GetExceptionRequest { name: name.clone() })
                .await?;
            let actions = all_actions(&session, &name).await?;
            show(common, &found.into_inner(), &actions)
        }
        ExceptionCommand::Claim { name } => {
            let name = input::name(COLLECTION, &name);
            let request = ClaimExceptionRequest {
                name,
                etag: String::new(),
            };
            changed(common, &client.claim_exception(request).await?.into_inner())
        }
        ExceptionCommand::Resolve {
            name,
            resolution,
            root_cause,
            comment,
        } => {
            let request = ResolveExceptionRequest {
                name: input::name(COLLECTION, &name),
                etag: String::new(),
                resolution_code: resolution,
                root_cause_code: root_cause,
                comment,
            };
            changed(
                common,
                &client.resolve_exception(request).await?.into_inner(),
            )
        }
        ExceptionCommand::Action {
            name,
            operation,
            arguments,
        } => {
            let request = RequestActionRequest {
                parent: input::name(COLLECTION, &name),
                operation,
                arguments: input::facts("--arguments", &arguments)?,
                request_id: uuid::Uuid::now_v7().to_string(),
                ..RequestActionRequest::default()
            };
            acted(common, &client.request_action(request).await?.into_inner())
        }
        ExceptionCommand::Approve { name, comment } => {
            let request = ApproveActionRequest {
                name: input::name(COLLECTION, &name),
                comment,
                ..ApproveActionRequest::default()
            };
            acted(common, &client.approve_action(request).await?.into_inner())
        }
        ExceptionCommand::Reject { name, reason } => {
            let name = input::name(COLLECTION, &name);
            let request = RejectActionRequest {
                name,
                etag: String::new(),
                reason,
            };
            acted(common, &client.reject_action(request).await?.into_inner())
        }
        ExceptionCommand::Report { scope } => {
            let report = client
                .get_ageing_report(GetAgeingReportRequest { scope })
                .await?;
            ageing(common, &report.into_inner())
        }
    }
}

const fn permission(command: &ExceptionCommand) -> &'static str {
    match command {
        ExceptionCommand::List(_) | ExceptionCommand::Show { .. } => "exceptions.exception.read",
        ExceptionCommand::Claim { .. } | ExceptionCommand::Resolve { .. } => {
            "exceptions.exception.work"
        }
        ExceptionCommand::Action { .. } => "exceptions.action.request",
        ExceptionCommand::Approve { .. } | ExceptionCommand::Reject { .. } => {
            "exceptions.action.approve"
        }
        ExceptionCommand::Report { .. } => "exceptions.report.read",
    }
}

async fn list(common: &Common, session: &Session, args: ExceptionList) -> Result<(), Failure> {
    let states = if args.all {
        (1..=8).collect()
    } else {
        Vec::new()
    };
    let mut found: Vec<Exception> = Vec::new();
    let mut page_token = String::new();
    let total = loop {
        let request = ListExceptionsRequest {
            page_size: i32::try_from((args.limit - found.len()).min(1_000)).unwrap_or(1_000),
            page_token,
            scope: args.scope.clone(),
            r#type: args.kind.clone(),
            states: states.clone(),
            queue: args.queue.clone(),
            correlation_id: args.correlation_id.clone(),
        };
        let page = session
            .exceptions()
            .list_exceptions(request)
            .await?
            .into_inner();
        found.extend(page.exceptions);
        page_token = page.next_page_token;
        if page_token.is_empty() || found.len() >= args.limit {
            break page.total_size;
        }
    };
    match common.output {
        Output::Json => {
            let views: Vec<_> = found
                .iter()
                .map(output::View::of)
                .collect::<Result<_, _>>()?;
            output::json(&Listed {
                exceptions: views,
                total_size: total,
            })
        }
        Output::Text | Output::Junit => {
            output::table(
                [
                    "exception",
                    "type",
                    "unit",
                    "document",
                    "severity",
                    "queue",
                    "state",
                    "raised",
                    "resolve by",
                ],
                found.iter().map(|e| {
                    [
                        output::id(&e.name).to_owned(),
                        e.r#type.clone(),
                        e.scope.clone(),
                        document(e),
                        e.severity.clone(),
                        e.queue.clone(),
                        state(e),
                        output::time(e.create_time.as_ref()),
                        output::time(e.resolution_by.as_ref()),
                    ]
                }),
            )?;
            output::line(&format!(
                "{} of {}",
                found.len(),
                output::count(total, "exception")
            ))
        }
    }
}

#[derive(serde::Serialize)]
struct Listed {
    exceptions: Vec<output::View>,
    total_size: i64,
}

fn document(exception: &Exception) -> String {
    let line = if exception.line.is_empty() {
        String::new()
    } else {
        format!("#{}", exception.line)
    };
    format!(
        "{}/{}{line}",
        exception.document_type, exception.document_id
    )
}

fn state(exception: &Exception) -> String {
    let name = exception
        .state()
        .as_str_name()
        .trim_start_matches("EXCEPTION_STATE_");
    if exception.breached {
        format!("{name} (late)")
    } else {
        name.to_owned()
    }
}

async fn all_actions(session: &Session, parent: &str) -> Result<Vec<Action>, Failure> {
    let request = ListActionsRequest {
        parent: parent.to_owned(),
        page_size: 1_000,
        page_token: String::new(),
    };
    Ok(session
        .exceptions()
        .list_actions(request)
        .await?
        .into_inner()
        .actions)
}

fn show(common: &Common, exception: &Exception, actions: &[Action]) -> Result<(), Failure> {
    if common.output == Output::Json {
        #[derive(serde::Serialize)]
        struct Shown {
            exception: output::View,
            actions: Vec<output::View>,
        }
        return output::json(&Shown {
            exception: output::View::of(exception)?,
            actions: actions
                .iter()
                .map(output::View::of)
                .collect::<Result<_, _>>()?,
        });
    }
    let e = exception;
    let fields = [
        ("exception", e.name.clone()),
        ("type", e.r#type.clone()),
        ("unit", e.scope.clone()),
        ("document", document(e)),
        ("held by", e.hold_source.clone()),
        ("state", state(e)),
        ("severity", e.severity.clone()),
        ("queue", e.queue.clone()),
        ("owner", e.owner.clone()),
        ("first action", e.first_action.clone()),
        ("raised", output::time(e.create_time.as_ref())),
        ("respond by", output::time(e.response_by.as_ref())),
        ("resolve by", output::time(e.resolution_by.as_ref())),
        ("resolved", output::time(e.resolve_time.as_ref())),
        ("resolution", e.resolution_code.clone()),
        ("correlation id", e.correlation_id.clone()),
    ];
    for (label, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        output::line(&format!("{label:<15} {value}"))?;
    }
    output::line(&format!("\n{}:", output::count(e.evidence_count, "event")))?;
    output::table(
        ["when", "type", "source", "id", "by"],
        e.evidence.iter().map(|v| {
            [
                output::time(v.occur_time.as_ref()),
                v.r#type.clone(),
                v.source.clone(),
                v.event_id.clone(),
                v.asserted_by.clone(),
            ]
        }),
    )?;
    for action in actions {
        output::line("")?;
        acted(common, action)?;
    }
    Ok(())
}

fn changed(common: &Common, exception: &Exception) -> Result<(), Failure> {
    match common.output {
        Output::Json => output::message(exception),
        Output::Text | Output::Junit => {
            let owner = if exception.state() == ExceptionState::Assigned {
                format!(", owner {}", exception.owner)
            } else {
                String::new()
            };
            output::line(&format!(
                "{} is {}{owner}",
                exception.name,
                state(exception)
            ))
        }
    }
}

/// An action for people: what was asked, what it waits for, what came of it.
pub fn acted(common: &Common, action: &Action) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::message(action);
    }
    let state = action
        .state()
        .as_str_name()
        .trim_start_matches("ACTION_STATE_");
    output::line(&format!("{} {}: {state}", action.name, action.operation))?;
    if let Some(requester) = &action.requester {
        output::line(&format!("  asked for by {}", requester.subject))?;
    }
    for approval in &action.approvals {
        let who = approval
            .approver
            .as_ref()
            .map_or("", |p| p.subject.as_str());
        output::line(&format!(
            "  approved by  {who} {}",
            output::time(approval.approve_time.as_ref())
        ))?;
    }
    for missing in &action.missing_approvals {
        output::line(&format!(
            "  waits for    {} × {} at {}",
            missing.count, missing.role, missing.at
        ))?;
    }
    if !action.missing_facts.is_empty() {
        let facts = action.missing_facts.join(", ");
        output::line(&format!("  waits for    facts: {facts}"))?;
    }
    if !action.reason.is_empty() {
        output::line(&format!("  because      {}", action.reason))?;
    }
    if let Some(receipt) = &action.receipt {
        let until = output::time(receipt.expire_time.as_ref());
        output::line(&format!(
            "  receipt      {} for {}, until {until}",
            receipt.id, receipt.audience
        ))?;
    }
    if action.state() == ActionState::Denied
        && let Some(decision) = &action.decision
    {
        decide::text(decision)?;
    }
    Ok(())
}

fn ageing(common: &Common, report: &contracts::exceptions::AgeingReport) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::message(report);
    }
    output::line(&format!(
        "open exceptions at {}",
        output::time(report.report_time.as_ref())
    ))?;
    let mut bands: Vec<String> = report
        .band_seconds
        .iter()
        .map(|s| format!("≤ {}", span(*s)))
        .collect();
    bands.push(
        report
            .band_seconds
            .last()
            .map_or_else(String::new, |s| format!("> {}", span(*s))),
    );
    let heading = format!("by age ({})", bands.join(", "));
    output::table(
        ["unit", "type", heading.as_str(), "total", "late", "oldest"],
        report.rows.iter().map(|row| {
            let counts: Vec<_> = row.counts.iter().map(|c| format!("{c:>5}")).collect();
            [
                row.scope.clone(),
                row.r#type.clone(),
                counts.join(" "),
                row.total.to_string(),
                row.breached.to_string(),
                output::time(row.oldest_time.as_ref()),
            ]
        }),
    )?;
    let total: i64 = report.rows.iter().map(|row| row.total).sum();
    let late: i64 = report.rows.iter().map(|row| row.breached).sum();
    output::line(&format!(
        "{} open, {late} late",
        output::count(total, "exception")
    ))
}

/// A number of seconds in its largest whole unit.
fn span(seconds: i64) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}
