//! `bylaw.policy.v1.WaiverService`.

use contracts::{
    policy::{
        GetWaiverRequest, ListWaiversRequest, ListWaiversResponse, Waiver, WaiverState,
        waiver_service_server::WaiverService,
    },
    time::timestamp,
};
use service_kit::identity::caller;
use tonic::{Request, Response, Status};

use super::{Handler, decode, encode::signed};
use crate::app::waivers::Shown;

#[tonic::async_trait]
impl WaiverService for Handler {
    async fn get_waiver(
        &self,
        request: Request<GetWaiverRequest>,
    ) -> Result<Response<Waiver>, Status> {
        let caller = caller(&request)?;
        let name = decode::resource("name", "waivers/", &request.get_ref().name)?;
        let shown = self.0.waiver(&caller, name).await?;
        Ok(Response::new(waiver(shown)))
    }

    async fn list_waivers(
        &self,
        request: Request<ListWaiversRequest>,
    ) -> Result<Response<ListWaiversResponse>, Status> {
        let caller = caller(&request)?;
        let ListWaiversRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let page = self.0.waivers(&caller, page_size, &page_token).await?;
        Ok(Response::new(ListWaiversResponse {
            waivers: page.items.into_iter().map(waiver).collect(),
            next_page_token: page.next,
        }))
    }
}

pub(super) fn waiver(shown: Shown) -> Waiver {
    let Shown {
        waiver,
        source,
        used,
        now,
    } = shown;
    let state = if waiver.expires <= now {
        WaiverState::Expired
    } else if waiver.stands() {
        WaiverState::Active
    } else {
        WaiverState::Lapsed
    };
    Waiver {
        name: format!("waivers/{}", waiver.name),
        policy: format!("policies/{}", waiver.policy),
        row: waiver.row.to_string(),
        scope: waiver.scope.to_string(),
        beneficiary: waiver.beneficiary.to_string(),
        expire_time: Some(timestamp(waiver.expires)),
        reason: waiver.reason.clone(),
        state: state.into(),
        uses: used.map_or(0, |used| signed(used.decisions)),
        last_use_time: used.map(|used| timestamp(used.last)),
        source: source.to_string(),
        version: signed(waiver.version),
    }
}
