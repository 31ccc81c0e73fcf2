//! The work queue: read, list, claim and resolve exceptions, and report on them.

use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::{Caller, Scopes},
    page,
    violations::Violations,
};

use super::{
    App, check_etag, id_in, illegal, optional_scope, permission,
    ports::{Case, Change, Query},
    records::{Author, told},
    words,
};
use crate::domain::{
    action,
    ageing::Row,
    catalog::ActionDefinition,
    exception::{Evidence, Exception},
    state::{State, Step},
};

/// Page sizes of all lists.
pub const PAGE_DEFAULT: u32 = 100;
/// Largest page.
pub const PAGE_MAX: u32 = 1_000;

/// Place of the last item of a page: time in microseconds, and id.
pub(crate) type Cursor = (i64, String);

/// Which exceptions to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// At or below this scope; empty: all in the caller's scopes.
    pub scope: String,
    /// Type, or empty.
    pub kind: String,
    /// States; empty: all that are open.
    pub states: Vec<State>,
    /// Queue, or empty.
    pub queue: String,
    /// Business transaction, or empty.
    pub correlation_id: String,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Token of the next page; empty on the last.
    pub next: String,
    /// How many items there are in all, where that is counted.
    pub total: i64,
}

/// How an exception ended.
#[derive(Debug, Clone, Default)]
pub struct Resolution {
    /// Code of the taxonomy.
    pub code: String,
    /// Root cause of the taxonomy, or empty.
    pub root_cause: String,
    /// In the caller's words.
    pub comment: String,
}

/// What is done to an exception, and the record's type and action.
type Work<'a> =
    &'a (dyn Fn(&Author, &mut Case) -> Result<(&'static str, &'static str)> + Send + Sync);

