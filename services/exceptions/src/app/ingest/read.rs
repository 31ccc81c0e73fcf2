//! Reading an event: which type it is of, what it says, what that raises.

use chrono::{DateTime, Utc};
use decision::Value;
use governance::Scope;

use crate::domain::{
    catalog::{Catalog, EVENT_TYPE, Home, Reading, Route},
    event::Event,
};

/// An event with what it means.
pub(super) struct Item {
    pub(super) event: Event,
    pub(super) digest: String,
    /// When it happened; when it came, if it doesn't say.
    pub(super) occurred: DateTime<Utc>,
    /// The unit that its scope means, or the scope itself where that is above units.
    pub(super) at: Scope,
    /// Whether the scope is above units.
    pub(super) above: bool,
    /// What it means, or why it can't be taken in.
    pub(super) meaning: Result<Meaning, String>,
}

/// What an event means.
pub(super) struct Meaning {
    pub(super) reading: Reading,
    pub(super) raises: Vec<Raise>,
    /// Whether its type resolves exceptions or executes actions.
    pub(super) ends: bool,
}

/// An exception that an event raises, unless it is open already.
pub(super) struct Raise {
    pub(super) kind: String,
    pub(super) route: Route,
    pub(super) response_by: Option<DateTime<Utc>>,
    pub(super) resolution_by: Option<DateTime<Utc>>,
}

impl Item {
    pub(super) fn read(catalog: &Catalog, event: Event, now: DateTime<Utc>) -> Self {
        let home = catalog.home(&event.scope);
        let at = match &home {
            Ok(Home::Unit(unit)) => unit.clone(),
            Ok(Home::Below) | Err(_) => event.scope.clone(),
        };
        Self {
            digest: event.digest(),
            occurred: event.time.unwrap_or(now),
            above: home == Ok(Home::Below),
            meaning: home.and_then(|_| meaning(catalog, &event, &at, now)),
            at,
            event,
        }
    }
}

/// What an event means for a document of this scope.
pub(super) fn meaning(
    catalog: &Catalog,
    event: &Event,
    scope: &Scope,
    now: DateTime<Utc>,
) -> Result<Meaning, String> {
    let declared = catalog
        .events
        .get(&event.kind)
        .ok_or_else(|| format!("type: no event type {:?} is declared", event.kind))?;
    let data = event.read_data()?;
    let reading = declared.read(scope, &event.subject, &data)?;
    let mut inputs = reading.inputs.clone();
    inputs.insert(EVENT_TYPE, Value::String(event.kind.clone()));
    let mut raises = Vec::new();
    for kind in catalog.detect(scope, &inputs)? {
        let Some(routed) = catalog.route(scope, kind, &reading.inputs)? else {
            continue;
        };
        // Clocks start at receipt: nobody can respond to what hasn't arrived.
        let due = |time: Option<chrono::TimeDelta>| {
            let calendar = catalog.calendars.get(routed.calendar.as_ref()?)?;
            calendar.after(now, time?)
        };
        raises.push(Raise {
            kind: kind.to_owned(),
            response_by: due(routed.route.response),
            resolution_by: due(routed.route.resolution),
            route: routed.route,
        });
    }
    Ok(Meaning {
        reading,
        raises,
        ends: declared.resolves.is_some() || declared.executes.is_some(),
    })
}
