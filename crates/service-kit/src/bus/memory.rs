//! The event stream within the process.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{Bus, Delivery, Event, Positioned, Progress, Published, Stream, Subscription};
use crate::error::Result;

/// Events that a member takes at once.
const TAKE: usize = 32;

/// Streams in memory. What isn't passed when the process ends is published again from
/// the outbox. How much a stream holds is bounded by who publishes.
#[derive(Default)]
pub struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Told at every publication and whenever events come back.
    news: Notify,
}

#[derive(Default)]
struct State {
    streams: BTreeMap<Arc<str>, Log>,
    groups: BTreeMap<Arc<str>, Group>,
}

#[derive(Default)]
struct Log {
    incarnation: String,
    top: u64,
    events: VecDeque<Positioned>,
}

/// By producer.
#[derive(Default)]
struct Group(BTreeMap<Arc<str>, Reader>);

#[derive(Default)]
struct Reader {
    /// The last position that a member took.
    taken: u64,
    /// Taken, not acknowledged.
    pending: BTreeSet<u64>,
    /// Taken by a member that is gone.
    returned: BTreeSet<u64>,
}

impl Reader {
    fn passed(&self) -> u64 {
        let first = self
            .pending
            .first()
            .into_iter()
            .chain(self.returned.first());
        first.min().map_or(self.taken, |first| first - 1)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Bus for Memory {
    async fn publish(
        &self,
        stream: Stream<'_>,
        after: u64,
        events: &[Positioned],
    ) -> Result<Published> {
        let mut state = self.0.lock();
        let State { streams, groups } = &mut *state;
        let log = streams.entry(stream.producer.into()).or_default();
        if log.incarnation != stream.incarnation {
            *log = Log {
                incarnation: stream.incarnation.to_owned(),
                ..Log::default()
            };
            for group in groups.values_mut() {
                group.0.remove(stream.producer);
            }
        }
        if log.top != after {
            return Ok(Published::Elsewhere { top: log.top });
        }
        log.events.extend(events.iter().cloned());
        log.top = events.last().map_or(after, |last| last.position);
        drop(state);
        self.0.news.notify_waiters();
        Ok(Published::Done)
    }

    async fn progress(&self, stream: Stream<'_>, groups: &[String]) -> Result<Progress> {
        let mut state = self.0.lock();
        let State {
            streams,
            groups: known,
        } = &mut *state;
        let Some(log) = streams.get_mut(stream.producer) else {
            return Ok(Progress::default());
        };
        if log.incarnation != stream.incarnation {
            return Ok(Progress::default());
        }
        let counts = |name: &str| groups.is_empty() || groups.iter().any(|group| group == name);
        let position = |group: &Group| group.0.get(stream.producer).map_or(0, Reader::passed);
        // A group that counts and isn't there has passed nothing.
        let absent = groups
            .iter()
            .filter(|group| !known.contains_key(group.as_str()));
        let slowest = known
            .iter()
            .filter(|(name, _)| counts(name))
            .map(|(name, group)| (position(group), name.to_string()))
            .chain(absent.map(|group| (0, group.clone())))
            .min();
        let passed = slowest
            .as_ref()
            .map_or(log.top, |(at, _)| (*at).min(log.top));
        while log.events.front().is_some_and(|e| e.position <= passed) {
            log.events.pop_front();
        }
        let strangers = known.keys().filter(|name| !counts(name));
        Ok(Progress {
            top: log.top,
            passed,
            waiting: log.events.len() as u64,
            slowest: slowest.filter(|_| passed < log.top).map(|(_, name)| name),
            strangers: strangers.map(ToString::to_string).collect(),
        })
    }

    fn subscribe(&self, group: &str) -> Box<dyn Subscription> {
        let group: Arc<str> = group.into();
        self.0.lock().groups.entry(Arc::clone(&group)).or_default();
        Box::new(Member {
            shared: Arc::clone(&self.0),
            group,
            held: BTreeSet::new(),
        })
    }
}

struct Member {
    shared: Arc<Shared>,
    group: Arc<str>,
    /// Taken by this member, not acknowledged.
    held: BTreeSet<(Arc<str>, u64)>,
}

impl Member {
    fn take(&mut self) -> Vec<Delivery> {
        let mut state = self.shared.lock();
        let State { streams, groups } = &mut *state;
        let group = groups.entry(Arc::clone(&self.group)).or_default();
        let mut deliveries = Vec::new();
        for (producer, log) in streams.iter() {
            let reader = group.0.entry(Arc::clone(producer)).or_default();
            let Reader {
                taken, returned, ..
            } = reader;
            let wanted: Vec<Positioned> = log
                .events
                .iter()
                .filter(|e| e.position > *taken || returned.contains(&e.position))
                .take(TAKE)
                .cloned()
                .collect();
            for Positioned { position, event } in wanted {
                reader.taken = reader.taken.max(position);
                reader.returned.remove(&position);
                reader.pending.insert(position);
                self.held.insert((Arc::clone(producer), position));
                deliveries.push(delivery(producer, position, event));
            }
        }
        deliveries
    }
}

fn delivery(producer: &Arc<str>, position: u64, event: Arc<Event>) -> Delivery {
    Delivery {
        producer: Arc::clone(producer),
        id: position.to_string(),
        event: Ok(event),
    }
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self) -> Result<Vec<Delivery>> {
        let shared = Arc::clone(&self.shared);
        loop {
            // Registered before looking, so that no publication is missed between.
            let news = shared.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let deliveries = self.take();
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            news.await;
        }
    }

    async fn acknowledge(&mut self, delivery: &Delivery) -> Result<()> {
        let position = delivery.id.parse().unwrap_or_default();
        self.held
            .remove(&(Arc::clone(&delivery.producer), position));
        let mut state = self.shared.lock();
        let group = state.groups.get_mut(&self.group);
        if let Some(reader) = group.and_then(|group| group.0.get_mut(&delivery.producer)) {
            reader.pending.remove(&position);
        }
        Ok(())
    }

    async fn keep(&mut self, _: &[Delivery]) -> Result<()> {
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if let Some(group) = state.groups.get_mut(&self.group) {
            for (producer, position) in &self.held {
                let Some(reader) = group.0.get_mut(producer) else {
                    continue;
                };
                if reader.pending.remove(position) {
                    reader.returned.insert(*position);
                }
            }
        }
        drop(state);
        self.shared.news.notify_waiters();
    }
}
