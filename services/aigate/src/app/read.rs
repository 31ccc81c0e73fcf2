//! Reading recommendations and the registry.

use governance::Scope;
use serde::{Deserialize, Serialize};
use service_kit::{
    error::{Error, Result},
    identity::Caller,
    page,
};

use super::{App, id_in, permission, ports::Query};
use crate::domain::{
    model::ModelVersion,
    recommendation::{Recommendation, State},
};

/// Size of a page where the caller gives none, and the largest.
const PAGE_DEFAULT: u32 = 100;
const PAGE_MAX: u32 = 1_000;

/// A page of something.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Empty on the last page.
    pub next: String,
}

/// Which recommendations are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those at or below this scope; `None`: all the caller sees.
    pub scope: Option<Scope>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this business transaction; empty: all.
    pub correlation_id: String,
}

#[derive(Serialize, Deserialize)]
struct Cursor(i64, String);

impl App {
    /// A recommendation.
    ///
    /// # Errors
    /// If there is none in the caller's scopes.
    pub async fn recommendation_named(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Recommendation> {
        let id = id_in(name)?;
        let scopes = caller.scopes(permission::READ);
        let found = self.store.find(id, &scopes).await?;
        found.for_caller(caller, name)
    }

    /// Recommendations, newest first.
    ///
    /// # Errors
    /// If a parameter is malformed.
    pub async fn recommendations(
        &self,
        caller: &Caller,
        filter: &Filter,
        size: i32,
        token: &str,
    ) -> Result<Page<Recommendation>> {
        let mut scopes = caller.scopes(permission::READ);
        if let Some(scope) = &filter.scope {
            scopes = scopes.within(scope);
        }
        let limit = page::size(size, PAGE_DEFAULT, PAGE_MAX)?;
        let state = filter.state.map_or("", State::name);
        let params = [
            b"recommendations".as_slice(),
            filter.scope.as_ref().map_or("", Scope::as_str).as_bytes(),
            state.as_bytes(),
            filter.correlation_id.as_bytes(),
        ];
        let after = page::decode::<Cursor>(token, &params)?;
        let query = Query {
            state: filter.state,
            correlation_id: filter.correlation_id.clone(),
            after: after.map(|Cursor(time, id)| (time, id)),
            limit: limit + 1,
        };
        let mut items = self.store.list(&query, &scopes).await?;
        let more = items.len() as u64 > limit;
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = items.last().filter(|_| more).map(|last| {
            page::encode(
                &Cursor(last.created.timestamp_micros(), last.id.clone()),
                &params,
            )
        });
        Ok(Page {
            items,
            next: next.unwrap_or_default(),
        })
    }

    /// A model version.
    ///
    /// # Errors
    /// If there is none.
    pub fn model(&self, name: &str) -> Result<&ModelVersion> {
        self.catalog
            .model(name)
            .ok_or_else(|| Error::not_found(name))
    }

    /// The model versions, by name.
    ///
    /// # Errors
    /// If a parameter is malformed.
    pub fn models(&self, size: i32, token: &str) -> Result<Page<&ModelVersion>> {
        let limit =
            usize::try_from(page::size(size, PAGE_DEFAULT, PAGE_MAX)?).unwrap_or(usize::MAX);
        let params = [b"models".as_slice()];
        let after = page::decode::<String>(token, &params)?;
        let mut rest = self
            .catalog
            .models()
            .filter(|(name, _)| after.as_deref().is_none_or(|last| *name > last));
        let items: Vec<_> = rest.by_ref().take(limit).collect();
        let more = rest.next().is_some();
        let last = items.last().filter(|_| more);
        Ok(Page {
            next: last.map_or_else(String::new, |(name, _)| page::encode(name, &params)),
            items: items.into_iter().map(|(_, model)| model).collect(),
        })
    }
}