impl App {
    /// An exception with its first evidence.
    ///
    /// # Errors
    /// If there is none in the caller's scopes.
    pub async fn exception(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<(Exception, Vec<Evidence>)> {
        let id = id_in("name", "exceptions", name)?;
        let scopes = caller.scopes(permission::READ);
        self.store
            .exception(id, &scopes)
            .await?
            .for_caller(caller, name)
    }

    /// Exceptions in the caller's scopes, oldest first.
    ///
    /// # Errors
    /// For a malformed scope, page size or token.
    pub async fn exceptions(
        &self,
        caller: &Caller,
        filter: &Filter,
        size: i32,
        token: &str,
    ) -> Result<Page<Exception>> {
        let scopes = narrowed(caller, permission::READ, &filter.scope)?;
        let limit = page::size(size, PAGE_DEFAULT, PAGE_MAX)?;
        let states = if filter.states.is_empty() {
            let open = State::ALL.into_iter().filter(|state| state.is_open());
            open.collect()
        } else {
            filter.states.clone()
        };
        let names = states.iter().map(|state| state.name()).collect::<Vec<_>>();
        let names = names.join(",");
        let params = [
            "exceptions",
            &filter.scope,
            &filter.kind,
            &names,
            &filter.queue,
            &filter.correlation_id,
        ]
        .map(str::as_bytes);
        let query = Query {
            kind: filter.kind.clone(),
            states,
            queue: filter.queue.clone(),
            correlation_id: filter.correlation_id.clone(),
            after: page::decode::<Cursor>(token, &params)?,
            limit: limit + 1,
        };
        let (mut items, total) = self.store.exceptions(&query, &scopes).await?;
        let cursor = |last: &Exception| (last.created.timestamp_micros(), last.id.clone());
        let next = next_page(&mut items, limit, cursor, &params);
        Ok(Page { items, next, total })
    }

    /// Takes an open exception for the caller.
    ///
    /// # Errors
    /// If there is none in the caller's scopes, it isn't open, or it was changed.
    pub async fn claim(&self, caller: &Caller, name: &str, etag: &str) -> Result<Exception> {
        self.work_on(caller, name, etag, &|author, case| {
            let exception = &mut case.exception;
            exception.step(Step::Claim, author.now).map_err(illegal)?;
            exception.owner = Some(author.actor.subject.clone());
            Ok(("exception.claimed", "exceptions.exception.claim"))
        })
        .await
    }

    /// Resolves an exception by hand. Actions that wait on it lapse.
    ///
    /// # Errors
    /// If there is none in the caller's scopes, it is resolved already or was changed, the
    /// codes aren't the taxonomy's, or the resolution is the effect of an action that
    /// nobody reported executed.
    pub async fn resolve(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        resolution: &Resolution,
    ) -> Result<Exception> {
        words("comment", &resolution.comment)?;
        self.work_on(caller, name, etag, &|author, case| {
            self.check_codes(&case.exception.kind, resolution)?;
            let executed = self.check_executed(case, &resolution.code);
            let exception = &mut case.exception;
            exception.step(Step::Resolve, author.now).map_err(illegal)?;
            executed?;
            resolution.code.clone_into(&mut exception.resolution_code);
            if !resolution.root_cause.is_empty() {
                resolution
                    .root_cause
                    .clone_into(&mut exception.root_cause_code);
            }
            Ok(("exception.resolved", "exceptions.exception.resolve"))
        })
        .await
    }

    async fn work_on(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        work: Work<'_>,
    ) -> Result<Exception> {
        let id = id_in("name", "exceptions", name)?;
        let scopes = caller.scopes(permission::WORK);
        self.store
            .exception(id, &scopes)
            .await?
            .for_caller(caller, name)?;
        caller.require_person()?;
        caller.require_no_conflict()?;
        let author = Author::of(caller, self.now());
        let decide = |case: &mut Case| {
            check_etag(name, etag, &case.exception.etag())?;
            let (what, verb) = work(&author, case)?;
            let mut change = Change {
                exception: true,
                ..Change::default()
            };
            let entry = author.on_exception(what, verb, &case.exception);
            change.entries.push(if what == "exception.resolved" {
                told(entry)
            } else {
                entry
            });
            if !case.exception.state.is_open() {
                lapse_pending(case, &author, "the exception was resolved", &mut change);
            }
            Ok(change)
        };
        let case = self.store.change(id, &decide).await?;
        case.map(|case| case.exception)
            .ok_or_else(|| Error::not_found(name))
    }

    /// A resolution that an action brings about says that it was executed: nobody says so
    /// in place of the executing system.
    fn check_executed(&self, case: &Case, code: &str) -> Result<()> {
        let brings_about = |definition: &&ActionDefinition| {
            definition.resolves.as_deref() == Some(code)
                && definition.applies_to.contains(&case.exception.kind)
        };
        let actions = self.catalog.actions.values().filter(brings_about);
        let operations: Vec<_> = actions.map(|action| action.operation.as_str()).collect();
        let executed = |action: &action::Action| {
            action.state == action::State::Executed
                && operations.contains(&action.operation.as_str())
        };
        if operations.is_empty() || case.actions.iter().any(executed) {
            return Ok(());
        }
        let operations = operations.join(" or ");
        Err(Error::illegal_state(format!(
            "{code} is what {operations} resolves it as once that is executed, and no \
             execution was reported"
        ))
        .with_metadata("operations", operations))
    }

    fn check_codes(&self, kind: &str, resolution: &Resolution) -> Result<()> {
        let mut violations = Violations::default();
        let Some(declared) = self.catalog.taxonomy.get(kind) else {
            return Err(Error::new(
                Kind::FailedPrecondition,
                Reason::IllegalState,
                format!("the taxonomy no longer has the type {kind}"),
            ));
        };
        let listed = |codes: &std::collections::BTreeMap<String, String>| {
            codes.keys().cloned().collect::<Vec<_>>().join(", ")
        };
        if !declared.resolutions.contains_key(&resolution.code) {
            let codes = listed(&declared.resolutions);
            let problem = format!("found {:?}, expected one of {codes}", resolution.code);
            violations.take::<()>(Err(Error::invalid("resolution_code", problem)));
        }
        let cause = &resolution.root_cause;
        if !cause.is_empty() && !declared.root_causes.contains_key(cause) {
            let codes = listed(&declared.root_causes);
            let problem = format!("found {cause:?}, expected one of {codes}");
            violations.take::<()>(Err(Error::invalid("root_cause_code", problem)));
        }
        violations.finish(|| Some(()))
    }

    /// Open exceptions by age, with the instant that ages count to and the bands' bounds
    /// in seconds.
    ///
    /// # Errors
    /// For a malformed scope.
    pub async fn ageing(
        &self,
        caller: &Caller,
        scope: &str,
    ) -> Result<(chrono::DateTime<chrono::Utc>, Vec<i64>, Vec<Row>)> {
        let scopes = narrowed(caller, permission::REPORT, scope)?;
        let now = self.now();
        let since = self.bands.since(now);
        let rows = self.store.ageing(&scopes, &since, now).await?;
        Ok((now, self.bands.seconds().collect(), rows))
    }
}

/// Ends every action that waits.
pub(crate) fn lapse_pending(case: &mut Case, author: &Author, reason: &str, change: &mut Change) {
    let waiting = |action: &&mut action::Action| action.state == action::State::PendingApproval;
    for pending in case.actions.iter_mut().filter(waiting) {
        if pending
            .step(action::Step::Lapse, reason, author.now)
            .is_ok()
        {
            let entry = author.on_action("action.lapsed", "exceptions.action.lapse", pending);
            change.entries.push(told(entry));
            change.actions.push(pending.id.clone());
        }
    }
}

/// The caller's scopes for a permission, at or below the scope asked for.
pub(crate) fn narrowed(caller: &Caller, permission: &str, scope: &str) -> Result<Scopes> {
    let scopes = caller.scopes(permission);
    Ok(match optional_scope("scope", scope)? {
        Some(scope) => scopes.within(&scope),
        None => scopes,
    })
}

/// Cuts a list that was read with one item more than the page, and makes its token.
pub(crate) fn next_page<T>(
    items: &mut Vec<T>,
    limit: u64,
    cursor: impl Fn(&T) -> Cursor,
    params: &[&[u8]],
) -> String {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if items.len() <= limit {
        return String::new();
    }
    items.truncate(limit);
    items
        .last()
        .map(|last| page::encode(&cursor(last), params))
        .unwrap_or_default()
}
