//! Changes from proposal to force, and everything that must not get there.

use contracts::policy::{
    ActivateChangeRequest, ApproveChangeRequest, BacktestChangeRequest, Change, ChangeItem,
    ChangeState, CheckChangeRequest, GetChangeRequest, GetCouncilReportRequest, GetRevisionRequest,
    ListChangesRequest, PlanChangeRequest, ProposeChangeRequest, RejectChangeRequest,
    RollBackChangeRequest, ScheduleChangeRequest, TestChangeRequest, UpdateChangeRequest,
    WithdrawChangeRequest, change_service_client::ChangeServiceClient,
    report_service_client::ReportServiceClient,
};
use contracts::types::Effect;
use std::time::Duration;

use testkit::{eventually, identity::Calls};
use tonic::{Code, Status};

use crate::fixture::{ENTERPRISE, Fixture, GUARDRAIL, MEDICAL, TOOLS, fields, question, refusal};

/// How long what follows by itself may take.
const PATIENCE: Duration = Duration::from_secs(20);

type Client = ChangeServiceClient<Calls>;

/// People of change control.
pub struct People {
    pub editor: Client,
    pub council: Client,
    pub activator: Client,
}

impl People {
    pub fn of(fixture: &Fixture) -> Self {
        Self {
            editor: client(fixture, "owner", "policy-editor@corp"),
            council: client(fixture, "council", "council@corp"),
            activator: client(fixture, "platform", "activator@corp"),
        }
    }
}

pub fn client(fixture: &Fixture, name: &str, grant: &str) -> Client {
    ChangeServiceClient::new(fixture.harness.person(name, &[grant]))
}

/// The enterprise's policy with another threshold.
pub fn threshold(limit: &str) -> String {
    ENTERPRISE.replace("1000'", &format!("{limit}'"))
}

pub fn put(source: &str) -> ChangeItem {
    ChangeItem {
        source: source.into(),
        ..ChangeItem::default()
    }
}

pub fn proposal(source: &str) -> ProposeChangeRequest {
    ProposeChangeRequest {
        title: "another threshold".into(),
        reason: "small orders wait too long".into(),
        items: vec![put(source)],
        ..ProposeChangeRequest::default()
    }
}

pub async fn backtested(client: &mut Client, change: &Change) -> Result<Change, Status> {
    let request = BacktestChangeRequest {
        name: change.name.clone(),
        ..BacktestChangeRequest::default()
    };
    let mut stream = client.backtest_change(request).await?.into_inner();
    let mut last = None;
    while let Some(message) = stream.message().await? {
        last = message.change;
    }
    Ok(last.expect("the last message has the change"))
}

/// Proposed, checked, tested and backtested.
pub async fn reviewed(client: &mut Client, request: ProposeChangeRequest) -> Change {
    let change = client.propose_change(request).await.unwrap().into_inner();
    assert_eq!(change.state(), ChangeState::Draft);
    let name = change.name;
    let request = CheckChangeRequest {
        name: name.clone(),
        ..CheckChangeRequest::default()
    };
    let change = client.check_change(request).await.unwrap().into_inner();
    assert_eq!(change.state(), ChangeState::Checked, "{:?}", change.review);
    let request = TestChangeRequest {
        name,
        ..TestChangeRequest::default()
    };
    let change = client.test_change(request).await.unwrap().into_inner();
    assert_eq!(change.state(), ChangeState::Tested, "{:?}", change.tests);
    backtested(client, &change).await.unwrap()
}

pub async fn approve(client: &mut Client, change: &Change) -> Result<Change, Status> {
    let request = ApproveChangeRequest {
        name: change.name.clone(),
        digest: change.digest.clone(),
        ..ApproveChangeRequest::default()
    };
    Ok(client.approve_change(request).await?.into_inner())
}

