//! Documents, and events that could not be taken in.

use service_kit::{
    error::{Error, Result},
    identity::Caller,
    page,
};

use super::{
    App,
    exceptions::{Cursor, PAGE_DEFAULT, PAGE_MAX, Page, next_page},
    permission,
    ports::DeadLetter,
};
use crate::domain::document::{Document, Key};

impl App {
    /// A document with its facts.
    ///
    /// # Errors
    /// If there is none in the caller's scopes.
    pub async fn document(&self, caller: &Caller, name: &str) -> Result<Document> {
        let key = Key::from_name(name).ok_or_else(|| {
            let form = "documents/{document_type}/{document_id}";
            Error::invalid("name", format!("{name:?} is not of the form {form}"))
        })?;
        let scopes = caller.scopes(permission::READ_DOCUMENT);
        self.store
            .document(&key, &scopes)
            .await?
            .for_caller(caller, name)
    }

    /// Dead letters in the caller's scopes, newest first.
    ///
    /// # Errors
    /// For a malformed page size or token.
    pub async fn dead_letters(
        &self,
        caller: &Caller,
        size: i32,
        token: &str,
    ) -> Result<Page<DeadLetter>> {
        let scopes = caller.scopes(permission::READ_DEAD_LETTER);
        let limit = page::size(size, PAGE_DEFAULT, PAGE_MAX)?;
        let params: [&[u8]; 1] = [b"deadLetters"];
        let before = page::decode::<Cursor>(token, &params)?;
        let mut items = self.store.dead_letters(before, limit + 1, &scopes).await?;
        let cursor = |last: &DeadLetter| (last.created.timestamp_micros(), last.id.clone());
        let next = next_page(&mut items, limit, cursor, &params);
        Ok(Page {
            items,
            next,
            total: 0,
        })
    }
}
