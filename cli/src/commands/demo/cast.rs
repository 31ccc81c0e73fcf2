//! Who plays whom: picked by what the principals may do in the unit, not by name.

use governance::Scope;
use service_kit::identity::{PrincipalKind, Provenance};

use crate::{
    connect::{Development, Listed},
    failure::Failure,
};

/// Who acts in the story.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The ERP's adapter.
    pub adapter: String,
    /// The AI agent.
    pub agent: String,
    /// Reviews what the agent recommends.
    pub reviewer: String,
    /// Reads the log.
    pub auditor: String,
}

impl Cast {
    /// Picks the cast for a unit.
    pub fn pick(development: &Development, unit: &Scope) -> Result<Self, Failure> {
        let may = |permission| move |listed: &Listed| development.allows(listed, permission, unit);
        let find = |part: &str, fits: &dyn Fn(&str, &Listed) -> bool| {
            development.find(fits).ok_or_else(|| {
                Failure::usage(format!(
                    "nobody among the principals can play the {part} at {unit}"
                ))
            })
        };
        Ok(Self {
            adapter: find("ERP's adapter", &|_, listed| {
                listed.asserts.contains(&Provenance::Erp.into())
                    && may("exceptions.event.ingest")(listed)
            })?,
            agent: find("AI agent", &|_, listed| {
                listed.kind == PrincipalKind::Model && may("aigate.recommendation.submit")(listed)
            })?,
            reviewer: find("reviewer", &|_, listed| {
                listed.kind == PrincipalKind::Person && may("aigate.recommendation.review")(listed)
            })?,
            auditor: find("auditor", &|_, listed| {
                listed.kind == PrincipalKind::Person && may("audit.record.export")(listed)
            })?,
        })
    }
}
