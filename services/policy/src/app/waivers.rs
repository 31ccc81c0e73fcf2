//! Reading waivers, with how often they were used.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use governance::Waiver;
use service_kit::{
    error::{Error, Result},
    identity::Caller,
};

use super::{
    App,
    change::store::Use,
    permission,
    read::{Page, paged, sees},
};

/// A waiver with what became of it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The waiver.
    pub waiver: Arc<Waiver>,
    /// Its document.
    pub source: Arc<str>,
    /// How often it was used; `None`: never.
    pub used: Option<Use>,
    /// When this was looked up.
    pub now: DateTime<Utc>,
}

impl App {
    /// A waiver.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, or none that the caller sees.
    pub async fn waiver(&self, caller: &Caller, name: &str) -> Result<Shown> {
        let resource = format!("waivers/{name}");
        let snapshot = self.snapshot();
        let found = snapshot.bundle.waivers().get(name).cloned();
        let waiver = found.ok_or_else(|| Error::not_found(&resource))?;
        if !sees(&caller.scopes(permission::READ_POLICY), &waiver.scope) {
            return Err(caller.out_of_scope(&resource, &waiver.scope));
        }
        let mut shown = self.shown_waivers(vec![waiver]).await?;
        shown.pop().ok_or_else(|| Error::not_found(&resource))
    }

    /// The waivers that the caller sees, by name.
    ///
    /// # Errors
    /// If size or token of the page are malformed.
    pub async fn waivers(&self, caller: &Caller, size: i32, token: &str) -> Result<Page<Shown>> {
        let allowed = caller.scopes(permission::READ_POLICY);
        let snapshot = self.snapshot();
        let all = snapshot.bundle.waivers().iter();
        let seen = all
            .filter(|(_, waiver)| sees(&allowed, &waiver.scope))
            .map(|(name, waiver)| (&**name, waiver.clone()));
        let Page { items, next } = paged(seen, size, token, &[b"ListWaivers"])?;
        let items = self.shown_waivers(items).await?;
        Ok(Page { items, next })
    }

    pub(super) async fn shown_waivers(&self, waivers: Vec<Arc<Waiver>>) -> Result<Vec<Shown>> {
        let names: Vec<_> = waivers
            .iter()
            .map(|waiver| waiver.name.to_string())
            .collect();
        let uses = self.store.waiver_uses(&names).await?;
        let (snapshot, now) = (self.snapshot(), self.clock.now());
        let shown = waivers.into_iter().map(|waiver| {
            let key = (
                governance::files::WAIVER.to_owned(),
                waiver.name.to_string(),
            );
            let document = snapshot.documents.get(&key);
            Shown {
                source: document.map_or_else(|| "".into(), |document| document.text.clone()),
                used: uses.get(&*waiver.name).copied(),
                waiver,
                now,
            }
        });
        Ok(shown.collect())
    }
}
