//! Whether a process can do its work, and why not: components report, and gRPC health,
//! `/livez` and `/readyz` tell.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;
use tokio::sync::watch;

/// How a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It works.
    Serving,
    /// It works with something missing, such as an event stream that is away: slower or
    /// later, never wrong. It doesn't make the process unready.
    Degraded,
    /// It doesn't work, and neither does what needs it.
    NotServing,
}

/// A component's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// How it is.
    pub status: Status,
    /// Why, for an operator; no secrets.
    pub detail: String,
}

/// What the parts of a process report. Cheap to clone; clones share their reports.
#[derive(Debug, Clone)]
pub struct Health {
    /// Prefix of this handle's components: the part's name.
    part: Arc<str>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Counts changes, so that watchers look again.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// By part, then by component.
    parts: BTreeMap<Arc<str>, BTreeMap<String, Component>>,
    /// Part of each gRPC service.
    services: BTreeMap<String, Arc<str>>,
    draining: bool,
}

/// Everything that is known, for `/readyz`.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether calls are welcome.
    pub ready: bool,
    /// Whether the process is about to stop.
    pub draining: bool,
    /// By part, then by component.
    pub parts: BTreeMap<String, BTreeMap<String, Component>>,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// Health of a process, with no component yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            part: "".into(),
            shared: Arc::new(Shared {
                state: Mutex::default(),
                changes: watch::Sender::new(0),
            }),
        }
    }

    /// The handle of one part of the process.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        let part: Arc<str> = name.into();
        self.change(|state| {
            state.parts.entry(Arc::clone(&part)).or_default();
        });
        Self {
            part,
            shared: Arc::clone(&self.shared),
        }
    }

    /// Reports how a component of this part is. Reporting the same again costs little.
    pub fn set(&self, component: &str, status: Status, detail: impl Into<String>) {
        let report = Component {
            status,
            detail: detail.into(),
        };
        let detail = report.detail.clone();
        let before = {
            let mut state = self.lock();
            let components = state.parts.entry(Arc::clone(&self.part)).or_default();
            if components.get(component) == Some(&report) {
                return;
            }
            components.insert(component.to_owned(), report)
        };
        self.announce();
        // The detail may tell of progress; only a turn is worth a line.
        if before.map(|report| report.status) != Some(status) {
            let part = &*self.part;
            match status {
                Status::Serving => tracing::info!(part, component, detail, "component works"),
                Status::Degraded => tracing::warn!(part, component, detail, "component degraded"),
                Status::NotServing => tracing::error!(part, component, detail, "component down"),
            }
        }
    }

    /// Forgets a component of this part.
    pub fn remove(&self, component: &str) {
        self.change(|state| {
            if let Some(components) = state.parts.get_mut(&self.part) {
                components.remove(component);
            }
        });
    }

    /// Names the gRPC services of this part, whose health follows its components.
    pub fn serve(&self, services: &[&'static str]) {
        self.change(|state| {
            for service in services {
                state
                    .services
                    .insert((*service).to_owned(), Arc::clone(&self.part));
            }
        });
    }

    /// Says that the process is about to stop: nothing is ready any more.
    pub fn drain(&self) {
        self.change(|state| state.draining = true);
    }

    /// Whether all parts can do their work.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.report().ready
    }

    /// Everything that is known.
    #[must_use]
    pub fn report(&self) -> Report {
        let state = self.lock();
        Report {
            ready: state.ready(None),
            draining: state.draining,
            parts: state
                .parts
                .iter()
                .map(|(name, components)| (name.to_string(), components.clone()))
                .collect(),
        }
    }

    /// Whether a gRPC service works; the empty name stands for the process. `None` where
    /// there is no such service.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<bool> {
        let state = self.lock();
        if name.is_empty() {
            return Some(state.ready(None));
        }
        state.services.get(name).map(|part| state.ready(Some(part)))
    }

    /// Tells when something changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    fn change(&self, with: impl FnOnce(&mut State)) {
        with(&mut self.lock());
        self.announce();
    }

    fn announce(&self) {
        self.shared.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ready(&self, part: Option<&Arc<str>>) -> bool {
        let works = |components: &BTreeMap<String, Component>| {
            components.values().all(|c| c.status < Status::NotServing)
        };
        !self.draining
            && match part {
                Some(part) => self.parts.get(part).is_none_or(works),
                None => self.parts.values().all(works),
            }
    }
}
