//! An audit log that remembers what it was given.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use contracts::audit::{
    AppendResult, BatchAppendRecordsRequest, BatchAppendRecordsResponse, Checkpoint,
    ConsistencyProof, ExportRecordsRequest, ExportRecordsResponse, GetCheckpointRequest,
    GetConsistencyProofRequest, GetInclusionProofRequest, GetLineageRequest, GetRecordRequest,
    InclusionProof, Lineage, Record,
    audit_service_server::{AuditService, AuditServiceServer},
};
use service_kit::{
    Error, Kind, Reason, Result,
    outbox::{Appended, Sink},
};
use tonic::{Request, Response, Status};

/// Keeps records by producer and id. Cheap to clone.
#[derive(Clone, Default)]
pub struct AuditLog(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    records: Vec<Record>,
    by_id: BTreeMap<(String, String), usize>,
    down: bool,
    refuse: Option<String>,
    appends: usize,
}

impl AuditLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the log be away, or back.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    /// Refuses records of this type as malformed; all or none of a batch.
    pub fn refuse(&self, r#type: &str) {
        self.state().refuse = Some(r#type.to_owned());
    }

    /// What was appended, in order.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.state().records.clone()
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().records.len()
    }

    /// Whether nothing was appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of batches that came, also those refused.
    #[must_use]
    pub fn appends(&self) -> usize {
        self.state().appends
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, records: Vec<Record>) -> Result<Vec<Appended>> {
        let mut state = self.state();
        state.appends += 1;
        if state.down {
            return Err(Error::unavailable(
                Reason::PeerUnavailable,
                "the log is away",
            ));
        }
        if let Some(refused) = &state.refuse
            && let Some(at) = records.iter().position(|record| record.r#type == *refused)
        {
            let field = format!("records[{at}].type");
            return Err(Error::invalid(field, "is refused"));
        }
        if records.len() > 1000 {
            let message = "more than 1000 records";
            return Err(Error::new(Kind::InvalidArgument, Reason::TooLarge, message));
        }
        Ok(records
            .into_iter()
            .map(|record| state.append(record))
            .collect())
    }
}

impl State {
    fn append(&mut self, record: Record) -> Appended {
        let id = (record.producer.clone(), record.event_id.clone());
        let next = self.records.len();
        let index = *self.by_id.entry(id).or_insert(next);
        let duplicate = index < next;
        let conflict = duplicate && self.records[index] != record;
        if !duplicate {
            self.records.push(record);
        }
        Appended {
            index: i64::try_from(index).expect("few records"),
            duplicate,
            conflict,
        }
    }
}

#[async_trait]
impl Sink for AuditLog {
    async fn append(&self, records: Vec<Record>) -> Result<Vec<Appended>> {
        self.take(records)
    }
}

impl AuditLog {
    /// Serves the log on a free port until the runtime ends; its address.
    pub async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let service = service_kit::limited!(AuditServiceServer::new(Server(self.clone())));
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        address
    }
}

/// The one method that producers need; the others say that they aren't there.
struct Server(AuditLog);

type Answer<T> = Result<Response<T>, Status>;

fn absent<T>() -> Answer<T> {
    Err(Status::unimplemented("a log for tests only appends"))
}

#[async_trait]
impl AuditService for Server {
    async fn batch_append_records(
        &self,
        request: Request<BatchAppendRecordsRequest>,
    ) -> Answer<BatchAppendRecordsResponse> {
        let appended = self.0.take(request.into_inner().records)?;
        let results = appended
            .into_iter()
            .map(|appended| AppendResult {
                index: appended.index,
                duplicate: appended.duplicate,
                conflict: appended.conflict,
            })
            .collect();
        Ok(Response::new(BatchAppendRecordsResponse { results }))
    }

    async fn get_record(&self, _: Request<GetRecordRequest>) -> Answer<Record> {
        absent()
    }

    async fn get_lineage(&self, _: Request<GetLineageRequest>) -> Answer<Lineage> {
        absent()
    }

    type ExportRecordsStream =
        futures::stream::BoxStream<'static, Result<ExportRecordsResponse, Status>>;

    async fn export_records(
        &self,
        _: Request<ExportRecordsRequest>,
    ) -> Answer<Self::ExportRecordsStream> {
        absent()
    }

    async fn get_checkpoint(&self, _: Request<GetCheckpointRequest>) -> Answer<Checkpoint> {
        absent()
    }

    async fn get_inclusion_proof(
        &self,
        _: Request<GetInclusionProofRequest>,
    ) -> Answer<InclusionProof> {
        absent()
    }

    async fn get_consistency_proof(
        &self,
        _: Request<GetConsistencyProofRequest>,
    ) -> Answer<ConsistencyProof> {
        absent()
    }
}
