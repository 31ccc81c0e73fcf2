//! The example's own events, and the order log, row by row.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Instant,
};

use contracts::{
    exceptions::{BatchIngestEventsRequest, EventEffect, IngestOutcome},
    types::CloudEvent,
};

use crate::support::{INDUSTRIAL, MEDICAL, Suite};

/// The first id of a list such as `['990001','990002']`.
fn first(cell: &str) -> Option<&str> {
    let (_, rest) = cell.split_once('\'')?;
    Some(rest.split_once('\'')?.0)
}

fn row(headers: &csv::StringRecord, row: &csv::StringRecord) -> CloudEvent {
    let cell = |name: &str| {
        let index = headers.iter().position(|header| header == name).unwrap();
        row.get(index).unwrap()
    };
    let about =
        |kind: &str| first(cell(&format!("ocel:type:{kind}"))).map(|id| (kind.to_owned(), id));
    let (kind, id) = ["orders", "packages", "items"]
        .into_iter()
        .find_map(about)
        .unwrap();
    let units = [INDUSTRIAL, MEDICAL, "acme/europe/field-service"];
    let time = cell("ocel:timestamp").replace(' ', "T");
    let time = time.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    CloudEvent {
        id: cell("ocel:eid").to_owned(),
        source: "/examples/order-log".to_owned(),
        r#type: format!(
            "com.example.order.{}",
            cell("ocel:activity").replace(' ', "-")
        ),
        subject: format!("{kind}/{id}"),
        time: Some(contracts::time::timestamp(time)),
        scope: units[id.parse::<usize>().unwrap() % 3].to_owned(),
        correlation_id: format!("{kind}/{id}"),
        data: format!(r#"{{"amount": {}}}"#, cell("price"))
            .into_bytes()
            .into(),
        ..CloudEvent::default()
    }
}

type Counts = BTreeMap<String, (usize, usize)>;

/// Outcomes, and by exception type how many were raised and how many are evidence.
async fn replay(suite: &Suite, events: &[CloudEvent]) -> (BTreeMap<i32, usize>, Counts) {
    let (mut outcomes, mut counts) = (BTreeMap::new(), Counts::new());
    let mut erp = suite.erp();
    for chunk in events.chunks(500) {
        let request = BatchIngestEventsRequest {
            events: chunk.to_vec(),
        };
        let response = erp.batch_ingest_events(request).await.unwrap().into_inner();
        for result in response.results {
            *outcomes.entry(result.outcome).or_default() += 1;
            let count = counts.entry(result.exception_type.clone()).or_default();
            match result.effect() {
                EventEffect::Raised => count.0 += 1,
                EventEffect::Evidence => count.1 += 1,
                EventEffect::Unspecified => {}
                EventEffect::Resolved => panic!("nothing in the log resolves anything"),
            }
        }
    }
    (outcomes, counts)
}

testkit::backends! {
    async fn the_order_log_comes_out_exactly(backend: Backend) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/order-events.csv");
        let Ok(mut reader) = csv::Reader::from_path(&path) else {
            println!("skipped: {} is not there", path.display());
            return;
        };
        let headers = reader.headers().unwrap().clone();
        let events = reader.records().map(|record| row(&headers, &record.unwrap())).collect::<Vec<_>>();
        assert_eq!(events.len(), 22_367);

        let suite = Suite::start(backend).await;
        let start = Instant::now();
        let (outcomes, counts) = replay(&suite, &events).await;
        let rate = events.len() as f64 / start.elapsed().as_secs_f64();
        println!("{rate:.0} events a second, in this build");
        assert_eq!(outcomes, BTreeMap::from([(IngestOutcome::Accepted.into(), 22_367)]));
        assert_eq!(counts["stockout"], (1_664, 0));
        assert_eq!(counts["carrier_capacity"], (261, 130));
        assert_eq!(counts["credit_hold"], (414, 100));

        let (outcomes, counts) = replay(&suite, &events).await;
        assert_eq!(outcomes, BTreeMap::from([(IngestOutcome::Duplicate.into(), 22_367)]));
        assert!(counts.values().all(|count| *count == (0, 0)));
    }

    async fn a_working_day_of_three_units_has_all_six_types(backend: Backend) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/distributor/events/working-day.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        let events = text.lines().map(line).collect::<Vec<_>>();
        let suite = Suite::start(backend).await;
        let request = BatchIngestEventsRequest { events: events.clone() };
        let results = suite.erp().batch_ingest_events(request).await.unwrap().into_inner().results;
        let mut raised = BTreeMap::<String, BTreeSet<String>>::new();
        let mut effects = BTreeMap::<i32, usize>::new();
        for (event, result) in events.iter().zip(results) {
            assert_eq!(result.outcome(), IngestOutcome::Accepted, "{}: {}", event.id, result.dead_letter_reason);
            *effects.entry(result.effect).or_default() += 1;
            if result.effect() == EventEffect::Raised {
                raised.entry(result.exception_type).or_default().insert(event.scope.clone());
            }
        }
        assert_eq!(raised.len(), 6, "{raised:?}");
        assert!(raised.values().all(|units| units.len() == 3), "{raised:?}");
        assert!(effects[&EventEffect::Evidence.into()] > 0 && effects[&EventEffect::Resolved.into()] > 0);
    }
}

/// A CloudEvent in JSON, with numbers as they stand.
#[derive(serde::Deserialize)]
struct Line<'a> {
    id: String,
    source: String,
    r#type: String,
    subject: String,
    time: chrono::DateTime<chrono::Utc>,
    scope: String,
    correlationid: String,
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
}

fn line(text: &str) -> CloudEvent {
    let line: Line<'_> = serde_json::from_str(text).unwrap();
    CloudEvent {
        id: line.id,
        source: line.source,
        r#type: line.r#type,
        subject: line.subject,
        time: Some(contracts::time::timestamp(line.time)),
        scope: line.scope,
        correlation_id: line.correlationid,
        data: line.data.get().as_bytes().to_vec().into(),
        ..CloudEvent::default()
    }
}
