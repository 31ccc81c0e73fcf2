//! Change control: what is governed changes only through here.

mod activate;
mod approve;
mod backtest;
mod items;
mod records;
mod review;
mod rollback;
pub mod store;
mod try_out;

use approval::Subject;
use chrono::{DateTime, Utc};
use governance::Scope;
use serde_json::json;
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::Caller,
    page,
};
use uuid::Uuid;

use super::{
    App,
    decide::asker,
    permission,
    read::{DEFAULT_PAGE, MAX_PAGE, Page},
};
use crate::domain::{
    change::{Action, Change, Item, MAX_TITLE, MAX_WORDS, Refused, State},
    snapshot::Snapshot,
};
use store::{Proposed, Request};

pub use backtest::{BacktestOptions, Progress};
pub use items::Sent;
use items::items;
pub use review::Plan;

/// A change to make, or another content of one.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What it is, in a line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// Its documents.
    pub items: Vec<Sent>,
    /// Whether documents in force that aren't among the items are taken away.
    pub complete: bool,
    /// When it is to come into force.
    pub activate: Option<DateTime<Utc>>,
    /// Makes a retry return the first answer.
    pub request_id: Option<Uuid>,
}

/// Another content of a change.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Empty: stays.
    pub title: String,
    /// Empty: stays.
    pub reason: String,
    /// None: stays.
    pub items: Vec<Sent>,
    /// When it is to come into force.
    pub activate: Option<DateTime<Utc>>,
}

/// A change with what is known of it only now.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The change.
    pub change: Change,
    /// What each item does to what is in force, and the version that is there.
    pub actions: Vec<(Action, u64)>,
    /// Who still must approve.
    pub missing: Vec<approval::Requirement>,
}

impl App {
    /// Makes a change in DRAFT.
    ///
    /// # Errors
    /// If the caller is no person that can be named, holds conflicting roles or may not
    /// write what stands at one of the scopes; if a document can't be read, or nothing
    /// would change.
    pub async fn propose(&self, caller: &Caller, draft: Draft) -> Result<Shown> {
        let editor = self.editor(caller)?;
        words("title", &draft.title, MAX_TITLE)?;
        words("reason", &draft.reason, MAX_WORDS)?;
        let snapshot = self.current()?;
        let request = draft.request_id.map(|id| Request {
            asker_key: asker(caller).key(),
            id,
            digest: draft.digest(),
        });
        let now = self.clock.now();
        self.check_time(draft.activate)?;
        let items = items(&snapshot, draft.items, draft.complete)?;
        let scopes = self.may_write(caller, &snapshot, &items)?;
        let mut change = Change {
            id: self.ids.uuid7(),
            title: draft.title,
            reason: draft.reason,
            state: State::Draft,
            items,
            activate: draft.activate,
            editors: Vec::new(),
            scopes,
            review: None,
            tests: None,
            backtest: None,
            demand: None,
            approvals: Vec::new(),
            scheduled_by: None,
            history: Vec::new(),
            revision: None,
            rollback: None,
            created: now,
            updated: now,
            version: 0,
        };
        let activate = change.activate;
        change.edit(&editor, None, activate, now).map_err(refused)?;
        let entry = records::entry(caller, "proposed", None, &change, now);
        match self
            .store
            .propose(&change, request.as_ref(), &entry)
            .await?
        {
            Proposed::New => Ok(self.shown(&snapshot, change)),
            Proposed::Earlier(other, digest) => {
                if request.is_some_and(|request| request.digest == digest) {
                    return Ok(self.shown(&snapshot, *other));
                }
                Err(Error::new(
                    Kind::AlreadyExists,
                    Reason::IdempotencyConflict,
                    "the request id came with another change before",
                )
                .with_violation("request_id", "was used for another change"))
            }
        }
    }

    /// Edits a change: it starts over.
    ///
    /// # Errors
    /// As for a proposal; and for a change that is no longer open.
    pub async fn edit(&self, caller: &Caller, id: Uuid, etag: &str, edit: Edit) -> Result<Shown> {
        let editor = self.editor(caller)?;
        words_if_any("title", &edit.title, MAX_TITLE)?;
        words_if_any("reason", &edit.reason, MAX_WORDS)?;
        self.check_time(edit.activate)?;
        let mut change = self
            .open(caller, permission::PROPOSE_CHANGE, id, etag)
            .await?;
        let before = change.clone();
        let snapshot = self.current()?;
        let items = if edit.items.is_empty() {
            None
        } else {
            Some(items(&snapshot, edit.items, false)?)
        };
        let now = self.clock.now();
        // Whoever edits must be allowed to write what it was and what it becomes.
        let was = self.may_write(caller, &snapshot, &change.items)?;
        let scopes = match &items {
            Some(items) => self.may_write(caller, &snapshot, items)?,
            None => was,
        };
        change
            .edit(&editor, items, edit.activate, now)
            .map_err(refused)?;
        change.scopes = scopes;
        if !edit.title.is_empty() {
            change.title = edit.title;
        }
        if !edit.reason.is_empty() {
            change.reason = edit.reason;
        }
        self.keep_change(caller, "edited", &before, change).await
    }

