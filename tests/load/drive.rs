//! Calls kept in flight on one connection; the effect of every answer is checked.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use contracts::{
    policy::{
        BatchDecideRequest, DecideRequest, DecideResponse,
        decision_service_client::DecisionServiceClient,
    },
    types::{Decimal, Effect, Fact, Money, Value, value::Kind},
};
use hdrhistogram::Histogram;
use prost::Message as _;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

use crate::lean;

/// Longest latency told apart: a minute.
const MAX_MICROS: u64 = 60_000_000;

/// What is asked, again and again. Its expected effect is ALLOW.
#[derive(Clone)]
pub enum Question {
    /// One decision a call.
    One(DecideRequest),
    /// Several a call: the request encoded, and how many.
    Batch(Bytes, usize),
}

impl Question {
    /// An order that is small, on time and not regulated: ALLOW, after eight facts and three
    /// layers.
    pub fn one(scope: &str) -> Self {
        let fact = |name: &str, kind| Fact {
            name: name.to_owned(),
            value: Some(Value { kind: Some(kind) }),
            ..Fact::default()
        };
        let number = |text: &str| Decimal {
            value: text.to_owned(),
        };
        let text = |name: &str, value: &str| fact(name, Kind::StringValue(value.to_owned()));
        let total = Money {
            amount: Some(number("1845.00")),
            currency_code: "EUR".to_owned(),
        };
        let facts = vec![
            fact("order.total", Kind::MoneyValue(total)),
            fact("order.lines", Kind::NumberValue(number("7"))),
            text("order.promised", "2026-12-01"),
            fact("customer.days_overdue", Kind::NumberValue(number("12"))),
            text("customer.segment", "wholesale"),
            fact("item.regulated", Kind::BooleanValue(false)),
            text("item.hazard_class", "none"),
            text("ship_to.country", "DE"),
        ];
        Self::One(DecideRequest {
            workflow: "order_release".to_owned(),
            scope: scope.to_owned(),
            correlation_id: "SO-4711".to_owned(),
            facts,
            ..DecideRequest::default()
        })
    }

    /// The same question `size` times in one call.
    pub fn batch(scope: &str, size: usize) -> Self {
        let Self::One(request) = Self::one(scope) else {
            return Self::one(scope);
        };
        let request = BatchDecideRequest {
            requests: vec![request; size],
        };
        Self::Batch(request.encode_to_vec().into(), size)
    }

    /// Encoded size in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::One(request) => request.encoded_len(),
            Self::Batch(request, _) => request.len(),
        }
    }

    /// Decisions a call.
    pub fn decisions(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Batch(_, size) => *size as u64,
        }
    }

    /// Asks; how many of the answers weren't ALLOW, and the answer encoded.
    async fn ask(
        &self,
        channel: Channel,
        token: &MetadataValue<Ascii>,
        keep: bool,
    ) -> Result<(u64, Bytes), Status> {
        match self {
            Self::One(question) => {
                let mut client = DecisionServiceClient::new(channel);
                let answer = client.decide(signed(token, question.clone())).await?;
                let answer = answer.into_inner();
                let encoded = keep.then(|| answer.encode_to_vec().into());
                let wrong = u64::from(!allowed(&answer));
                Ok((wrong, encoded.unwrap_or_default()))
            }
            Self::Batch(question, size) => {
                let request = signed(token, question.clone());
                let (allowed, answer) = lean::ask(channel, request).await?;
                Ok((size.abs_diff(allowed) as u64, answer))
            }
        }
    }
}

fn allowed(answer: &DecideResponse) -> bool {
    answer.decision.as_ref().map(|decision| decision.effect()) == Some(Effect::Allow)
}

pub fn signed<T>(token: &MetadataValue<Ascii>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("authorization", token.clone());
    request
}

/// What a measurement found; latencies in microseconds.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Decisions a second.
    pub rate: f64,
    /// Median of the calls.
    pub p50: u64,
    /// 99th percentile of the calls.
    pub p99: u64,
    /// The slowest call.
    pub max: u64,
    /// Decisions that weren't ALLOW, and calls that failed.
    pub errors: u64,
}

pub async fn connect(addr: &str) -> anyhow::Result<Channel> {
    let channel = Endpoint::from_shared(format!("http://{addr}"))?
        .tcp_nodelay(true)
        .connect()
        .await?;
    Ok(channel)
}

pub fn bearer(token: &str) -> anyhow::Result<MetadataValue<Ascii>> {
    Ok(format!("Bearer {token}").parse()?)
}

/// One answer, encoded, after checking that it is ALLOW.
pub async fn ask_once(addr: &str, token: &str, question: &Question) -> anyhow::Result<Bytes> {
    let channel = connect(addr).await?;
    let (wrong, answer) = question.ask(channel, &bearer(token)?, true).await?;
    anyhow::ensure!(wrong == 0, "{wrong} answers aren't ALLOW");
    Ok(answer)
}

/// Keeps `in_flight` calls open on one connection for `time`, after a short warm-up.
pub async fn measure(
    addr: &str,
    token: &str,
    question: &Question,
    in_flight: usize,
    time: Duration,
) -> anyhow::Result<Figures> {
    let (channel, token) = (connect(addr).await?, bearer(token)?);
    let warm_up = Duration::from_millis(500);
    run(&channel, &token, question, in_flight, warm_up).await?;
    run(&channel, &token, question, in_flight, time).await
}

async fn run(
    channel: &Channel,
    token: &MetadataValue<Ascii>,
    question: &Question,
    in_flight: usize,
    time: Duration,
) -> anyhow::Result<Figures> {
    let histogram = Histogram::<u64>::new_with_bounds(1, MAX_MICROS, 3)?;
    let found = Rc::new(RefCell::new((histogram, 0_u64)));
    let started = Instant::now();
    let workers = (0..in_flight).map(|_| {
        let (channel, found) = (channel, found.clone());
        async move {
            while started.elapsed() < time {
                let asked = Instant::now();
                let answer = question.ask(channel.clone(), token, false).await;
                let taken = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
                let (histogram, errors) = &mut *found.borrow_mut();
                histogram.saturating_record(taken);
                *errors += answer.map_or(question.decisions(), |(wrong, _)| wrong);
            }
        }
    });
    futures::future::join_all(workers).await;
    let (histogram, errors) = &*found.borrow();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let decided = (histogram.len() * question.decisions()) as f64;
    Ok(Figures {
        rate: decided / started.elapsed().as_secs_f64(),
        p50: histogram.value_at_quantile(0.5),
        p99: histogram.value_at_quantile(0.99),
        max: histogram.max(),
        errors: *errors,
    })
}
