//! Quality figures: what was validated, counted by day, unit and entity.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::masterdata::{
    GetValidationRequest, ListQualityFiguresRequest, QualityFigure, Severity, record_input::Record,
};
use service_kit::clock::Manual;
use testkit::{Harness, eventually_ok, harness::Options};

use crate::support::{Client, INDUSTRIAL, MEDICAL, customer, example, item, steward, validate};

async fn figures(client: &mut Client, scope: &str, page_size: i32) -> Vec<QualityFigure> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let asked = ListQualityFiguresRequest {
            scope: scope.into(),
            page_size,
            page_token: token,
            ..Default::default()
        };
        let page = client
            .list_quality_figures(asked)
            .await
            .unwrap()
            .into_inner();
        all.extend(page.figures);
        token = page.next_page_token;
        if token.is_empty() {
            return all;
        }
    }
}

testkit::backends! {
    async fn figures_add_up_by_day_unit_entity_and_rule(backend: Backend) {
        let clock = Arc::new(Manual::new(Utc::now()));
        let today = clock_day(&clock);
        let options = Options { files: example(), clock: clock.clone(), ..Options::default() };
        let harness = Harness::with::<masterdata::Service>(backend, Default::default(), options).await;
        let mut client = steward(&harness);
        let mut bad = item();
        bad.gtin = "1".into();
        for record in [item(), bad.clone(), bad.clone()] {
            validate(&mut client, MEDICAL, Record::Item(record)).await;
        }
        validate(&mut client, INDUSTRIAL, Record::Item(bad)).await;
        validate(&mut client, MEDICAL, Record::Customer(customer())).await;
        for page_size in [0, 1, 2] {
            let found = figures(&mut client, "acme", page_size).await;
            let keys: Vec<_> = found
                .iter()
                .map(|f| (f.date.as_str(), f.scope.as_str(), f.entity.as_str(), f.record_count, f.invalid_record_count))
                .collect();
            assert_eq!(
                keys,
                [
                    (today.as_str(), INDUSTRIAL, "item", 1, 1),
                    (today.as_str(), MEDICAL, "customer", 1, 0),
                    (today.as_str(), MEDICAL, "item", 3, 2),
                ]
            );
            let rules: Vec<_> = found[2].rules.iter().map(|r| (r.rule.as_str(), r.severity(), r.violation_count)).collect();
            assert_eq!(rules, [("gtin.length", Severity::Error, 2)]);
        }
        assert_eq!(figures(&mut client, MEDICAL, 0).await.len(), 2);
        let asked = ListQualityFiguresRequest { scope: "acme".into(), entity: "item".into(), start_date: today.clone(), end_date: today, ..Default::default() };
        assert_eq!(client.list_quality_figures(asked.clone()).await.unwrap().into_inner().figures.len(), 2);
        let before = ListQualityFiguresRequest { start_date: String::new(), end_date: "2000-01-01".into(), ..asked };
        assert!(client.list_quality_figures(before).await.unwrap().into_inner().figures.is_empty());
    }

    async fn validations_are_deleted_when_their_time_is_over(backend: Backend) {
        let now = Utc::now();
        let clock = Arc::new(Manual::new(now - TimeDelta::days(3)));
        let options = Options { files: example(), clock: clock.clone(), ..Options::default() };
        let settings = masterdata::Settings {
            keep_validations: std::time::Duration::from_hours(48),
            sweep_interval: std::time::Duration::from_secs(1),
        };
        let harness = Harness::with::<masterdata::Service>(backend, settings, options).await;
        let old = validate(&mut steward(&harness), MEDICAL, Record::Item(item())).await;
        clock.set(now);
        let mut client = steward(&harness);
        let new = validate(&mut client, MEDICAL, Record::Item(item())).await;
        eventually_ok(std::time::Duration::from_secs(20), || {
            let (mut client, name) = (client.clone(), old.name.clone());
            async move {
                match client.get_validation(GetValidationRequest { name }).await {
                    Ok(_) => Err("still there".to_owned()),
                    Err(status) if status.code() == tonic::Code::NotFound => Ok(()),
                    Err(status) => Err(status.to_string()),
                }
            }
        })
        .await;
        let kept = client.get_validation(GetValidationRequest { name: new.name.clone() }).await.unwrap().into_inner();
        assert_eq!(kept, new);
        assert_eq!(figures(&mut client, "acme", 0).await.len(), 2, "figures stay");
    }
}

fn clock_day(clock: &Manual) -> String {
    let now: DateTime<Utc> = service_kit::clock::Clock::now(clock);
    now.date_naive().to_string()
}