    /// A change.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, or none that the caller sees.
    pub async fn get_change(&self, caller: &Caller, id: Uuid) -> Result<Shown> {
        let change = self.open(caller, permission::READ_CHANGE, id, "").await?;
        Ok(self.shown(&self.snapshot(), change))
    }

    /// Changes that the caller sees, the newest first.
    ///
    /// # Errors
    /// If size or token of the page are malformed.
    pub async fn list_changes(
        &self,
        caller: &Caller,
        states: &[State],
        size: i32,
        token: &str,
    ) -> Result<Page<Shown>> {
        let size = usize::try_from(page::size(size, DEFAULT_PAGE, MAX_PAGE)?).unwrap_or(1);
        let names: Vec<_> = states.iter().map(|state| state.as_str()).collect();
        let params: [&[u8]; 2] = [b"ListChanges", &names.join(",").into_bytes()];
        let before: Option<Uuid> = page::decode(token, &params)?;
        let scopes = caller.scopes(permission::READ_CHANGE);
        let mut found = self
            .store
            .changes(&scopes, states, before, size + 1)
            .await?;
        found.iter_mut().for_each(|change| hide(caller, change));
        let more = found.len() > size;
        found.truncate(size);
        let next = match found.last() {
            Some(last) if more => page::encode(&last.id, &params),
            _ => String::new(),
        };
        let snapshot = self.snapshot();
        let items = found
            .into_iter()
            .map(|change| self.shown(&snapshot, change));
        Ok(Page {
            items: items.collect(),
            next,
        })
    }

    /// Gives a change up.
    ///
    /// # Errors
    /// For whoever isn't one of its editors, and a change that is no longer open.
    pub async fn withdraw(&self, caller: &Caller, id: Uuid, etag: &str) -> Result<Shown> {
        let editor = self.editor(caller)?;
        let mut change = self
            .open(caller, permission::PROPOSE_CHANGE, id, etag)
            .await?;
        let before = change.clone();
        change
            .withdraw(&editor, self.clock.now())
            .map_err(|why| Self::refuse_change(&before, why))?;
        self.keep_change(caller, "withdrawn", &before, change).await
    }

    /// The person who writes: named, without conflicting roles.
    fn editor(&self, caller: &Caller) -> Result<Subject> {
        caller.require_no_conflict()?;
        caller.require_person()?;
        Ok(caller.approver().who)
    }

    /// A change for somebody who may do something with it, as it was read.
    async fn open(
        &self,
        caller: &Caller,
        permission: &str,
        id: Uuid,
        etag: &str,
    ) -> Result<Change> {
        let name = format!("changes/{id}");
        let scopes = caller.scopes(permission);
        let change = self.store.change(id, &scopes).await?;
        let mut change = change.for_caller(caller, &name)?;
        if permission == permission::PROPOSE_CHANGE {
            // Who sees it because it binds a unit below doesn't work on it.
            for scope in &change.scopes {
                caller.require(permission, scope)?;
            }
        }
        if permission == permission::READ_CHANGE {
            hide(caller, &mut change);
        }
        if !etag.is_empty() && etag != change.etag() {
            return Err(Error::etag_mismatch(name));
        }
        Ok(change)
    }

    /// Keeps what became of a change, with its record.
    async fn keep_change(
        &self,
        caller: &Caller,
        what: &str,
        before: &Change,
        change: Change,
    ) -> Result<Shown> {
        let entry = records::entry(caller, what, Some(before), &change, change.updated);
        if !self.store.save(&change, before.version, &[entry]).await? {
            return Err(Error::etag_mismatch(change.name()));
        }
        Ok(self.shown(&self.snapshot(), change))
    }

