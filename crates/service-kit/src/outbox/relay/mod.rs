//! Delivers the outbox: numbers committed rows, appends them to the audit log, publishes
//! their events.
//!
//! One relay works per database, the one that holds its lock; it is woken at commits of
//! its own process, by NOTIFY at those of other replicas, and by a slow clock as the net.
//! The log and the stream are lanes of their own: one that is away doesn't hold up the
//! other. Anything that fails on the database ends the term of office; the next one, here
//! or in another replica, begins from what the database says.

mod deliver;
mod publish;
mod report;
mod session;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::session::Session;
use super::{Outbox, Sink, rows};
use crate::{
    bus::{Bus, backoff::Backoff},
    error::{Chain, Error, Reason, Result},
    health::{Health, Status},
};

/// Rows that are numbered in one transaction.
const NUMBER: u64 = 5_000;

/// The net under wake-ups that got lost.
const POLL: Duration = Duration::from_secs(3);

/// First and longest pause between attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A term of this length wasn't a failed start.
const STEADY: Duration = Duration::from_secs(10);

/// Longest wait for the database, the log or the stream: one that took a call and says
/// nothing is away.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a relay works with.
pub(super) struct Relay {
    pub outbox: Outbox,
    pub sink: Arc<dyn Sink>,
    pub bus: Arc<dyn Bus>,
    pub groups: Vec<String>,
    /// Most events in the stream that not all groups have passed.
    pub window: usize,
    pub health: Health,
    pub shutdown: CancellationToken,
}

/// Works, or waits to, until the relay's shutdown.
pub(super) async fn run(relay: Relay) {
    let shutdown = relay.shutdown.clone();
    let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
    let mut troubles = report::Troubles::default();
    loop {
        let began = Instant::now();
        let term = async {
            let session = Session::open(&relay.outbox.db).await?;
            let result = lead(&relay, &session, &mut troubles).await;
            session.close().await;
            result
        };
        let error = tokio::select! {
            () = shutdown.cancelled() => return,
            Err(error) = term => error,
        };
        let why = Chain(&error).to_string();
        tracing::warn!(
            producer = relay.outbox.producer,
            error = why,
            "relay interrupted"
        );
        relay
            .health
            .set("outbox", Status::Degraded, format!("interrupted: {why}"));
        if began.elapsed() > STEADY {
            backoff.reset();
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(backoff.pause()) => {}
        }
    }
}

/// A term of office; it ends by an error only.
async fn lead(relay: &Relay, session: &Session, troubles: &mut report::Troubles) -> Result<()> {
    session.take_office().await?;
    let state = in_time("database", rows::state(session.conn())).await?;
    let office = Office {
        relay,
        session,
        incarnation: state.incarnation,
        numbered: watch::Sender::new(state.numbered),
        audited: watch::Sender::new(state.audited),
        troubles: Mutex::new(std::mem::take(troubles)),
    };
    let result = tokio::try_join!(
        office.number(),
        office.deliver(),
        office.publish(),
        office.report(),
    );
    *troubles = std::mem::take(&mut *office.troubles());
    result.map(drop)
}

/// What the lanes of a term share.
struct Office<'a> {
    relay: &'a Relay,
    session: &'a Session,
    incarnation: String,
    /// The last number given.
    numbered: watch::Sender<i64>,
    /// The last number that the log has.
    audited: watch::Sender<i64>,
    troubles: Mutex<report::Troubles>,
}

impl Office<'_> {
    fn producer(&self) -> &'static str {
        self.relay.outbox.producer
    }

    fn troubles(&self) -> std::sync::MutexGuard<'_, report::Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers rows as they are committed.
    async fn number(&self) -> Result<()> {
        let mut wake = self.session.listen().await?;
        loop {
            let (last, count) = in_time("database", self.number_some()).await?;
            if count > 0 {
                self.numbered.send_replace(last);
            }
            if count < NUMBER {
                wake.wait(POLL).await?;
            }
        }
    }

    async fn number_some(&self) -> Result<(i64, u64)> {
        let tx = self.session.begin().await?;
        let numbered = rows::number(&tx, NUMBER).await?;
        tx.commit().await?;
        Ok(numbered)
    }
}

/// Gives up on what takes longer than [`PATIENCE`].
async fn in_time<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| {
            Err(Error::unavailable(
                Reason::PeerUnavailable,
                format!("the {what} doesn't answer"),
            ))
        })
}
