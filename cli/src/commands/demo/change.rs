//! The fifth step: the process owner proposes to raise a threshold, and can't approve it.
//!
//! Which policy that is follows from what is in force: the first default of a GLOBAL
//! workflow with an upper bound. In the end the change is taken back, so that the story can
//! be told again.

use contracts::policy::{
    ActivateChangeRequest, ApproveChangeRequest, BacktestChangeRequest, Change, ChangeItem,
    ChangeState, CheckChangeRequest, DecideRequest, GetWorkflowRequest, ListPoliciesRequest,
    PlanChangeRequest, Policy, ProposeChangeRequest, RegionDifference, RollBackChangeRequest,
    TestChangeRequest, WorkflowClass,
};
use contracts::types::PolicyMode;
use governance::Scope;
use service_kit::identity::PrincipalKind;

use super::{act::expect, stage::Stage, step::Step};
use crate::{connect::Session, failure::Failure};

/// Plays the change.
pub async fn change(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let (policy, (limit, raised)) = policy(stage).await?;
    let editor = player(stage, "policy.change.propose", &policy.scope, &[])?;
    let session = stage.session(&editor)?;
    let source = raise(&policy.source, &limit, &raised);
    let asked = format!("raise {limit} to {raised} in {}", policy.name);
    let items = vec![ChangeItem {
        source,
        ..ChangeItem::default()
    }];
    let region = plan(stage, &session, step, (&editor, &asked), &items).await?;
    let before = decide(stage, step, &policy.workflow, &region).await?;
    let change = propose(stage, &session, step, (&editor, asked), items).await?;
    refuse_editor(&session, step, &editor, &change).await?;
    let change = approve(stage, step, &editor, change).await?;
    let activator = activate(stage, step, &editor, &change).await?;
    let after = decide(stage, step, &policy.workflow, &region).await?;
    expect(after != before, || {
        format!("the answer should be looser than before, not {after}")
    })?;
    roll_back(stage, step, &activator, change).await
}

/// A default of a GLOBAL workflow with an upper bound: what that is, and a fifth more.
async fn policy(stage: &Stage) -> Result<(Policy, (String, String)), Failure> {
    let root = stage.unit.ancestors().last();
    let root = root.unwrap_or_else(|| stage.unit.clone()).to_string();
    let reader = player(stage, "policy.policy.read", &root, &[])?;
    let session = stage.session(&reader)?;
    let all = session
        .policies()
        .list_policies(ListPoliciesRequest {
            page_size: 1_000,
            ..ListPoliciesRequest::default()
        })
        .await?
        .into_inner();
    for policy in all.policies {
        let Some(limit) = upper_bound(&policy.source) else {
            continue;
        };
        let name = format!("workflows/{}", policy.workflow);
        let workflow = session
            .policies()
            .get_workflow(GetWorkflowRequest { name })
            .await?
            .into_inner();
        if policy.mode() == PolicyMode::Default && workflow.class() == WorkflowClass::Global {
            let raised = (limit.0 + limit.0 / 5).to_string();
            return Ok((policy, (limit.1, raised)));
        }
    }
    Err(Failure::failed(
        "no default of a GLOBAL workflow has an upper bound to raise",
    ))
}

