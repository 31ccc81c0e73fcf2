//! Decisions.

use std::{collections::BTreeSet, time::Duration};

use contracts::{
    policy::{
        BatchDecideRequest, DecideRequest, GetDecisionRequest, Match, batch_decide_result,
        decision_service_client::DecisionServiceClient as Decisions,
    },
    types::{AuditLevel, Effect, Provenance, value::Kind},
};
use futures::future::join_all;
use testkit::eventually;
use tonic::Code;

use crate::fixture::{
    Fixture, MEDICAL, TOOLS, fact, fields, flag, forwarded, question, refusal, text,
};

const RECORDED: &str = "bylaw.policy.decision.recorded.v1";

testkit::backends! {
    async fn layers_are_joined_and_the_decision_is_recorded(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut asked = question(MEDICAL, "18450.00 EUR", "12");
        asked.facts[2] = flag("item.regulated", true);
        let answer = fixture.erp().decide(asked).await.unwrap().into_inner();
        let decision = answer.decision.unwrap();
        assert_eq!(decision.effect(), Effect::RequireApproval);
        assert!(decision.settled && answer.fact_notes.is_empty());
        let approvals: Vec<_> = decision
            .approvals
            .iter()
            .map(|a| (a.role.as_str(), a.at.as_str(), a.count))
            .collect();
        assert_eq!(approvals, [("compliance-lead", MEDICAL, 1), ("credit-lead", MEDICAL, 1)]);
        assert_eq!(decision.obligations, ["keep_evidence"]);
        assert_eq!(decision.binding_facts, ["order.total"]);
        assert_eq!((decision.revision, decision.audit_level()), (1, AuditLevel::Full));
        assert_eq!(decision.layers.len(), 2);

        // Durable before it was answered, with what it was decided from.
        let name = format!("decisions/{}", decision.id);
        let read = GetDecisionRequest { name: name.clone() };
        let mut auditor = fixture.person("auditor", &["auditor@corp"]);
        let kept = auditor.get_decision(read).await.unwrap().into_inner();
        assert_eq!(kept.decision, Some(decision.clone()));
        let sent = &kept.request.unwrap().facts[0];
        assert_eq!(sent.value, text("", "18450.00 EUR").value);
        assert_eq!((sent.provenance(), &*sent.asserted_by), (Provenance::Erp, "erp-adapter"));
        assert_eq!(kept.caller.unwrap().subject, "erp-adapter");

        let log = fixture.harness.log.clone();
        eventually(Duration::from_secs(10), || async {
            log.records().iter().any(|r| r.r#type == RECORDED && r.resource == name)
        })
        .await;
    }

    async fn facts_are_worth_what_the_service_knows_of_the_caller(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        // A person says so, and claims that it is the ERP's.
        let claimed = forwarded(question(TOOLS, "10 EUR", "1"));
        let mut person = fixture.person("desk", &["operator@corp/west/tools"]);
        let answer = person.decide(claimed.clone()).await.unwrap().into_inner();
        let decision = answer.decision.unwrap();
        assert_eq!((decision.effect(), decision.settled), (Effect::Deny, false));
        assert_eq!(decision.reasons, ["UNKNOWN_FACTS"]);
        assert_eq!(decision.unknown_facts, ["customer.days_overdue", "order.total"]);
        assert!(answer.fact_notes.iter().all(|note| note.reason == "PROVENANCE"));
        assert_eq!(answer.fact_notes.len(), 3);

        // The services that keep facts of others are believed, and must say whose.
        for service in ["bylaw-exceptions", "bylaw-aigate"] {
            let mut internal = fixture.internal(service);
            let answer = internal.decide(claimed.clone()).await.unwrap().into_inner();
            assert_eq!(answer.decision.unwrap().effect(), Effect::Allow);
            let mut silent = claimed.clone();
            silent.facts[1].provenance = 0;
            let refused = internal.decide(silent).await.unwrap_err();
            assert_eq!(fields(&refused), ["facts[1].provenance"]);
        }
    }

    async fn what_an_adapter_may_assert_of_some_facts_is_believed_of_no_other(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let calls = fixture.harness.program("order-adapter", &["event-source@corp"]);
        let mut adapter = Decisions::new(calls);
        let answer = adapter.decide(question(TOOLS, "10 EUR", "1")).await.unwrap().into_inner();
        let notes = answer.fact_notes.iter();
        let notes: Vec<_> = notes.map(|note| (&*note.name, &*note.reason)).collect();
        assert_eq!(notes, [("customer.days_overdue", "PROVENANCE")]);
        let decision = answer.decision.unwrap();
        assert_eq!(decision.unknown_facts, ["customer.days_overdue"]);
        assert_eq!((decision.effect(), decision.settled), (Effect::Deny, false));
        // The one that may assert all of them is believed.
        let answer = fixture.erp().decide(question(TOOLS, "10 EUR", "1")).await.unwrap();
        assert_eq!(answer.into_inner().decision.unwrap().effect(), Effect::Allow);
    }

    async fn a_request_id_is_forgotten_after_its_time(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut asked = question(TOOLS, "10 EUR", "1");
        asked.request_id = uuid::Uuid::new_v4().to_string();
        let ask = || async {
            let answer = fixture.erp().decide(asked.clone()).await.unwrap();
            answer.into_inner().decision.unwrap().id
        };
        let first = ask().await;
        fixture.clock.advance(chrono::TimeDelta::hours(24) - chrono::TimeDelta::seconds(1));
        assert_eq!(ask().await, first);
        fixture.clock.advance(chrono::TimeDelta::seconds(2));
        let second = ask().await;
        assert_ne!(second, first);
        assert_eq!(ask().await, second);
    }

    async fn what_does_not_fit_is_unknown_and_said(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut asked = question(TOOLS, "10 USD", "1");
        asked.facts.push(text("order.colour", "red"));
        let hours = chrono::TimeDelta::hours(25);
        asked.facts[1].observe_time =
            Some(contracts::time::timestamp(chrono::Utc::now() - hours));
        let answer = fixture.erp().decide(asked).await.unwrap().into_inner();
        let notes: Vec<_> = answer
            .fact_notes
            .iter()
            .map(|note| (note.name.as_str(), note.reason.as_str()))
            .collect();
        assert_eq!(
            notes,
            [
                ("order.total", "CURRENCY"),
                ("customer.days_overdue", "STALE"),
                ("order.colour", "UNDECLARED")
            ]
        );
        assert_eq!(answer.decision.unwrap().effect(), Effect::Deny);
    }

    async fn a_retry_gets_the_first_answer(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        for (total, level) in [("10 EUR", AuditLevel::Summary), ("5000 EUR", AuditLevel::Full)] {
            let mut asked = question(TOOLS, total, "1");
            asked.request_id = uuid::Uuid::new_v4().to_string();
            let asks = (0..8).map(|_| {
                let (mut client, asked) = (fixture.erp(), asked.clone());
                async move { client.decide(asked).await.unwrap().into_inner() }
            });
            let answers = join_all(asks).await;
            assert_eq!(answers[0].decision.as_ref().unwrap().audit_level(), level);
            assert!(answers.iter().all(|answer| *answer == answers[0]));
            // The revision that is asked for may have moved on.
            asked.min_revision = 1;
            assert_eq!(fixture.erp().decide(asked.clone()).await.unwrap().into_inner(), answers[0]);
            asked.correlation_id = "SO-2".into();
            let refused = fixture.erp().decide(asked).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::AlreadyExists, "IDEMPOTENCY_CONFLICT".into()));
            assert_eq!(fields(&refused), ["request_id"]);
        }
    }

    async fn a_batch_answers_each_for_itself(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut person = fixture.person("desk", &["operator@corp/west/tools"]);
        let requests = vec![
            question(TOOLS, "10 EUR", "1"),
            question(MEDICAL, "10 EUR", "1"),
            DecideRequest { scope: "Bad".into(), ..question(TOOLS, "1 EUR", "1") },
            DecideRequest { workflow: "other".into(), ..question(TOOLS, "1 EUR", "1") },
        ];
        let batch = BatchDecideRequest { requests };
        let results = person.batch_decide(batch).await.unwrap().into_inner().results;
        let reasons: Vec<_> = results
            .into_iter()
            .map(|result| match result.result.unwrap() {
                batch_decide_result::Result::Response(answer) => {
                    answer.decision.unwrap().effect().as_str_name().to_owned()
                }
                batch_decide_result::Result::Error(error) => error.reason,
            })
            .collect();
        assert_eq!(
            reasons,
            ["EFFECT_DENY", "PERMISSION_DENIED", "INVALID_ARGUMENT", "NOT_FOUND"]
        );
        for count in [0, 1_001] {
            let requests = vec![question(TOOLS, "1 EUR", "1"); count];
            let refused = person.batch_decide(BatchDecideRequest { requests }).await.unwrap_err();
            assert_eq!(fields(&refused), ["requests"]);
        }
    }

    async fn concurrent_decisions_in_full_are_all_kept(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let asks = (0..200).map(|_| {
            let mut client = fixture.erp();
            async move { client.decide(question(TOOLS, "5000 EUR", "1")).await.unwrap() }
        });
        let answers = join_all(asks).await;
        let names: BTreeSet<_> = answers
            .into_iter()
            .map(|answer| format!("decisions/{}", answer.into_inner().decision.unwrap().id))
            .collect();
        assert_eq!(names.len(), 200);
        let log = fixture.harness.log.clone();
        eventually(Duration::from_secs(20), || async {
            let records = log.records();
            let recorded: BTreeSet<_> = records
                .iter()
                .filter(|record| record.r#type == RECORDED)
                .map(|record| record.resource.clone())
                .collect();
            recorded == names
        })
        .await;
    }

    async fn a_revision_that_is_not_there_is_not_guessed(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let asked = DecideRequest { min_revision: 2, ..question(TOOLS, "10 EUR", "1") };
        let refused = fixture.erp().decide(asked).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Unavailable, "REVISION_NOT_REACHED".into()));
    }

    async fn rows_are_explained_on_request(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let asked = DecideRequest { explain: true, ..question(TOOLS, "10 EUR", "1") };
        let answer = fixture.erp().decide(asked).await.unwrap().into_inner();
        let rows: Vec<_> = answer
            .explanation
            .iter()
            .map(|row| (row.row.as_str(), row.r#match(), row.failed_inputs.clone()))
            .collect();
        assert_eq!(
            rows,
            [
                ("small", Match::Yes, vec![]),
                ("large", Match::No, vec!["order.total".to_owned()]),
                ("overdue", Match::No, vec!["customer.days_overdue".to_owned()]),
            ]
        );
    }

    async fn bad_input_names_its_field(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let good = || question(TOOLS, "10 EUR", "1");
        let with = |change: fn(&mut DecideRequest)| {
            let mut request = good();
            change(&mut request);
            request
        };
        let cases = [
            (with(|r| r.workflow = "A b".into()), "workflow"),
            (with(|r| r.scope = "corp/elsewhere".into()), "scope"),
            (with(|r| r.correlation_id = "x".repeat(129)), "correlation_id"),
            (with(|r| r.correlation_id = "a\nb".into()), "correlation_id"),
            (with(|r| r.min_revision = -1), "min_revision"),
            (with(|r| r.request_id = "no".into()), "request_id"),
            (with(|r| r.facts[0].name.clear()), "facts[0].name"),
            (with(|r| r.facts[0].value = None), "facts[0].value"),
            (with(|r| r.facts[1].name = "order.total".into()), "facts[1].name"),
            (with(|r| r.facts = vec![r.facts[0].clone(); 257]), "facts"),
            (
                with(|r| {
                    let value = "1".repeat(35);
                    let number = contracts::types::Decimal { value };
                    r.facts[0] = fact("order.total", Kind::NumberValue(number));
                }),
                "facts[0].value",
            ),
            (
                with(|r| {
                    r.facts[0].observe_time =
                        Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
                }),
                "facts[0].observe_time",
            ),
        ];
        for (request, field) in cases {
            let refused = fixture.erp().decide(request).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{field}: {refused:?}");
            assert_eq!(fields(&refused), [field]);
        }
        // All of them at once.
        let everything = with(|r| {
            r.workflow.clear();
            r.min_revision = -1;
            r.request_id = "no".into();
            r.facts[0].name.clear();
            r.facts[0].value = None;
            r.facts[2].name = "customer.days_overdue".into();
        });
        let refused = fixture.erp().decide(everything).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        let all = [
            "workflow", "min_revision", "request_id", "facts[0].name", "facts[0].value",
            "facts[2].name",
        ];
        assert_eq!(fields(&refused), all);
        assert!(refused.message().ends_with("; and 5 more"), "{}", refused.message());
        let refused = fixture.erp().decide(with(|r| r.scope = "Corp".into())).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        let unknown = with(|r| r.workflow = "other".into());
        let refused = fixture.erp().decide(unknown).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::NotFound, "NOT_FOUND".into()));
    }
}
