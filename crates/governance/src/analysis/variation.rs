//! Where a default is looser than a guardrail on its path.

use std::sync::Arc;

use decision::{
    Facts,
    analyse::{Change, Region, Undecided},
};

use super::{Answered, sides::compare};
use crate::{
    bundle::Bundle,
    policy::{Mode, Policy},
};

/// A default and a guardrail that binds it.
#[derive(Debug, Clone)]
pub struct Variation {
    /// The default.
    pub default: Arc<Policy>,
    /// The guardrail at its scope or above.
    pub guardrail: Arc<Policy>,
    /// Where the default is looser. That is legal, and has no effect there.
    pub masked: Vec<Masked>,
    /// What couldn't be settled.
    pub undecided: Vec<Undecided>,
}

/// A region in which a default is looser than a guardrail.
#[derive(Debug, Clone)]
pub struct Masked {
    /// Where.
    pub region: Region,
    /// A fact set that shows it.
    pub witness: Facts,
    /// What the default gives there.
    pub default: Answered,
    /// What the guardrail demands there.
    pub guardrail: Answered,
}

/// Every default with each guardrail on its path that it is looser than somewhere, or of
/// which that couldn't be settled. Where a default denies, nothing is looser.
#[must_use]
pub fn variation(bundle: &Bundle) -> Vec<Variation> {
    let mut variations = Vec::new();
    let defaults = bundle
        .policies()
        .values()
        .filter(|policy| policy.mode == Mode::Default);
    for default in defaults {
        let Some(effective) = bundle.effective(&default.workflow, &default.scope) else {
            continue;
        };
        for guardrail in effective.guardrails {
            let by = |default: &Answered, guardrail: &Answered| {
                default.is_masked_by(guardrail).then_some(Change::Looser)
            };
            let found = compare(&[default], &[guardrail], &default.scope, false, by);
            if found.is_none() {
                continue;
            }
            let masked = found.changes.into_iter().map(|changed| Masked {
                region: changed.region,
                witness: changed.witness,
                default: changed.old,
                guardrail: changed.new,
            });
            variations.push(Variation {
                default: default.clone(),
                guardrail: guardrail.clone(),
                masked: masked.collect(),
                undecided: found.undecided,
            });
        }
    }
    variations
}