/// The first whole number of a cell `<= N`.
fn upper_bound(source: &str) -> Option<(u64, String)> {
    let (_, after) = source.split_once("'<= ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    Some((digits.parse().ok()?, digits))
}

/// Replaces a number wherever it stands by itself.
fn raise(source: &str, limit: &str, raised: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find(is_digit) {
        let (before, number) = rest.split_at(at);
        let end = number.find(|c| !is_digit(c)).unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        result.push_str(before);
        result.push_str(if number == limit { raised } else { number });
        rest = after;
    }
    result + rest
}

/// Somebody who holds a permission at a scope, other than these.
fn player(stage: &Stage, permission: &str, at: &str, but: &[&str]) -> Result<String, Failure> {
    let scope = Scope::parse(at).map_err(|error| Failure::failed(error.to_string()))?;
    let people = &stage.development;
    let found = people.find(&|subject, listed| {
        !but.contains(&subject)
            && listed.kind == PrincipalKind::Person
            && people.allows(listed, permission, &scope)
    });
    found.ok_or_else(|| {
        Failure::usage(format!(
            "nobody among the principals holds {permission} at {at}"
        ))
    })
}

/// What the change would do where the unit is; the first region of it.
async fn plan(
    stage: &Stage,
    session: &Session,
    step: &mut Step,
    (editor, asked): (&str, &str),
    items: &[ChangeItem],
) -> Result<RegionDifference, Failure> {
    let request = PlanChangeRequest {
        items: items.to_vec(),
        complete: false,
    };
    let plan = session.changes().plan_change(request).await?.into_inner();
    let review = plan.review.unwrap_or_default();
    let said = step.say(
        editor,
        format!("what would it do to {asked}"),
        if review.loosens {
            "it loosens"
        } else {
            "it doesn't loosen"
        },
    );
    let mut here = None;
    for difference in review.differences {
        let of_unit = difference
            .scopes
            .iter()
            .any(|scope| *scope == *stage.unit.as_str());
        for region in difference.regions {
            if of_unit {
                said.because(format!(
                    "{} where {}: {} becomes {}",
                    region.change, region.region, region.before, region.after
                ));
                here = here.or(Some(region));
            }
        }
    }
    here.ok_or_else(|| Failure::failed("the change should differ somewhere in the unit"))
}

/// A case from the region that the change is about.
async fn decide(
    stage: &Stage,
    step: &mut Step,
    workflow: &str,
    region: &RegionDifference,
) -> Result<String, Failure> {
    let adapter = stage.cast.adapter.clone();
    let facts = service_kit::facts::from_json(&region.witness)
        .map_err(|error| Failure::failed(error.to_string()))?;
    let request = DecideRequest {
        workflow: workflow.to_owned(),
        scope: stage.unit.to_string(),
        correlation_id: stage.order.clone(),
        facts,
        ..DecideRequest::default()
    };
    let answer = stage.session(&adapter)?.decisions().decide(request).await?;
    let decision = answer.into_inner().decision.unwrap_or_default();
    let effect = decision
        .effect()
        .as_str_name()
        .trim_start_matches("EFFECT_");
    let approvals = super::release::missing(&decision.approvals);
    let got = match approvals.as_str() {
        "" => effect.to_owned(),
        approvals => format!("{effect} by {approvals}"),
    };
    step.say(
        &adapter,
        format!("{workflow} with {}", region.witness),
        &got,
    )
    .because(format!("revision {}", decision.revision));
    Ok(got)
}

async fn propose(
    stage: &Stage,
    session: &Session,
    step: &mut Step,
    (editor, asked): (&str, String),
    items: Vec<ChangeItem>,
) -> Result<Change, Failure> {
    let mut client = session.changes();
    let request = ProposeChangeRequest {
        title: asked.clone(),
        reason: format!("orders such as {} wait for nothing", stage.order),
        items,
        ..ProposeChangeRequest::default()
    };
    let name = client.propose_change(request).await?.into_inner().name;
    let etag = String::new();
    let check = CheckChangeRequest {
        name: name.clone(),
        etag: etag.clone(),
    };
    client.check_change(check).await?;
    let test = TestChangeRequest {
        name: name.clone(),
        etag: etag.clone(),
    };
    let tested = client.test_change(test).await?.into_inner();
    let tests = tested.tests.clone().unwrap_or_default();
    expect(tested.state() == ChangeState::Tested, || {
        format!("the policy's own tests should pass: {:?}", tests.failures)
    })?;
    let backtest = BacktestChangeRequest {
        name,
        etag,
        ..BacktestChangeRequest::default()
    };
    let mut stream = client.backtest_change(backtest).await?.into_inner();
    let mut change = tested;
    while let Some(message) = stream.message().await? {
        change = message.change.unwrap_or(change);
    }
    let found = change.backtest.clone().unwrap_or_default();
    let needed = super::release::missing(&change.missing_approvals);
    step.say(editor, asked, format!("{} waits for {needed}", change.name))
        .because(format!("{} tests of the policy pass", tests.run))
        .because(format!(
            "of {} decisions of the last 30 days, {} would have been looser",
            found.decisions, found.looser
        ));
    expect(
        change.state() == ChangeState::Backtested && found.looser > 0,
        || {
            format!(
                "the change should wait for approval, and the decision above be looser: {:?}, {} looser",
                change.state(),
                found.looser
            )
        },
    )?;
    Ok(change)
}

/// Who wrote it can't approve it.
async fn refuse_editor(
    session: &Session,
    step: &mut Step,
    editor: &str,
    change: &Change,
) -> Result<(), Failure> {
    let refused = session.changes().approve_change(approval(change)).await;
    let Err(status) = refused else {
        return Err(Failure::failed(
            "the proposer should not be able to approve",
        ));
    };
    let failure = Failure::from(status);
    step.say(editor, format!("approve {}", change.name), "REFUSED")
        .because(failure.message.clone());
    expect(failure.message.contains("SOD_EDITOR"), || failure.message)
}

fn approval(change: &Change) -> ApproveChangeRequest {
    ApproveChangeRequest {
        name: change.name.clone(),
        digest: change.digest.clone(),
        ..ApproveChangeRequest::default()
    }
}

/// Everybody who must, approves.
async fn approve(
    stage: &Stage,
    step: &mut Step,
    editor: &str,
    mut change: Change,
) -> Result<Change, Failure> {
    let mut took_part = vec![editor.to_owned()];
    while let Some(needed) = change.missing_approvals.first().cloned() {
        let but: Vec<_> = took_part.iter().map(String::as_str).collect();
        let approver = stage.development.holder(&needed.role, &needed.at, &but);
        let approver = approver.ok_or_else(|| {
            let message = format!(
                "no principal can approve as {} at {}",
                needed.role, needed.at
            );
            Failure::usage(message)
        })?;
        let session = stage.session(&approver)?;
        change = session
            .changes()
            .approve_change(approval(&change))
            .await?
            .into_inner();
        step.say(
            &approver,
            format!("approve {}", change.name),
            state(&change),
        )
        .because(format!(
            "as {} at {}, of digest {}",
            needed.role, needed.at, change.digest
        ));
        took_part.push(approver);
    }
    Ok(change)
}

fn state(change: &Change) -> &'static str {
    let name = change.state().as_str_name();
    name.trim_start_matches("CHANGE_STATE_")
}

