//! Where records go.

use async_trait::async_trait;
use contracts::audit::{
    BatchAppendRecordsRequest, Record, audit_service_client::AuditServiceClient,
};

use crate::{
    client::PeerChannel,
    error::{Error, Result},
};

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Place in the log.
    pub index: i64,
    /// It was there already.
    pub duplicate: bool,
    /// Another one was there under the same id; this one was refused, and that recorded.
    pub conflict: bool,
}

/// Takes records; an answer means that they are durable.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Appends records of one producer in their order, all or none.
    ///
    /// # Errors
    /// If the log can't be reached or refuses one of them.
    async fn append(&self, records: Vec<Record>) -> Result<Vec<Appended>>;
}

/// The audit service as a sink.
pub struct AuditSink(AuditServiceClient<PeerChannel>);

impl AuditSink {
    /// Appends through this client.
    #[must_use]
    pub fn new(client: AuditServiceClient<PeerChannel>) -> Self {
        Self(client)
    }
}

#[async_trait]
impl Sink for AuditSink {
    async fn append(&self, records: Vec<Record>) -> Result<Vec<Appended>> {
        let answer = self
            .0
            .clone()
            .batch_append_records(BatchAppendRecordsRequest { records })
            .await
            .map_err(|status| Error::from_status(status, "audit"))?;
        let results = answer.into_inner().results;
        Ok(results
            .into_iter()
            .map(|result| Appended {
                index: result.index,
                duplicate: result.duplicate,
                conflict: result.conflict,
            })
            .collect())
    }
}
