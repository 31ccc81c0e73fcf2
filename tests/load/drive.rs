//! Calls kept in flight on one connection; every answer is decoded and its status
//! counted.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use contracts::{
    policy::{DecideRequest, decision_service_client::DecisionServiceClient},
    types::{Decimal, Effect, Fact, Money, Value, value::Kind},
};
use hdrhistogram::Histogram;
use prost::Message as _;
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

/// Longest latency told apart: a minute.
const MAX_MICROS: u64 = 60_000_000;

/// A question and its expected effect.
pub struct Question(DecideRequest);

impl Question {
    /// An order that is small, on time and not regulated: ALLOW.
    pub fn new(scope: &str) -> Self {
        let fact = |name: &str, kind| Fact {
            name: name.to_owned(),
            value: Some(Value { kind: Some(kind) }),
            ..Fact::default()
        };
        let total = Money {
            amount: Some(Decimal {
                value: "1845.00".to_owned(),
            }),
            currency_code: "EUR".to_owned(),
        };
        Self(DecideRequest {
            workflow: "order_release".to_owned(),
            scope: scope.to_owned(),
            correlation_id: "SO-4711".to_owned(),
            facts: vec![
                fact("order.total", Kind::MoneyValue(total)),
                fact(
                    "customer.days_overdue",
                    Kind::NumberValue(Decimal {
                        value: "12".to_owned(),
                    }),
                ),
                fact(
                    "customer.segment",
                    Kind::StringValue("wholesale".to_owned()),
                ),
                fact("item.regulated", Kind::BooleanValue(false)),
            ],
            ..DecideRequest::default()
        })
    }

    /// Encoded size in bytes.
    pub fn size(&self) -> usize {
        self.0.encoded_len()
    }
}

/// What a measurement found; latencies in microseconds.
#[derive(Debug, Clone)]
pub struct Figures {
    pub rate: f64,
    pub p50: u64,
    pub p99: u64,
    pub max: u64,
    pub errors: u64,
}

async fn connect(addr: &str) -> anyhow::Result<DecisionServiceClient<Channel>> {
    let channel = Endpoint::from_shared(format!("http://{addr}"))?
        .tcp_nodelay(true)
        .connect()
        .await?;
    Ok(DecisionServiceClient::new(channel))
}

fn request(token: &MetadataValue<Ascii>, question: &Question) -> Request<DecideRequest> {
    let mut request = Request::new(question.0.clone());
    request
        .metadata_mut()
        .insert("authorization", token.clone());
    request
}

/// One answer, encoded, after checking that it is ALLOW.
pub async fn ask_once(addr: &str, token: &str, question: &Question) -> anyhow::Result<Vec<u8>> {
    let token = format!("Bearer {token}").parse()?;
    let answer = connect(addr)
        .await?
        .decide(request(&token, question))
        .await?
        .into_inner();
    let effect = answer.decision.as_ref().map(|decision| decision.effect());
    anyhow::ensure!(
        effect == Some(Effect::Allow),
        "expected ALLOW, got {answer:?}"
    );
    Ok(answer.encode_to_vec())
}

/// Keeps `in_flight` calls open on one connection for `time`, after a short warm-up.
pub async fn measure(
    addr: &str,
    token: &str,
    question: &Question,
    in_flight: usize,
    time: Duration,
) -> anyhow::Result<Figures> {
    let client = connect(addr).await?;
    let token: MetadataValue<Ascii> = format!("Bearer {token}").parse()?;
    run(
        &client,
        &token,
        question,
        in_flight,
        Duration::from_millis(500),
    )
    .await?;
    run(&client, &token, question, in_flight, time).await
}

async fn run(
    client: &DecisionServiceClient<Channel>,
    token: &MetadataValue<Ascii>,
    question: &Question,
    in_flight: usize,
    time: Duration,
) -> anyhow::Result<Figures> {
    let found = Rc::new(RefCell::new((
        Histogram::<u64>::new_with_bounds(1, MAX_MICROS, 3)?,
        0_u64,
    )));
    let started = Instant::now();
    let workers = (0..in_flight).map(|_| {
        let (mut client, found) = (client.clone(), found.clone());
        async move {
            while started.elapsed() < time {
                let asked = Instant::now();
                let answer = client.decide(request(token, question)).await;
                let taken = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
                let allowed = answer.is_ok_and(|answer| {
                    answer.get_ref().decision.as_ref().map(|d| d.effect()) == Some(Effect::Allow)
                });
                let (histogram, errors) = &mut *found.borrow_mut();
                histogram.saturating_record(taken);
                *errors += u64::from(!allowed);
            }
        }
    });
    futures::future::join_all(workers).await;
    let (histogram, errors) = &*found.borrow();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = histogram.len() as f64 / started.elapsed().as_secs_f64();
    Ok(Figures {
        rate,
        p50: histogram.value_at_quantile(0.5),
        p99: histogram.value_at_quantile(0.99),
        max: histogram.max(),
        errors: *errors,
    })
}