async fn activate(
    stage: &Stage,
    step: &mut Step,
    editor: &str,
    change: &Change,
) -> Result<String, Failure> {
    let approvers = change
        .approvals
        .iter()
        .filter_map(|given| given.approver.as_ref());
    let mut but = vec![editor];
    but.extend(approvers.map(|who| who.subject.as_str()));
    let at = change.scopes.first().map_or("", String::as_str);
    let activator = player(stage, "policy.change.activate", at, &but)?;
    let request = ActivateChangeRequest {
        name: change.name.clone(),
        etag: String::new(),
    };
    let session = stage.session(&activator)?;
    let active = session
        .changes()
        .activate_change(request)
        .await?
        .into_inner();
    step.say(
        &activator,
        format!("activate {}", active.name),
        state(&active),
    )
    .because(format!("revision {} is in force", active.revision));
    expect(active.state() == ChangeState::Active, || {
        format!("the change should be in force, not {}", state(&active))
    })?;
    Ok(activator)
}

async fn roll_back(
    stage: &Stage,
    step: &mut Step,
    activator: &str,
    change: Change,
) -> Result<(), Failure> {
    let request = RollBackChangeRequest {
        name: change.name,
        etag: String::new(),
        reason: "the story is told".to_owned(),
    };
    let session = stage.session(activator)?;
    let back = session
        .changes()
        .roll_back_change(request)
        .await?
        .into_inner();
    step.say(activator, format!("take back {}", back.name), state(&back))
        .because("that tightens, so that one person may do it at once");
    expect(back.state() == ChangeState::RolledBack, || {
        format!("the change should be taken back, not {}", state(&back))
    })
}
