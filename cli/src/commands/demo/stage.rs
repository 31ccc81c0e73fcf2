//! What the story is played with: connections, the cast, and what has come up so far.

use std::time::{Duration, Instant};

use contracts::{
    audit::{Checkpoint, GetCheckpointRequest},
    exceptions::Action,
    types::Fact,
};
use governance::Scope;

use super::cast::Cast;
use crate::{
    args::{Common, Demo},
    connect::{Development, Running, Session, Wants},
    failure::Failure,
};

/// How long something that follows by itself may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the story is played with.
pub struct Stage {
    common: Common,
    session: Session,
    /// The principals there are.
    pub development: Development,
    /// Who plays whom.
    pub cast: Cast,
    /// The business unit.
    pub unit: Scope,
    /// The order's number, which is the correlation id.
    pub order: String,
    /// Where HTTP answers.
    pub http_addr: String,
    /// The exception that was raised.
    pub exception: String,
    /// The recommendation that was submitted.
    pub recommendation: String,
    /// The action that was asked for, as last seen.
    pub action: Action,
    /// The log's checkpoint that the auditor held before the story.
    pub held: Checkpoint,
}

impl Stage {
    /// Connects, and picks the cast.
    pub async fn set(common: &Common, args: &Demo) -> Result<Self, Failure> {
        let unit: Scope = args
            .scope
            .parse()
            .map_err(|error| Failure::usage(format!("--scope: {error}")))?;
        let development = Development::open(&common.data_dir)?;
        let cast = Cast::pick(&development, &unit)?;
        let http_addr = match &args.http_addr {
            Some(addr) => addr.clone(),
            None => Running::read(&common.data_dir).map(|running| running.http_addr).ok_or_else(|| {
                Failure::usage("no suite.json in the data directory: name the policy service's HTTP listener with --http-addr")
            })?,
        };
        let trace = trace_parent();
        let session = Session::open(common, Wants::erp("exceptions.event.ingest"))
            .await?
            .in_trace(&trace)?;
        let held = held(&session.acting_as(common, &cast.auditor)?).await?;
        Ok(Self {
            common: common.clone(),
            session,
            development,
            cast,
            unit,
            order: format!("SO-{}", chrono::Utc::now().timestamp_millis()),
            http_addr,
            exception: String::new(),
            recommendation: String::new(),
            action: Action::default(),
            held,
        })
    }

    /// The suite as one of the principals sees it.
    pub fn session(&self, subject: &str) -> Result<Session, Failure> {
        self.session.acting_as(&self.common, subject)
    }

    /// The folder that holds the log's verifier key.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.common.data_dir
    }

    /// The reviewer's choice of arguments, as the agent proposed them.
    pub fn arguments() -> Result<Vec<Fact>, Failure> {
        service_kit::facts::from_json(r#"{"warehouse": "basel", "quantity": 40}"#)
            .map_err(|error| Failure::failed(error.to_string()))
    }
}

/// The newest checkpoint; an empty one where nothing is in the log yet.
async fn held(auditor: &Session) -> Result<Checkpoint, Failure> {
    match auditor
        .audit()
        .get_checkpoint(GetCheckpointRequest {})
        .await
    {
        Ok(checkpoint) => Ok(checkpoint.into_inner()),
        Err(status) if status.code() == tonic::Code::NotFound => Ok(Checkpoint::default()),
        Err(status) => Err(status.into()),
    }
}

/// Asks again until there is an answer, for as long as what follows by itself may take.
pub async fn until<T, F>(what: &str, ask: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<Option<T>, Failure>>,
{
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if started.elapsed() > PATIENCE {
            return Err(Failure::failed(format!(
                "{what} didn't happen within {} s",
                PATIENCE.as_secs()
            )));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The story's own trace: all its calls have one parent.
fn trace_parent() -> String {
    let trace = uuid::Uuid::new_v4().simple().to_string();
    let span = uuid::Uuid::new_v4().simple().to_string();
    format!("00-{trace}-{}-01", &span[..16])
}
