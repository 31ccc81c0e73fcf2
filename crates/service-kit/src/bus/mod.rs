//! The event stream: in the process, or Redis streams.
//!
//! Every producer has a stream of its own, in which an event's position is its outbox
//! row's number. Consumer groups get every event at least once; a stream holds only what
//! not all groups have passed.

pub(crate) mod backoff;
mod consume;
mod event;
mod memory;
mod redis;

use std::sync::Arc;

use async_trait::async_trait;

pub use consume::{Handler, consume};
pub use event::Event;
pub use memory::Memory;
pub use redis::Redis;

use crate::{error::Result, settings::Bus as Settings};

/// An event that is to be published, at its place in the producer's stream.
#[derive(Debug, Clone)]
pub struct Positioned {
    /// Place, from 1, rising with gaps.
    pub position: u64,
    /// The event.
    pub event: Arc<Event>,
}

/// How far a producer's stream and its readers are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Position of the last event that was published; 0 where the stream knows none,
    /// such as after a loss.
    pub top: u64,
    /// All groups that count have passed everything up to here.
    pub passed: u64,
    /// Events in the stream that not all of them have passed.
    pub waiting: u64,
    /// The group that is the furthest behind, where events wait.
    pub slowest: Option<String>,
    /// Groups that read the stream and don't count: what they haven't read may be gone.
    pub strangers: Vec<String>,
}

/// What came of publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// All are in the stream.
    Done,
    /// None is: the last event isn't the one that was said.
    Elsewhere {
        /// Position of the last event.
        top: u64,
    },
}

/// Which stream: a producer's, of one incarnation of its database. A stream of another
/// incarnation counts as none, and publishing starts it anew.
#[derive(Debug, Clone, Copy)]
pub struct Stream<'a> {
    /// The producing service.
    pub producer: &'a str,
    /// The database's incarnation.
    pub incarnation: &'a str,
}

/// An event at a consumer.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Whose stream it is from.
    pub producer: Arc<str>,
    /// Its id there; opaque.
    pub id: String,
    /// The event, or what was there instead.
    pub event: Result<Arc<Event>, Undecodable>,
}

/// Something in a stream that is no event.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{problem}")]
pub struct Undecodable {
    /// What is wrong.
    pub problem: String,
    /// What was there, as far as it is text.
    pub raw: String,
}

/// An event stream.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Appends events, all or none, if the last one of the stream is at `after`.
    ///
    /// # Errors
    /// If the stream can't be reached; then it isn't known whether they are there.
    async fn publish(
        &self,
        stream: Stream<'_>,
        after: u64,
        events: &[Positioned],
    ) -> Result<Published>;

    /// How far the stream and `groups` are; with none given, all groups that the stream
    /// knows count. Removes what all have passed.
    ///
    /// # Errors
    /// If the stream can't be reached.
    async fn progress(&self, stream: Stream<'_>, groups: &[String]) -> Result<Progress>;

    /// Joins a consumer group, which counts from now on.
    fn subscribe(&self, group: &str) -> Box<dyn Subscription>;
}

/// A member of a consumer group. What it took and didn't acknowledge goes to another
/// member when it is gone.
#[async_trait]
pub trait Subscription: Send + Sync {
    /// The next events; waits for one, and may answer none. Each producer's are in order,
    /// but for those taken over from a member that is gone.
    ///
    /// # Errors
    /// If the stream can't be reached.
    async fn next(&mut self) -> Result<Vec<Delivery>>;

    /// Says that an event was handled.
    ///
    /// # Errors
    /// If the stream can't be reached; then the event comes again.
    async fn acknowledge(&mut self, delivery: &Delivery) -> Result<()>;

    /// Says that these are still being handled.
    ///
    /// # Errors
    /// If the stream can't be reached.
    async fn keep(&mut self, deliveries: &[Delivery]) -> Result<()>;
}

/// The bus that the settings name: in the process where they name none.
///
/// # Errors
/// If the URL is malformed. A Redis that can't be reached is no error: events wait.
pub fn connect(settings: &Settings) -> Result<Arc<dyn Bus>> {
    if settings.url.is_empty() {
        return Ok(Arc::new(Memory::default()));
    }
    Ok(Arc::new(Redis::open(settings)?))
}

/// A bus within the process.
#[must_use]
pub fn memory() -> Arc<dyn Bus> {
    Arc::new(Memory::default())
}
