//! The steps of the story.

use contracts::{
    aigate::{
        AcceptRecommendationRequest, Autonomy, GateVerdict, ListModelVersionsRequest,
        ListRecommendationsRequest, RecommendationState, SubmitRecommendationRequest,
    },
    exceptions::{
        ActionState, ApproveActionRequest, EventEffect, ExceptionState, GetActionRequest,
        GetExceptionRequest, IngestEventRequest, IngestOutcome,
    },
    masterdata::{
        Address, Contact, Customer, Item, Licence, RecordInput, TaxIdentifier,
        ValidateRecordRequest, record_input::Record,
    },
    types::{ApprovalRequirement, CloudEvent, Decimal, Money},
};

use super::{
    stage::{Stage, until},
    step::Step,
};
use crate::{
    commands::{audit, review},
    failure::Failure,
    output,
};

/// The story, in order. Step numbers are those of the product's story; the fifth, a change
/// of policy, is told by policy administration.
pub const STORY: [Act; 5] = [
    Act::Hold,
    Act::Validate,
    Act::Recommend,
    Act::Release,
    Act::Audit,
];

/// A step of the story.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// An order exceeds its credit limit.
    Hold,
    /// Customer and item are validated.
    Validate,
    /// An AI agent recommends a partial release.
    Recommend,
    /// A reviewer accepts, approvers approve, the ERP releases.
    Release,
    /// An auditor verifies the lineage.
    Audit,
}

impl Act {
    /// Plays the step.
    pub async fn play(self, stage: &mut Stage) -> Step {
        let title = match self {
            Self::Hold => format!(
                "1. Order {} of {} exceeds its credit limit",
                stage.order, stage.unit
            ),
            Self::Validate => {
                "2. Customer and item are validated against the unit's rules".to_owned()
            }
            Self::Recommend => "3. An AI agent recommends a partial release".to_owned(),
            Self::Release => "4. A person accepts, approvers approve, the ERP releases".to_owned(),
            Self::Audit => "6. An auditor verifies what was recorded, offline".to_owned(),
        };
        let mut step = Step::new(title);
        let outcome = match self {
            Self::Hold => hold(stage, &mut step).await,
            Self::Validate => validate(stage, &mut step).await,
            Self::Recommend => recommend(stage, &mut step).await,
            Self::Release => release(stage, &mut step).await,
            Self::Audit => verify(stage, &mut step).await,
        };
        step.wrong = outcome.err().map(|failure| failure.message);
        step
    }
}

/// Fails the step unless what came out is what should have.
fn expect(holds: bool, wanted: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::failed(wanted()))
    }
}

fn event(stage: &Stage, kind: &str, data: &str) -> CloudEvent {
    CloudEvent {
        id: format!("{kind}-{}", stage.order),
        source: "/examples/erp".to_owned(),
        r#type: format!("com.example.erp.{kind}"),
        subject: format!("orders/{}", stage.order),
        time: Some(contracts::time::timestamp(chrono::Utc::now())),
        scope: stage.unit.to_string(),
        correlation_id: stage.order.clone(),
        data: data.to_owned().into(),
        ..CloudEvent::default()
    }
}

/// What the ERP says of the order: above its limit, of a regulated item.
const ORDER: &str = r#"{"order":{"total":"18450.00 EUR","margin_pct":31.5},"customer":{"id":"C-1017","days_overdue":12,"licence_valid":true,"commitment_met":true},"item":{"id":"I-2044","regulated":true,"export_controlled":false},"inventory":{"reserved":true}}"#;

