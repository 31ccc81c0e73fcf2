//! What becomes of the actions that came of recommendations, as the exceptions service
//! tells over the event stream.

use async_trait::async_trait;
use serde::{Deserialize, de::DeserializeOwned};
use service_kit::{
    bus::{Event, Handler},
    error::{Error, Result},
    identity::{Found, Scopes},
};

use super::{App, id_in, ports::Action, records::Author};
use crate::domain::recommendation::{EXECUTED, State};

/// Consumer group of this service.
pub const GROUP: &str = "aigate";

/// Source of the events.
const SOURCE: &str = "/bylaw/exceptions";

/// What an action's event says, as far as it is read.
#[derive(Debug, Deserialize)]
struct Told {
    action: String,
    state: String,
    #[serde(default)]
    recommendation: String,
}

/// A receipt was used that no action of the exceptions service has.
const USED: &str = "bylaw.exceptions.receipt.used.v1";

/// What the report of such a receipt says, as far as it is read.
#[derive(Debug, Deserialize)]
struct Used {
    document: String,
    receipt: String,
    operations: Vec<String>,
}

/// Takes in events of actions and of receipts.
pub struct Outcomes(App);

impl Outcomes {
    /// Over the use cases.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self(app)
    }
}

#[async_trait]
impl Handler for Outcomes {
    fn types(&self) -> &[&str] {
        &["bylaw.exceptions.action.*", USED]
    }

    async fn handle(&self, event: &Event) -> Result<()> {
        if event.source != SOURCE {
            // Another source has no say in actions.
            return Ok(());
        }
        if event.r#type == USED {
            return self.0.used(&read(event)?).await;
        }
        let told: Told = read(event)?;
        if told.recommendation.is_empty() {
            return Ok(());
        }
        self.0.record(&told).await
    }
}

fn read<T: DeserializeOwned>(event: &Event) -> Result<T> {
    serde_json::from_value(event.json()?).map_err(|e| Error::invalid("data", e.to_string()))
}

impl App {
    /// The executing system reports what a recommendation was let do by itself.
    async fn used(&self, used: &Used) -> Result<()> {
        let Some(mut known) = self.store.of_receipt(&used.receipt).await? else {
            return Ok(());
        };
        let meant = known.document == format!("documents/{}", used.document)
            && used.operations.contains(&known.proposal.operation);
        if known.state != State::Auto || !known.outcome.is_empty() || !meant {
            return Ok(());
        }
        let (author, version) = (Author::own(self.now()), known.version);
        EXECUTED.clone_into(&mut known.outcome);
        known.touch(self.now());
        let entry = author.changed("outcome-recorded", "record-outcome", &known);
        self.keep(known, version, entry).await.map(|_| ())
    }

    async fn record(&self, told: &Told) -> Result<()> {
        let id = id_in(&told.recommendation)?;
        let Found::Here(mut known) = self.store.find(id, &Scopes::All).await? else {
            return Ok(());
        };
        let author = Author::own(self.now());
        if known.state == State::InReview && known.intent.is_some() {
            let action = Action {
                name: told.action.clone(),
                state: told.state.clone(),
                operation: known.proposal.operation.clone(),
                recommendation: told.recommendation.clone(),
            };
            self.accepted(&author, known, Some(action)).await?;
            return Ok(());
        }
        let outcome = outcome(&told.state);
        if known.action != told.action || outcome.is_empty() || known.outcome == outcome {
            return Ok(());
        }
        let version = known.version;
        outcome.clone_into(&mut known.outcome);
        known.touch(self.now());
        let entry = author.changed("outcome-recorded", "record-outcome", &known);
        // A change that came between makes the event be delivered again.
        self.keep(known, version, entry).await.map(|_| ())
    }
}

/// What a state of an action means as an outcome; empty while it is open.
pub(super) fn outcome(state: &str) -> &str {
    match state {
        "PENDING_APPROVAL" | "ACTION_STATE_UNSPECIFIED" => "",
        known => known,
    }
}
