//! Reading the actions asked for on exceptions.

use service_kit::{error::Result, identity::Caller, page};

use super::{
    App, action_ids,
    exceptions::{Cursor, PAGE_DEFAULT, PAGE_MAX, Page, next_page},
    id_in, permission,
};
use crate::domain::action::Action;

impl App {
    /// An action. Whoever may report its execution gets it with a receipt that holds.
    ///
    /// # Errors
    /// If there is none in the caller's scopes.
    pub async fn action(&self, caller: &Caller, name: &str) -> Result<Action> {
        let (exception, id) = action_ids("name", name)?;
        let scopes = caller.scopes(permission::READ);
        let action = self
            .store
            .action(exception, id, &scopes)
            .await?
            .for_caller(caller, name)?;
        if caller.scopes(permission::INGEST).contains(&action.scope) {
            return self.renew(action).await;
        }
        Ok(action)
    }

    /// The actions of an exception, oldest first.
    ///
    /// # Errors
    /// If there is no such exception in the caller's scopes.
    pub async fn actions(
        &self,
        caller: &Caller,
        parent: &str,
        size: i32,
        token: &str,
    ) -> Result<Page<Action>> {
        let id = id_in("parent", "exceptions", parent)?;
        let scopes = caller.scopes(permission::READ);
        self.store
            .exception(id, &scopes)
            .await?
            .for_caller(caller, parent)?;
        let limit = page::size(size, PAGE_DEFAULT, PAGE_MAX)?;
        let params = [b"actions".as_slice(), parent.as_bytes()];
        let after = page::decode::<Cursor>(token, &params)?;
        let mut items = self.store.actions(id, after, limit + 1).await?;
        let cursor = |last: &Action| (last.created.timestamp_micros(), last.id.clone());
        let next = next_page(&mut items, limit, cursor, &params);
        Ok(Page {
            items,
            next,
            total: 0,
        })
    }
}