async fn hold(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let adapter = stage.cast.adapter.clone();
    let session = stage.session(&adapter)?;
    let sent = event(stage, "credit-limit-exceeded", ORDER);
    let asked = format!("take in the event {} of {}", sent.r#type, sent.subject);
    let result = session
        .events()
        .ingest_event(IngestEventRequest { event: Some(sent) })
        .await?
        .into_inner();
    step.say(
        &adapter,
        asked,
        format!("{} {}", result.exception_type, result.exception),
    );
    expect(
        result.outcome() == IngestOutcome::Accepted && result.effect() == EventEffect::Raised,
        || {
            format!(
                "an exception should have been raised, not: {} {}",
                result.outcome().as_str_name(),
                result.dead_letter_reason
            )
        },
    )?;
    stage.exception = result.exception;
    let watcher = stage.cast.reviewer.clone();
    let request = GetExceptionRequest {
        name: stage.exception.clone(),
    };
    let exception = stage
        .session(&watcher)?
        .exceptions()
        .get_exception(request)
        .await?
        .into_inner();
    step.say(
        &watcher,
        "where it went",
        format!(
            "queue {}, severity {}, first action {}",
            exception.queue, exception.severity, exception.first_action
        ),
    )
    .because(format!("the routing table of {} says so", exception.scope))
    .because(format!(
        "its clock runs in the unit's business hours: respond by {}, resolve by {}",
        output::time(exception.response_by.as_ref()),
        output::time(exception.resolution_by.as_ref())
    ));
    expect(exception.scope == stage.unit.as_str(), || {
        format!("it should be of {}", stage.unit)
    })?;
    expect(
        exception.resolution_by.is_some() && !exception.queue.is_empty(),
        || "it should have a queue and a deadline".to_owned(),
    )
}

async fn validate(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let adapter = stage.cast.adapter.clone();
    for (what, record) in [
        ("customer C-1017", Record::Customer(customer())),
        ("item I-2044", Record::Item(item())),
    ] {
        let request = ValidateRecordRequest {
            scope: stage.unit.to_string(),
            record: Some(RecordInput {
                record: Some(record),
            }),
            correlation_id: stage.order.clone(),
        };
        let validation = stage
            .session(&adapter)?
            .masterdata()
            .validate_record(request)
            .await?
            .into_inner();
        let said = step.say(
            &adapter,
            format!("is {what} fit for use"),
            if validation.valid { "fit" } else { "NOT fit" },
        );
        said.because(format!("rules: {}", validation.rule_sets.join(", ")));
        for violation in &validation.violations {
            said.because(format!(
                "{}: {} ({})",
                violation.field, violation.message, violation.rule
            ));
        }
        expect(validation.valid, || format!("{what} should be fit for use"))?;
    }
    Ok(())
}

fn customer() -> Customer {
    Customer {
        id: "C-1017".to_owned(),
        name: "Clinique du Lac SA".to_owned(),
        addresses: vec![Address {
            kind: "BILLING".to_owned(),
            lines: vec!["12 quai des Bateliers".to_owned()],
            city: "Strasbourg".to_owned(),
            postal_code: "67000".to_owned(),
            country_code: "FR".to_owned(),
            ..Address::default()
        }],
        contacts: vec![Contact {
            name: "Purchasing".to_owned(),
            phone: "+33388000000".to_owned(),
            email: "purchasing@clinique.example".to_owned(),
            ..Contact::default()
        }],
        tax_identifiers: vec![TaxIdentifier {
            scheme: "EU_VAT".to_owned(),
            value: "FR40303265045".to_owned(),
        }],
        currency_code: "EUR".to_owned(),
        credit_limit: money("15000.00"),
        payment_terms: "N30".to_owned(),
        licences: vec![Licence {
            kind: "REGULATED_GOODS".to_owned(),
            number: "FR-PH-2291".to_owned(),
            valid_until: "2099-12-31".to_owned(),
        }],
        language_code: "fr".to_owned(),
        ..Customer::default()
    }
}

fn item() -> Item {
    Item {
        id: "I-2044".to_owned(),
        name: "Infusion set, sterile".to_owned(),
        gtin: "4006381333931".to_owned(),
        base_unit: "EA".to_owned(),
        list_price: money("461.25"),
        regulated: Some(true),
        lot_tracked: Some(true),
        licence_number: "MD-0478".to_owned(),
        origin_country: "DE".to_owned(),
        hs_code: "901839".to_owned(),
        export_controlled: Some(false),
        discontinued: Some(false),
        ..Item::default()
    }
}

fn money(amount: &str) -> Option<Money> {
    Some(Money {
        amount: Some(Decimal {
            value: amount.to_owned(),
        }),
        currency_code: "EUR".to_owned(),
    })
}

async fn recommend(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let agent = stage.cast.agent.clone();
    let (model_version, use_case) = model(stage, &agent).await?;
    let request = SubmitRecommendationRequest {
        scope: stage.unit.to_string(),
        model_version: model_version.clone(),
        use_case: use_case.clone(),
        exception: stage.exception.clone(),
        operation: "release_partial".to_owned(),
        arguments: Stage::arguments()?,
        confidence: Some(Decimal {
            value: "0.81".to_owned(),
        }),
        rationale: "40 of 120 pieces are in Basel and reserved; the rest follows on Thursday"
            .to_owned(),
        input_digest: format!("sha256:{}", "0".repeat(64)),
        request_id: uuid::Uuid::now_v7().to_string(),
        ..SubmitRecommendationRequest::default()
    };
    let gated = stage
        .session(&agent)?
        .aigate()
        .submit_recommendation(request)
        .await?
        .into_inner();
    let verdict = gated
        .result
        .as_ref()
        .map_or(GateVerdict::Unspecified, |result| result.verdict());
    let said = step.say(
        &agent,
        format!(
            "may I release a part from Basel (confidence 0.81, {use_case}, {})",
            output::id(&model_version)
        ),
        format!(
            "{}: a person must look",
            verdict.as_str_name().trim_start_matches("GATE_VERDICT_")
        ),
    );
    for reason in review::reasons(&gated) {
        said.because(reason);
    }
    stage.recommendation = gated.name.clone();
    expect(
        verdict == GateVerdict::Review && gated.state() == RecommendationState::InReview,
        || {
            format!(
                "a person should have to look, not: {}",
                gated.state().as_str_name()
            )
        },
    )
}

/// The model version that the agent speaks for, and the use case a person reviews.
async fn model(stage: &Stage, agent: &str) -> Result<(String, String), Failure> {
    let request = ListModelVersionsRequest {
        page_size: 1_000,
        page_token: String::new(),
    };
    let reviewer = stage.session(&stage.cast.reviewer)?;
    let versions = reviewer
        .aigate()
        .list_model_versions(request)
        .await?
        .into_inner()
        .model_versions;
    versions
        .into_iter()
        .filter(|version| {
            version.released && version.subjects.iter().any(|subject| subject == agent)
        })
        .find_map(|version| {
            let acting = version
                .autonomy
                .iter()
                .find(|a| a.use_case == "alternate_fulfilment" && a.autonomy() != Autonomy::Off)?;
            Some((version.name.clone(), acting.use_case.clone()))
        })
        .ok_or_else(|| Failure::failed(format!("no released model version speaks through {agent}")))
}

async fn release(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    accept(stage, step).await?;
    refuse_requester(stage, step).await?;
    while stage.action.state() == ActionState::PendingApproval {
        approve(stage, step).await?;
    }
    expect(stage.action.state() == ActionState::Authorized, || {
        format!(
            "the release should be authorized, not: {}",
            stage.action.state().as_str_name()
        )
    })?;
    execute(stage, step).await
}

async fn accept(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let reviewer = stage.cast.reviewer.clone();
    let session = stage.session(&reviewer)?;
    let request = ListRecommendationsRequest {
        state: RecommendationState::InReview.into(),
        correlation_id: stage.order.clone(),
        ..ListRecommendationsRequest::default()
    };
    let queue = session
        .aigate()
        .list_recommendations(request)
        .await?
        .into_inner()
        .recommendations;
    expect(queue.iter().any(|r| r.name == stage.recommendation), || {
        "the recommendation should be in the reviewer's queue".to_owned()
    })?;
    let request = AcceptRecommendationRequest {
        name: stage.recommendation.clone(),
        etag: String::new(),
        comment: "the customer takes a part".to_owned(),
    };
    let accepted = session
        .aigate()
        .accept_recommendation(request)
        .await?
        .into_inner();
    let request = GetActionRequest {
        name: accepted.action.clone(),
    };
    stage.action = session.exceptions().get_action(request).await?.into_inner();
    let said = step.say(
        &reviewer,
        format!("accept {}", stage.recommendation),
        format!(
            "action {} waits for {}",
            output::id(&stage.action.name),
            missing(&stage.action.missing_approvals)
        ),
    );
    said.because("who accepts a recommendation becomes the requester of its action");
    for layer in stage
        .action
        .decision
        .iter()
        .flat_map(|decision| &decision.layers)
    {
        if !layer.rows.is_empty() {
            said.because(format!(
                "{} v{}: row {}",
                layer.policy,
                layer.version,
                layer.rows.join(", ")
            ));
        }
    }
    expect(stage.action.state() == ActionState::PendingApproval, || {
        format!(
            "the release should need an approval, not: {}",
            stage.action.state().as_str_name()
        )
    })
}

fn missing(requirements: &[ApprovalRequirement]) -> String {
    let each: Vec<_> = requirements
        .iter()
        .map(|r| format!("{} × {} at {}", r.count, r.role, r.at))
        .collect();
    each.join(" and ")
}

/// The reviewer is the requester now, and so can't approve.
async fn refuse_requester(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let reviewer = stage.cast.reviewer.clone();
    let request = ApproveActionRequest {
        name: stage.action.name.clone(),
        ..ApproveActionRequest::default()
    };
    match stage
        .session(&reviewer)?
        .exceptions()
        .approve_action(request)
        .await
    {
        Ok(_) => Err(Failure::failed(
            "the requester should not be able to approve",
        )),
        Err(status) if status.code() == tonic::Code::PermissionDenied => {
            step.say(&reviewer, "approve it too", "REFUSED")
                .because(Failure::from(status).message);
            Ok(())
        }
        Err(status) => Err(status.into()),
    }
}

async fn approve(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let wanted = stage
        .action
        .missing_approvals
        .first()
        .cloned()
        .ok_or_else(|| Failure::failed("the action waits for an approval, but says of nobody"))?;
    let given: Vec<&str> = stage
        .action
        .approvals
        .iter()
        .filter_map(|approval| approval.approver.as_ref())
        .map(|approver| approver.subject.as_str())
        .collect();
    let approver = stage
        .development
        .holder(&wanted.role, &wanted.at, &given)
        .ok_or_else(|| {
            Failure::usage(format!(
                "nobody among the principals is {} at {}",
                wanted.role, wanted.at
            ))
        })?;
    let request = ApproveActionRequest {
        name: stage.action.name.clone(),
        comment: "within the customer's plan".to_owned(),
        ..ApproveActionRequest::default()
    };
    stage.action = stage
        .session(&approver)?
        .exceptions()
        .approve_action(request)
        .await?
        .into_inner();
    let got = match &stage.action.receipt {
        Some(receipt) => format!("authorized, receipt {}", receipt.id),
        None => format!(
            "still waits for {}",
            missing(&stage.action.missing_approvals)
        ),
    };
    let said = step.say(
        &approver,
        format!("approve {}", output::id(&stage.action.name)),
        got,
    );
    said.because(format!(
        "holds {} at {} and didn't request it",
        wanted.role, wanted.at
    ));
    if stage.action.receipt.is_some() {
        said.because("at the quorum the policy in force was asked again, and signed");
    }
    Ok(())
}

/// The adapter fetches the receipt, checks it with the published key, and releases.
async fn execute(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let adapter = stage.cast.adapter.clone();
    let session = stage.session(&adapter)?;
    let request = GetActionRequest {
        name: stage.action.name.clone(),
    };
    let action = session.exceptions().get_action(request).await?.into_inner();
    let receipt = action
        .receipt
        .ok_or_else(|| Failure::failed("the action should carry its receipt"))?;
    let url = format!("http://{}/.well-known/jwks.json", stage.http_addr);
    let jwks: policy::receipt::Jwks = serde_json::from_str(&published(&url).await?)
        .map_err(|error| Failure::failed(format!("{url}: {error}")))?;
    let claims =
        policy::receipt::verify(&receipt.jws, &jwks, &receipt.audience, chrono::Utc::now())
            .map_err(|error| Failure::failed(format!("the receipt should verify: {error}")))?;
    step.say(
        &adapter,
        format!(
            "may {} do {} on {}",
            receipt.audience, claims.operation, claims.document
        ),
        "yes: the receipt's signature, audience and time are good",
    )
    .because(format!(
        "checked with the key published at {url}, without calling back"
    ));
    expect(claims.document == format!("order/{}", stage.order), || {
        format!(
            "the receipt should be for order/{}, not {}",
            stage.order, claims.document
        )
    })?;

    let released = event(
        stage,
        "order-released",
        &format!(r#"{{"receipt":"{}"}}"#, receipt.id),
    );
    let result = session
        .events()
        .ingest_event(IngestEventRequest {
            event: Some(released),
        })
        .await?
        .into_inner();
    expect(result.effect() == EventEffect::Resolved, || {
        "the release should resolve the hold".to_owned()
    })?;
    let request = GetExceptionRequest {
        name: stage.exception.clone(),
    };
    let exception = session
        .exceptions()
        .get_exception(request)
        .await?
        .into_inner();
    let state = exception.state();
    step.say(
        &adapter,
        "take in that the order is released",
        format!(
            "{} is {}",
            stage.exception,
            state.as_str_name().trim_start_matches("EXCEPTION_STATE_")
        ),
    );
    expect(state == ExceptionState::Resolved, || {
        "the hold should be resolved".to_owned()
    })
}

/// Largest key set that is read.
const MAX_KEYS: usize = 64 * 1024;

async fn published(url: &str) -> Result<String, Failure> {
    let wrong =
        |problem: String| Failure::failed(format!("the published keys can't be read: {problem}"));
    let body = service_kit::identity::Fetch::new(url, None)
        .map_err(wrong)?
        .get(MAX_KEYS)
        .await
        .map_err(wrong)?;
    String::from_utf8(body).map_err(|error| wrong(error.to_string()))
}

async fn verify(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let auditor = stage.cast.auditor.clone();
    let session = stage.session(&auditor)?;
    // Records follow through the outboxes: all five services have something to tell.
    let lineage = until("the record of the whole story", || async {
        let lineage = audit::read_lineage(&session, &stage.order, 0).await?;
        let told = |action: &str| lineage.records.iter().any(|r| r.action == action);
        let mut producers: Vec<_> = lineage
            .records
            .iter()
            .map(|r| r.producer.as_str())
            .collect();
        producers.sort_unstable();
        producers.dedup();
        let whole = told("exceptions.exception.resolve")
            && told("aigate.recommendation.record-outcome")
            && producers.len() >= 4;
        Ok(whole.then_some(lineage))
    })
    .await?;
    let size = lineage
        .checkpoint
        .as_ref()
        .map_or(0, |checkpoint| checkpoint.tree_size);
    let said = step.say(
        &auditor,
        format!("everything recorded of {}", stage.order),
        format!(
            "{} records, {} in a log of {size}",
            lineage.records.len(),
            traces(&lineage.trace_ids)
        ),
    );
    for record in &lineage.records {
        let who = record
            .actor
            .as_ref()
            .map_or("", |actor| actor.subject.as_str());
        said.because(format!(
            "#{} {}: {} by {who}",
            record.index, record.producer, record.action
        ));
    }
    let key_file = stage.data_dir().join("audit-log.pub");
    let key = std::fs::read_to_string(&key_file)
        .map_err(|error| Failure::usage(format!("{}: {error}", key_file.display())))?;
    let lines = lineage.lines.concat();
    let report = ::audit::verify::verify(lines.as_slice(), key.trim(), None, &mut |_| ())
        .map_err(|problem| Failure::failed(format!("the lineage should verify: {problem}")))?;
    step.say(
        &auditor,
        "does it verify, without any service",
        report.to_string(),
    );
    expect(
        lineage.trace_ids.iter().filter(|id| !id.is_empty()).count() == 1,
        || {
            format!(
                "the story should be one trace, not: {}",
                lineage.trace_ids.join(", ")
            )
        },
    )
}

fn traces(ids: &[String]) -> String {
    match ids {
        [one] => format!("one trace {one}"),
        many => format!("{} traces", many.len()),
    }
}