pub async fn activate(client: &mut Client, change: &Change) -> Result<Change, Status> {
    let request = ActivateChangeRequest {
        name: change.name.clone(),
        ..ActivateChangeRequest::default()
    };
    Ok(client.activate_change(request).await?.into_inner())
}

async fn effect(fixture: &Fixture, scope: &str, total: &str) -> (Effect, i64) {
    let asked = question(scope, total, "1");
    let answer = fixture.erp().decide(asked).await.unwrap().into_inner();
    let decision = answer.decision.unwrap();
    (decision.effect(), decision.revision)
}

testkit::backends! {
    async fn a_looser_threshold_takes_the_council(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        // Decisions in full, for the backtest: an approval is required.
        for total in ["1500 EUR", "3000 EUR", "1700 EUR"] {
            assert_eq!(effect(&fixture, TOOLS, total).await, (Effect::RequireApproval, 1));
        }
        let change = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        assert_eq!(change.state(), ChangeState::Backtested);
        let review = change.review.clone().unwrap();
        assert!(review.loosens && review.problems.is_empty());
        // At the scope with a guardrail it is looser too, and shown apart.
        assert_eq!(review.differences.len(), 2);
        let region = &review.differences[0].regions[0];
        assert_eq!((region.change.as_str(), region.region.contains("]1000..2000]")), ("LOOSER", true), "{region:?}");
        let backtest = change.backtest.clone().unwrap();
        assert_eq!((backtest.decisions, backtest.looser, backtest.tighter), (3, 2, 0));
        let cell = backtest.cells.iter().find(|cell| cell.after() == Effect::Allow).unwrap();
        assert_eq!((cell.before(), cell.decisions, cell.changed), (Effect::RequireApproval, 2, 2));
        assert_eq!(backtest.samples.len(), 2);
        let needed: Vec<_> = change.missing_approvals.iter().map(|r| (&*r.role, &*r.at, r.count)).collect();
        assert_eq!(needed, [("council", "corp", 1)]);

        // Not before it is approved, and not by its editor.
        let refused = activate(&mut people.activator, &change).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "ILLEGAL_STATE".into()));
        let refused = approve(&mut people.editor, &change).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "SOD_EDITOR".into()));
        let mut same = client(&fixture, "owner", "council@corp");
        let refused = approve(&mut same, &change).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "SOD_EDITOR".into()));
        let mut peer = client(&fixture, "peer", "policy-editor@corp");
        let refused = approve(&mut peer, &change).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "NOT_AN_APPROVER".into()));
        let mut tampered = change.clone();
        tampered.digest = format!("sha256:{}", "0".repeat(64));
        let refused = approve(&mut people.council, &tampered).await.unwrap_err();
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["digest".into()]));

        let change = approve(&mut people.council, &change).await.unwrap();
        assert_eq!(change.state(), ChangeState::Approved);
        assert!(change.missing_approvals.is_empty());
        // Nor by its editor or its approver, whatever token they come with.
        for (name, reason) in [("owner", "SOD_EDITOR"), ("council", "SOD_APPROVER")] {
            let mut own = client(&fixture, name, "activator@corp");
            let refused = activate(&mut own, &change).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::PermissionDenied, reason.into()));
        }
        let change = activate(&mut people.activator, &change).await.unwrap();
        assert_eq!((change.state(), change.revision), (ChangeState::Active, 2));
        assert_eq!(effect(&fixture, TOOLS, "1500 EUR").await, (Effect::Allow, 2));
        let states: Vec<_> = change.history.iter().map(|step| step.state()).collect();
        assert_eq!(states, [
            ChangeState::Draft, ChangeState::Checked, ChangeState::Tested, ChangeState::Backtested,
            ChangeState::Approved, ChangeState::Active,
        ]);
        // Every step is in the log, with what it was before and after, and refusals too.
        let recorded = |what: &str| {
            let records = fixture.harness.log.records();
            let found = records.into_iter().filter(|record| record.r#type.ends_with(what));
            found.map(|record| record.resource).collect::<Vec<_>>()
        };
        for what in ["proposed", "checked", "tested", "backtested", "approved", "activated"] {
            let what = format!("policy.change.{what}.v1");
            eventually(PATIENCE, || async { recorded(&what) == [change.name.clone()] }).await;
        }
        eventually(PATIENCE, || async { recorded("access.refused.v1").contains(&change.name) }).await;
    }

    async fn a_tighter_one_takes_a_second_editor(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let change = reviewed(&mut people.editor, proposal(&threshold("500"))).await;
        assert!(!change.review.as_ref().unwrap().loosens);
        let needed: Vec<_> = change.required_approvals.iter().map(|r| (&*r.role, &*r.at, r.count)).collect();
        assert_eq!(needed, [("policy-editor", "corp", 1)]);
        let refused = approve(&mut people.council, &change).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "NOT_AN_APPROVER");
        let mut peer = client(&fixture, "peer", "policy-editor@corp");
        let change = approve(&mut peer, &change).await.unwrap();
        assert_eq!(change.state(), ChangeState::Approved);
        // A rollback of it would loosen: two people, and a follow-up.
        let change = activate(&mut people.activator, &change).await.unwrap();
        let back = RollBackChangeRequest {
            name: change.name.clone(),
            reason: "it stops orders".into(),
            ..RollBackChangeRequest::default()
        };
        let asked = people.activator.roll_back_change(back.clone()).await.unwrap().into_inner();
        assert_eq!(asked.state(), ChangeState::Active);
        assert_eq!(effect(&fixture, TOOLS, "700 EUR").await.0, Effect::RequireApproval);
        let refused = people.activator.roll_back_change(back.clone()).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "SOD_REQUESTER".into()));
        let mut second = client(&fixture, "deputy", "activator@corp");
        let agreed = RollBackChangeRequest { reason: "I saw it too".into(), ..back };
        let done = second.roll_back_change(agreed).await.unwrap().into_inner();
        assert_eq!(done.state(), ChangeState::RolledBack);
        // Both say why.
        let said: Vec<_> = done.history.iter().map(|step| &*step.comment).collect();
        assert!(said.ends_with(&["rollback asked for: it stops orders", "revision 3: I saw it too"]), "{said:?}");
        assert!(done.rollback.unwrap().follow_up_time.is_some());
        assert_eq!(effect(&fixture, TOOLS, "700 EUR").await, (Effect::Allow, 3));
    }

    async fn the_council_sees_how_changes_go(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let report = async |name: &str, grant: &str| {
            let mut reports = ReportServiceClient::new(fixture.harness.person(name, &[grant]));
            let request = GetCouncilReportRequest::default();
            Ok::<_, Status>(reports.get_council_report(request).await?.into_inner())
        };
        let first = in_force(&mut people, proposal(&threshold("2000"))).await;
        fixture.clock.advance(chrono::TimeDelta::days(15));
        let mut people = People::of(&fixture);
        let guardrail = GUARDRAIL.replace("keep_evidence", "keep_all_evidence");
        let waiting = reviewed(&mut people.editor, proposal(&guardrail)).await;
        let back = RollBackChangeRequest {
            name: in_force(&mut people, proposal(&threshold("3000"))).await.name,
            reason: "a mistake".into(),
            ..RollBackChangeRequest::default()
        };
        people.activator.roll_back_change(back).await.unwrap();
        let found = report("council", "council@corp").await.unwrap();
        assert_eq!((found.activated, found.succeeded, found.rolled_back), (2, 1, 1));
        assert_eq!(found.lead_time_p90.unwrap().seconds, 0);
        let open: Vec<_> = found.open_changes.iter().map(|change| &change.name).collect();
        assert_eq!(open, [&waiting.name]);
        assert!(found.follow_ups.is_empty() && first.revision == 2);
        let owner = &found.owners[0];
        assert_eq!((&*owner.owner, owner.workflows, owner.policies), ("process-owner", 1, 2));
        let refused = report("leader", "unit-leader@corp/west/tools").await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }

    async fn a_rollback_that_tightens_is_done_at_once(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let change = in_force(&mut people, proposal(&threshold("2000"))).await;
        let back = RollBackChangeRequest {
            name: change.name.clone(),
            reason: "a mistake".into(),
            ..RollBackChangeRequest::default()
        };
        let done = people.activator.roll_back_change(back.clone()).await.unwrap().into_inner();
        assert_eq!(done.state(), ChangeState::RolledBack);
        assert_eq!(effect(&fixture, TOOLS, "1500 EUR").await, (Effect::RequireApproval, 3));
        let refused = people.activator.roll_back_change(back).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "ILLEGAL_STATE");
        // Once more, and superseded by a third.
        let change = in_force(&mut people, proposal(&threshold("2000"))).await;
        let third = in_force(&mut people, proposal(&threshold("3000"))).await;
        assert_eq!(third.revision, 5);
        let name = change.name;
        let change = people.editor.get_change(GetChangeRequest { name }).await.unwrap().into_inner();
        assert_eq!(change.state(), ChangeState::Superseded);
    }

    async fn what_was_reviewed_is_what_comes_into_force(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let first = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        let first = approve(&mut people.council, &first).await.unwrap();
        // One that touches neither leaves the approval as it is.
        let guardrail = GUARDRAIL.replace("keep_evidence", "keep_all_evidence");
        let other = reviewed(&mut people.editor, proposal(&guardrail)).await;
        assert!(other.review.as_ref().unwrap().loosens);
        let other = approve(&mut people.council, &other).await.unwrap();
        activate(&mut people.activator, &other).await.unwrap();
        // Now the layers at medical are others than those that were reviewed.
        let refused = activate(&mut people.activator, &first).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "APPROVAL_LAPSED".into()));
        let name = first.name.clone();
        let first = people.editor.get_change(GetChangeRequest { name }).await.unwrap().into_inner();
        assert_eq!((first.state(), first.approvals.len(), &*first.digest), (ChangeState::Draft, 0, ""));
        assert_eq!(effect(&fixture, TOOLS, "1500 EUR").await, (Effect::RequireApproval, 2));
    }

    async fn an_edit_starts_over(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let change = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        let change = approve(&mut people.council, &change).await.unwrap();
        let edit = UpdateChangeRequest {
            name: change.name.clone(),
            etag: change.etag.clone(),
            items: vec![put(&threshold("9000"))],
            ..UpdateChangeRequest::default()
        };
        let mut peer = client(&fixture, "peer", "policy-editor@corp");
        let edited = peer.update_change(edit.clone()).await.unwrap().into_inner();
        assert_eq!((edited.state(), edited.editors.len()), (ChangeState::Draft, 2));
        assert!(edited.approvals.is_empty() && edited.review.is_none());
        let refused = peer.update_change(edit.clone()).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Aborted, "ETAG_MISMATCH".into()));
        let blind = UpdateChangeRequest { etag: String::new(), ..edit };
        assert_eq!(fields(&peer.update_change(blind).await.unwrap_err()), ["etag"]);
        let refused = approve(&mut people.council, &change).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "ILLEGAL_STATE");
        // Only its editors withdraw it.
        let withdraw = |name: &str| WithdrawChangeRequest { name: name.into(), ..WithdrawChangeRequest::default() };
        let mut third = client(&fixture, "third", "policy-editor@corp");
        let refused = third.withdraw_change(withdraw(&change.name)).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let gone = peer.withdraw_change(withdraw(&change.name)).await.unwrap().into_inner();
        assert_eq!(gone.state(), ChangeState::Withdrawn);
    }

    async fn what_is_not_sound_stays_a_draft(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let check = |name: String| CheckChangeRequest { name, ..CheckChangeRequest::default() };
        let conflict = ENTERPRISE.replace("'> 1000'", "'> 900'");
        let unknown = ENTERPRISE.replace("workflow: hold_release", "workflow: nothing");
        for (source, wanted) in [(conflict, "CONFLICT"), (unknown, "nothing")] {
            let change = people.editor.propose_change(proposal(&source)).await.unwrap().into_inner();
            let change = people.editor.check_change(check(change.name)).await.unwrap().into_inner();
            assert_eq!(change.state(), ChangeState::Draft);
            let review = change.review.unwrap();
            assert!(review.problems.iter().any(|p| p.message.contains(wanted)), "{:?}", review.problems);
        }
        let malformed = people.editor.propose_change(proposal("kind: Poem\n")).await.unwrap_err();
        assert_eq!(fields(&malformed), ["items[0].source"]);
        let same = people.editor.propose_change(proposal(ENTERPRISE)).await.unwrap_err();
        assert_eq!(fields(&same), ["items"]);
        // A failing test keeps it from going on; the tests come with the change.
        let tests = "kind: PolicyTest\nname: hold_release\nworkflow: hold_release\nnow: 2026-11-24T09:00:00Z\ntests:\n  - name: small\n    scope: corp/west/tools\n    set: {order.total: 1500 EUR, customer.days_overdue: 1}\n    expect: {effect: REQUIRE_APPROVAL, approvals: {credit-lead@corp/west/tools: 1}}\n";
        let mut request = proposal(&threshold("2000"));
        request.items.push(put(tests));
        let change = people.editor.propose_change(request).await.unwrap().into_inner();
        let change = people.editor.check_change(check(change.name)).await.unwrap().into_inner();
        assert_eq!(change.state(), ChangeState::Checked);
        let test = TestChangeRequest { name: change.name, ..TestChangeRequest::default() };
        let change = people.editor.test_change(test).await.unwrap().into_inner();
        assert_eq!(change.state(), ChangeState::Checked);
        let found = change.tests.unwrap();
        assert_eq!((found.run, found.failures.len(), found.rows), (1, 1, 4));
        assert!(found.failures[0].message.contains("small"));
    }

    async fn a_plan_keeps_nothing(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let request = PlanChangeRequest {
            items: vec![put(&threshold("2000")), put(GUARDRAIL)],
            complete: false,
        };
        let plan = people.editor.plan_change(request.clone()).await.unwrap().into_inner();
        let actions: Vec<_> = plan.items.iter().map(|item| (&*item.name, &*item.action, item.replaces_version)).collect();
        assert_eq!(actions, [("hold_release.enterprise", "CHANGED", 1), ("hold_release.medical", "SAME", 1)]);
        assert!(plan.review.unwrap().loosens);
        let none = people.editor.list_changes(ListChangesRequest::default()).await.unwrap().into_inner();
        assert!(none.changes.is_empty());
        // As the whole state, it would take away what isn't there: the scopes and workflow.
        let request = PlanChangeRequest { complete: true, ..request };
        let plan = people.editor.plan_change(request).await.unwrap().into_inner();
        let deleted = plan.items.iter().filter(|item| item.action == "DELETED").count();
        assert_eq!(deleted, 2);
        assert!(!plan.review.unwrap().problems.is_empty());
    }

    async fn a_unit_changes_what_is_its_own(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut leader = client(&fixture, "leader", "unit-leader@corp/west/medical");
        let guardrail = GUARDRAIL.replace("keep_evidence", "keep_all_evidence");
        let change = leader.propose_change(proposal(&guardrail)).await.unwrap().into_inner();
        assert_eq!(change.scopes, [MEDICAL]);
        let refused = leader.propose_change(proposal(&threshold("2000"))).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
        // Another unit doesn't see it; those above do.
        let read = GetChangeRequest { name: change.name.clone() };
        let mut other = client(&fixture, "other", "unit-leader@corp/west/tools");
        assert_eq!(other.get_change(read.clone()).await.unwrap_err().code(), Code::NotFound);
        assert!(other.list_changes(ListChangesRequest::default()).await.unwrap().into_inner().changes.is_empty());
        let mut council = client(&fixture, "council", "council@corp");
        assert!(council.get_change(read).await.is_ok());
        // A machine isn't anybody who can be named.
        let program = fixture.harness.program("bot", &["policy-editor@corp"]);
        let refused = ChangeServiceClient::new(program).propose_change(proposal(&guardrail)).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "REQUESTER_UNKNOWN");
    }

    async fn a_retry_gets_the_first_answer(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let mut request = proposal(&threshold("2000"));
        request.request_id = uuid::Uuid::now_v7().to_string();
        let first = people.editor.propose_change(request.clone()).await.unwrap().into_inner();
        let again = people.editor.propose_change(request.clone()).await.unwrap().into_inner();
        assert_eq!(first.name, again.name);
        request.title = "something else".into();
        let refused = people.editor.propose_change(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::AlreadyExists, "IDEMPOTENCY_CONFLICT".into()));
    }

    async fn a_rejection_ends_it(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let change = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        let reject = RejectChangeRequest { name: change.name.clone(), reason: "too much".into(), ..RejectChangeRequest::default() };
        let refused = people.editor.reject_change(reject.clone()).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "SOD_EDITOR");
        let rejected = people.council.reject_change(reject).await.unwrap().into_inner();
        assert_eq!(rejected.state(), ChangeState::Rejected);
        let refused = approve(&mut people.council, &change).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "ILLEGAL_STATE");
        let listed = ListChangesRequest { states: vec![ChangeState::Rejected.into()], ..ListChangesRequest::default() };
        let listed = people.council.list_changes(listed).await.unwrap().into_inner();
        assert_eq!(listed.changes.len(), 1);
        assert!(listed.changes[0].items.is_empty());
    }

    async fn a_scheduled_change_comes_at_its_time(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let at = fixture.harness.clock.now() + chrono::TimeDelta::hours(2);
        let mut request = proposal(&threshold("2000"));
        request.activate_time = Some(contracts::time::timestamp(at));
        let change = reviewed(&mut people.editor, request).await;
        let change = approve(&mut people.council, &change).await.unwrap();
        let refused = activate(&mut people.activator, &change).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "ILLEGAL_STATE");
        let schedule = ScheduleChangeRequest { name: change.name.clone(), ..ScheduleChangeRequest::default() };
        let change = people.activator.schedule_change(schedule).await.unwrap().into_inner();
        assert_eq!(change.state(), ChangeState::Scheduled);
        assert_eq!(effect(&fixture, TOOLS, "1500 EUR").await, (Effect::RequireApproval, 1));
        fixture.clock.set(at);
        let policies = fixture.policies("owner", &["policy-editor@corp"]);
        eventually(PATIENCE, || {
            let mut policies = policies.clone();
            async move {
                let revision = policies.get_revision(GetRevisionRequest {}).await.unwrap();
                revision.into_inner().revision == 2
            }
        })
        .await;
        assert_eq!(effect(&fixture, TOOLS, "1500 EUR").await, (Effect::Allow, 2));
        let name = change.name;
        let change = people.editor.get_change(GetChangeRequest { name }).await.unwrap().into_inner();
        assert_eq!(change.state(), ChangeState::Active);
        assert!(change.history.last().unwrap().by.is_none());
    }
}

/// Proposed, reviewed, approved and activated.
pub async fn in_force(people: &mut People, request: ProposeChangeRequest) -> Change {
    let change = reviewed(&mut people.editor, request).await;
    let change = approve(&mut people.council, &change).await.unwrap();
    activate(&mut people.activator, &change).await.unwrap()
}