    pub(in crate::app) fn shown(&self, snapshot: &Snapshot, change: Change) -> Shown {
        let actions = change.items.iter().map(|item| {
            let there = snapshot.documents.get(&item.key());
            let version = there.map_or(0, |document| document.version);
            (item.action(&snapshot.documents), version)
        });
        let revoked = |given: &_| self.is_revoked(given);
        let missing = match change.state {
            State::Backtested | State::Approved | State::Scheduled => {
                change.missing(&revoked, self.clock.now())
            }
            _ => Vec::new(),
        };
        Shown {
            actions: actions.collect(),
            missing,
            change,
        }
    }

    /// The policies in force; a change needs some to be compared with.
    fn current(&self) -> Result<std::sync::Arc<Snapshot>> {
        let snapshot = self.snapshot();
        if snapshot.number() == 0 {
            return Err(Error::illegal_state(
                "the store is empty: it begins with the files of `bootstrap.dir`",
            ));
        }
        Ok(snapshot)
    }

    fn check_time(&self, time: Option<DateTime<Utc>>) -> Result<()> {
        if time.is_some_and(|time| time <= self.clock.now()) {
            return Err(Error::invalid("activate_time", "has passed already"));
        }
        Ok(())
    }

    /// The scopes that the items stand at, all of which the caller may write at.
    fn may_write(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        items: &[Item],
    ) -> Result<Vec<Scope>> {
        let root = snapshot.bundle.scopes().iter().next();
        let mut scopes = Vec::new();
        for item in items {
            let at = item.stands_at(&snapshot.documents);
            if at.is_empty() {
                scopes.extend(root.map(|(scope, _)| scope.clone()));
            }
            scopes.extend(at);
        }
        scopes.sort();
        scopes.dedup();
        for scope in &scopes {
            caller.require(permission::PROPOSE_CHANGE, scope)?;
        }
        Ok(scopes)
    }

    /// The error of a step that isn't taken, with what a refusal is recorded by.
    fn refuse_change(change: &Change, why: Refused) -> Error {
        let required = change.required().iter();
        let required = required.map(|r| format!("{} {} at {}", r.count, r.role, r.at));
        let required = required.collect::<Vec<_>>().join(", ");
        let scope = change.scopes.first().map(ToString::to_string);
        let error = refused(why)
            .with_metadata("resource", change.name())
            .with_metadata("scope", scope.unwrap_or_default());
        if required.is_empty() {
            return error;
        }
        error.with_metadata("approvals", required)
    }
}

/// Leaves out single decisions of scopes that the caller doesn't see.
pub(in crate::app) fn hide(caller: &Caller, change: &mut Change) {
    let scopes = caller.scopes(permission::READ_CHANGE);
    if let Some(backtest) = &mut change.backtest {
        backtest
            .samples
            .retain(|sample| scopes.contains(&sample.scope));
    }
}

impl Draft {
    /// Over what is asked for.
    fn digest(&self) -> String {
        let items: Vec<_> = self.items.iter().map(|sent| {
            json!({"kind": sent.kind, "name": sent.name, "text": sent.text, "beside": sent.attachments})
        }).collect();
        governance::canonical::digest(&json!({
            "title": self.title,
            "reason": self.reason,
            "items": items,
            "complete": self.complete,
            "activate": self.activate,
        }))
    }
}

fn words(field: &str, text: &str, most: usize) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid(field, "is required"));
    }
    words_if_any(field, text, most)
}

fn words_if_any(field: &str, text: &str, most: usize) -> Result<()> {
    if text.chars().count() > most {
        return Err(Error::invalid(
            field,
            format!("longer than {most} characters"),
        ));
    }
    Ok(())
}

/// The error of a step that isn't taken.
fn refused(why: Refused) -> Error {
    let message = why.to_string();
    match why {
        Refused::State(state, _) => {
            Error::illegal_state(message).with_metadata("state", state.as_str())
        }
        Refused::NotDue(_) | Refused::NoTime => Error::illegal_state(message),
        Refused::Approver(refusal) => {
            let reason = Reason::from_code(refusal.code()).unwrap_or(Reason::NotAnApprover);
            Error::sod(reason, message)
        }
        Refused::Editor => Error::sod(Reason::SodEditor, message),
        Refused::Beneficiary => Error::sod(Reason::SodBeneficiary, message),
        Refused::Approved => Error::sod(Reason::SodApprover, message),
        Refused::SecondPerson => Error::sod(Reason::SodRequester, message),
        Refused::NotAPerson => Error::sod(Reason::RequesterUnknown, message),
        Refused::NotEditor => Error::new(Kind::PermissionDenied, Reason::PermissionDenied, message),
        Refused::Digest => Error::invalid("digest", message),
        Refused::Denied(_) => Error::new(Kind::FailedPrecondition, Reason::PolicyDenied, message),
    }
}
