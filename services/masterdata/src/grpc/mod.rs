//! Decode, call, encode.

mod decode;
mod encode;
mod records;

use contracts::masterdata::{
    BatchValidateRecordsRequest, BatchValidateRecordsResponse, GetMappingRequest,
    GetValidationRequest, ListMappingsRequest, ListMappingsResponse, ListQualityFiguresRequest,
    ListQualityFiguresResponse, Mapping, NormalizeRecordRequest, NormalizeRecordResponse,
    ValidateRecordRequest, Validation,
    validation_service_server::{ValidationService, ValidationServiceServer},
};
use service_kit::{error::Error, identity::caller, page};
use tonic::{Request, Response, Status, service::Routes};

use crate::app::{App, FigureCursor};

/// Full names of the gRPC services.
pub const SERVICES: [&str; 1] = ["bylaw.masterdata.v1.ValidationService"];

/// Pages have this many items unless asked otherwise, and at most that many.
const PAGE: (u32, u32) = (100, 1_000);

/// The gRPC services over the use cases.
pub fn routes(app: App) -> Routes {
    Routes::new(service_kit::limited!(ValidationServiceServer::new(
        Handler(app)
    )))
}

struct Handler(App);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ValidationService for Handler {
    async fn validate_record(&self, request: Request<ValidateRecordRequest>) -> Answer<Validation> {
        let caller = caller(&request)?;
        let request = decode::validate(request.into_inner())?;
        let done = self.0.validate(&caller, request).await?;
        let validation = done
            .first()
            .ok_or_else(|| Error::broken("no validation was made"))?;
        Ok(Response::new(encode::validation(validation)))
    }

    async fn batch_validate_records(
        &self,
        request: Request<BatchValidateRecordsRequest>,
    ) -> Answer<BatchValidateRecordsResponse> {
        let caller = caller(&request)?;
        let request = decode::batch(request.into_inner())?;
        let done = self.0.validate(&caller, request).await?;
        let validations = done.iter().map(encode::validation).collect();
        Ok(Response::new(BatchValidateRecordsResponse { validations }))
    }

    async fn normalize_record(
        &self,
        request: Request<NormalizeRecordRequest>,
    ) -> Answer<NormalizeRecordResponse> {
        let source = request.into_inner().source;
        let source = source.ok_or_else(|| Error::invalid("source", "is missing"))?;
        let normalized = self.0.normalize(&decode::source(source, "source")?)?;
        Ok(Response::new(encode::normalized(&normalized)))
    }

    async fn get_validation(&self, request: Request<GetValidationRequest>) -> Answer<Validation> {
        let caller = caller(&request)?;
        let id = decode::validation_name(&request.get_ref().name)?;
        let found = self.0.get_validation(&caller, id).await?;
        Ok(Response::new(encode::validation(&found)))
    }

    async fn get_mapping(&self, request: Request<GetMappingRequest>) -> Answer<Mapping> {
        let name = decode::mapping_name(&request.get_ref().name, "name")?;
        Ok(Response::new(encode::mapping(self.0.get_mapping(name)?)))
    }

    async fn list_mappings(
        &self,
        request: Request<ListMappingsRequest>,
    ) -> Answer<ListMappingsResponse> {
        let request = request.into_inner();
        let limit = page::size(request.page_size, PAGE.0, PAGE.1)?;
        let query: [&[u8]; 1] = [b"ListMappings"];
        let after = page::decode::<String>(&request.page_token, &query)?.unwrap_or_default();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (found, more) = self.0.list_mappings(&after, limit);
        let last = found.last().filter(|_| more);
        Ok(Response::new(ListMappingsResponse {
            next_page_token: last.map_or_else(String::new, |m| page::encode(&m.item.name, &query)),
            mappings: found.into_iter().map(encode::mapping).collect(),
        }))
    }

    async fn list_quality_figures(
        &self,
        request: Request<ListQualityFiguresRequest>,
    ) -> Answer<ListQualityFiguresResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let limit = page::size(request.page_size, PAGE.0, PAGE.1)?;
        let query: [&[u8]; 5] = [
            b"ListQualityFigures",
            request.scope.as_bytes(),
            request.entity.as_bytes(),
            request.start_date.as_bytes(),
            request.end_date.as_bytes(),
        ];
        let after = page::decode::<FigureCursor>(&request.page_token, &query)?;
        let figures = decode::figure_query(&request, after, limit)?;
        let (found, more) = self.0.list_figures(&caller, &figures).await?;
        let last = found.last().filter(|_| more);
        Ok(Response::new(ListQualityFiguresResponse {
            next_page_token: last
                .map_or_else(String::new, |figure| page::encode(&figure.at, &query)),
            figures: found.iter().map(encode::figure).collect(),
        }))
    }
}
