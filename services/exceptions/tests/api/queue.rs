//! The work queue.

use chrono::TimeDelta;
use contracts::{
    exceptions::{
        ActionState, ClaimExceptionRequest, EventEffect, Exception, ExceptionState,
        GetAgeingReportRequest, ListExceptionsRequest, ResolveExceptionRequest,
    },
    types::Effect,
};
use service_kit::error::Reason;
use tonic::Code;

use crate::actions::{ask, wanted};
use crate::support::{
    Exceptions, INDUSTRIAL, MEDICAL, Suite, credit_exceeded, event, field, refusal, released,
};

async fn claim(
    client: &mut Exceptions,
    name: &str,
    etag: &str,
) -> Result<Exception, tonic::Status> {
    let request = ClaimExceptionRequest {
        name: name.to_owned(),
        etag: etag.to_owned(),
    };
    client
        .claim_exception(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn resolve(
    client: &mut Exceptions,
    name: &str,
    code: &str,
) -> Result<Exception, tonic::Status> {
    let request = ResolveExceptionRequest {
        name: name.to_owned(),
        resolution_code: code.to_owned(),
        root_cause_code: "overdue_invoices".to_owned(),
        comment: "paid by transfer".to_owned(),
        ..ResolveExceptionRequest::default()
    };
    client
        .resolve_exception(request)
        .await
        .map(tonic::Response::into_inner)
}

testkit::backends! {
    async fn an_exception_is_claimed_and_resolved_once(backend: Backend) {
        let suite = Suite::start(backend).await;
        let name = suite.hold("SO-1").await;
        let before = suite.get(&name).await;
        let claimed = claim(&mut suite.desk(), &name, &before.etag).await.unwrap();
        assert_eq!(claimed.state(), ExceptionState::Assigned);
        assert_eq!(claimed.owner, "desk");
        assert_ne!(claimed.etag, before.etag);
        let stale = refusal(claim(&mut suite.desk(), &name, &before.etag).await);
        assert_eq!(stale, (Code::Aborted, Reason::EtagMismatch));
        let taken = refusal(claim(&mut suite.desk(), &name, "").await);
        assert_eq!(taken, (Code::FailedPrecondition, Reason::IllegalState));

        assert_eq!(field(resolve(&mut suite.desk(), &name, "replenished").await), "resolution_code");
        let resolved = resolve(&mut suite.desk(), &name, "paid").await.unwrap();
        assert_eq!(resolved.state(), ExceptionState::Resolved);
        assert_eq!(resolved.root_cause_code, "overdue_invoices");
        assert!(resolved.resolve_time.is_some());
        let again = refusal(resolve(&mut suite.desk(), &name, "paid").await);
        assert_eq!(again, (Code::FailedPrecondition, Reason::IllegalState));
        assert!(suite.open().await.is_empty());
        let recorded = suite.recorded("SO-1", 4).await;
        assert_eq!(
            recorded.iter().map(|kind| kind.rsplit('.').nth(1).unwrap()).collect::<Vec<_>>(),
            ["raised", "accepted", "claimed", "resolved"]
        );
    }

    async fn nobody_says_in_place_of_the_erp_that_it_acted(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        let name = suite.hold("SO-1").await;
        let early = refusal(resolve(&mut suite.desk(), &name, "released").await);
        assert_eq!(early, (Code::FailedPrecondition, Reason::IllegalState));
        // An action that is allowed isn't done.
        let action = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        assert_eq!(action.state(), ActionState::Authorized);
        let early = refusal(resolve(&mut suite.desk(), &name, "released").await);
        assert_eq!(early, (Code::FailedPrecondition, Reason::IllegalState));
        assert!(suite.get(&name).await.resolution_code.is_empty());
        let paid = resolve(&mut suite.desk(), &name, "paid").await.unwrap();
        assert_eq!(paid.resolution_code, "paid");
    }

    async fn of_two_who_claim_one_gets_it(backend: Backend) {
        let suite = Suite::start(backend).await;
        let name = suite.hold("SO-2").await;
        let mut racing = Vec::new();
        for index in 0..8 {
            let mut client = suite.person(&format!("desk-{index}"), &["operator@acme/europe"]);
            let name = name.clone();
            racing.push(tokio::spawn(async move { claim(&mut client, &name, "").await.is_ok() }));
        }
        let mut won = 0;
        for task in racing {
            won += i32::from(task.await.unwrap());
        }
        assert_eq!(won, 1);
    }

    async fn lists_are_paged_filtered_and_within_scope(backend: Backend) {
        let suite = Suite::start(backend).await;
        for index in 0..5 {
            suite.ingest(credit_exceeded(&format!("SO-{index}"), MEDICAL, "1.00")).await;
            suite.clock.advance(TimeDelta::minutes(1));
        }
        suite.ingest(credit_exceeded("SO-9", INDUSTRIAL, "1.00")).await;
        let request = |size: i32, token: &str| ListExceptionsRequest {
            page_size: size,
            page_token: token.to_owned(),
            ..ListExceptionsRequest::default()
        };
        let mut desk = suite.desk();
        let mut orders = Vec::new();
        let mut token = String::new();
        loop {
            let page = desk.list_exceptions(request(2, &token)).await.unwrap().into_inner();
            assert_eq!(page.total_size, 5);
            orders.extend(page.exceptions.into_iter().map(|exception| exception.document_id));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(orders, ["SO-0", "SO-1", "SO-2", "SO-3", "SO-4"]);

        let first = desk.list_exceptions(request(2, "")).await.unwrap().into_inner();
        let other = ListExceptionsRequest { queue: "medical-credit".to_owned(), ..request(2, &first.next_page_token) };
        let mixed = refusal(desk.list_exceptions(other).await);
        assert_eq!(mixed, (Code::InvalidArgument, Reason::PageTokenInvalid));

        let all = suite.auditor().list_exceptions(request(0, "")).await.unwrap().into_inner();
        assert_eq!(all.total_size, 6);
        for (filter, count) in [
            (ListExceptionsRequest { scope: INDUSTRIAL.to_owned(), ..request(0, "") }, 1),
            (ListExceptionsRequest { scope: "acme/europe".to_owned(), ..request(0, "") }, 6),
            (ListExceptionsRequest { scope: "acme/asia".to_owned(), ..request(0, "") }, 0),
            (ListExceptionsRequest { queue: "medical-credit".to_owned(), ..request(0, "") }, 5),
            (ListExceptionsRequest { r#type: "stockout".to_owned(), ..request(0, "") }, 0),
            (ListExceptionsRequest { correlation_id: "SO-3".to_owned(), ..request(0, "") }, 1),
            (ListExceptionsRequest { states: vec![ExceptionState::Resolved.into()], ..request(0, "") }, 0),
        ] {
            let found = suite.auditor().list_exceptions(filter.clone()).await.unwrap().into_inner();
            assert_eq!(found.total_size, count, "{filter:?}");
        }
        let unknown = ListExceptionsRequest { states: vec![99], ..request(0, "") };
        assert_eq!(field(suite.auditor().list_exceptions(unknown).await), "states[0]");
    }

    async fn the_report_reconciles_with_the_list(backend: Backend) {
        let suite = Suite::start(backend).await;
        // Tuesday morning, then an hour, a day, four days and forty days later.
        for (order, scope, hours) in [
            ("SO-1", MEDICAL, 36 * 24),
            ("SO-2", MEDICAL, 72),
            ("SO-3", INDUSTRIAL, 23),
            ("SO-4", MEDICAL, 1),
        ] {
            suite.ingest(credit_exceeded(order, scope, "1.00")).await;
            suite.clock.advance(TimeDelta::hours(hours));
        }
        let short = r#"{"item": {"id": "I-1"}, "customer": {"licence_valid": true}}"#;
        suite.ingest(event("com.example.wms.stock-short", "orders/SO-5", INDUSTRIAL, short)).await;
        suite.ingest(credit_exceeded("SO-6", MEDICAL, "1.00")).await;
        suite.ingest(released("SO-6", "{}")).await;

        let report = |scope: &str| GetAgeingReportRequest { scope: scope.to_owned() };
        let mut auditor = suite.auditor();
        let whole = auditor.get_ageing_report(report("")).await.unwrap().into_inner();
        assert_eq!(whole.band_seconds, [4, 24, 72, 168, 720].map(|hours: i64| hours * 3_600));
        let rows = whole.rows.iter().map(|row| (row.scope.as_str(), row.r#type.as_str(), row.counts.clone())).collect::<Vec<_>>();
        assert_eq!(
            rows,
            [
                (INDUSTRIAL, "credit_hold", vec![0, 0, 1, 0, 0, 0]),
                (INDUSTRIAL, "stockout", vec![1, 0, 0, 0, 0, 0]),
                (MEDICAL, "credit_hold", vec![1, 0, 0, 1, 0, 1]),
            ]
        );
        let open = suite.open().await;
        assert_eq!(whole.rows.iter().map(|row| row.total).sum::<i64>(), open.len() as i64);
        let breached = open.iter().filter(|exception| exception.breached).count();
        assert_eq!(whole.rows.iter().map(|row| row.breached).sum::<i64>(), breached as i64);
        assert!(breached > 0 && breached < open.len());
        let own = suite.credit().get_ageing_report(report("")).await.unwrap().into_inner();
        assert_eq!(own.rows.len(), 1);
        let none = suite.credit().get_ageing_report(report(INDUSTRIAL)).await.unwrap().into_inner();
        assert!(none.rows.is_empty());
    }

    async fn what_is_resolved_by_hand_can_stand_again(backend: Backend) {
        let suite = Suite::start(backend).await;
        let name = suite.hold("SO-1").await;
        resolve(&mut suite.desk(), &name, "limit_raised").await.unwrap();
        let again = suite.ingest(credit_exceeded("SO-1", MEDICAL, "2.00")).await;
        assert_eq!(again.effect(), EventEffect::Raised);
        assert_ne!(again.exception, name);
    }
}
