//! A token bucket for each principal, within this process.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use moka::sync::Cache;

use super::refuse;
use crate::{
    around::{Answering, Around, Call, Request, Wrap},
    error::{Error, Kind, Reason},
    identity::{Caller, PrincipalKind},
    settings::Limits,
};

/// Principals whose buckets are kept; of more, those that called longest ago are
/// forgotten, and begin with a full one.
const PRINCIPALS: u64 = 100_000;

/// A bucket unused for this long is full again at any rate.
const FORGET: Duration = Duration::from_secs(60);

/// Seconds of its rate that a principal may spend at once.
const BURST: f64 = 2.0;

#[derive(Clone)]
pub(super) struct Rate {
    people: u32,
    services: u32,
    buckets: Cache<(String, String), Arc<Mutex<Bucket>>>,
}

impl Rate {
    pub(super) fn layer(limits: &Limits) -> Wrap<Self> {
        Wrap(Self {
            people: limits.calls_per_second,
            services: limits.service_calls_per_second,
            buckets: Cache::builder()
                .max_capacity(PRINCIPALS)
                .time_to_idle(FORGET)
                .build(),
        })
    }

    /// Takes a token for the call, or says how long until there is one.
    fn admit(&self, caller: &Caller) -> Result<(), Duration> {
        let principal = caller.principal();
        let rate = match principal.kind {
            PrincipalKind::Person | PrincipalKind::Model => self.people,
            PrincipalKind::Service => self.services,
        };
        if rate == 0 {
            return Ok(());
        }
        let key = (principal.issuer.clone(), principal.subject.clone());
        let now = Instant::now();
        let bucket = self.buckets.get_with(key, || {
            Arc::new(Mutex::new(Bucket::full(f64::from(rate), now)))
        });
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(f64::from(rate), now)
    }
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn full(rate: f64, now: Instant) -> Self {
        Self {
            tokens: rate * BURST,
            filled: now,
        }
    }

    fn take(&mut self, rate: f64, now: Instant) -> Result<(), Duration> {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + elapsed * rate).min(rate * BURST);
        self.filled = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.tokens) / rate))
    }
}

impl Around for Rate {
    fn call<S: Call>(&self, inner: &mut S, request: Request) -> Answering {
        let admitted = match request.extensions().get::<Arc<Caller>>() {
            Some(caller) => self.admit(caller),
            // A public method: there is nobody to count.
            None => Ok(()),
        };
        match admitted {
            Ok(()) => Box::pin(inner.call(request)),
            Err(wait) => {
                let message = "the caller sends more calls than its rate allows";
                let error = Error::new(Kind::ResourceExhausted, Reason::RateLimited, message);
                Box::pin(async move { Ok(refuse(error.with_retry(wait))) })
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_through_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::full(10.0, start);
        for _ in 0..20 {
            bucket.take(10.0, start).unwrap();
        }
        let wait = bucket.take(10.0, start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        bucket.take(10.0, start + wait).unwrap();
        assert!(bucket.take(10.0, start + wait).is_err());
    }
}
