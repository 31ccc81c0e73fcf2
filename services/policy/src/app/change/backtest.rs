//! Stored decisions decided again: as in force, and as it would be. What was recorded is
//! compared with neither; it is shown beside them.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use governance::{
    Bundle, Effect,
    admit::admit,
    analysis::{Answered, Change as Direction},
    decide,
};
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::{Caller, Found, Scopes},
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    App, Shown,
    store::{Period, Stored},
    try_out::outdated,
};
use crate::{
    app::permission,
    domain::{
        change::{Backtest, Cell, Change, Sample, demand},
        decision::Decision,
        question::Question,
        snapshot::Snapshot,
    },
};

/// Decisions that are read at once.
const PAGE: u64 = 4_000;
/// Most decisions, and how many where it isn't said.
const MOST: u64 = 10_000_000;
const USUAL: u64 = 1_000_000;
/// How far back, where it isn't said.
const USUAL_DAYS: i64 = 30;
/// Samples of each pair of effects.
const SAMPLES: usize = 10;

/// Which decisions are decided again.
#[derive(Debug, Clone, Copy, Default)]
pub struct BacktestOptions {
    /// From here on.
    pub from: Option<DateTime<Utc>>,
    /// At most this many; 0: a million.
    pub most: u64,
}

/// How far a backtest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Decided again so far.
    pub decisions: u64,
    /// There are.
    pub total: u64,
}

/// A backtest to run: everything that could be refused has been looked at.
pub struct Begun {
    change: Change,
    snapshot: Arc<Snapshot>,
    after: Arc<Bundle>,
    period: Period,
    most: u64,
    /// Whether the period is the usual one, or longer.
    usual: bool,
}

impl App {
    /// Looks whether a change may be tried on stored decisions.
    ///
    /// # Errors
    /// For a change that isn't TESTED, or of which something else was checked.
    pub async fn begin_backtest(
        &self,
        caller: &Caller,
        id: Uuid,
        etag: &str,
        options: BacktestOptions,
    ) -> Result<Begun> {
        self.editor(caller)?;
        let change = self
            .open(caller, permission::PROPOSE_CHANGE, id, etag)
            .await?;
        let now = self.clock.now();
        // The step itself, to be refused before the work and not after it.
        let mut trial = change.clone();
        let by = caller.approver().who;
        trial
            .backtested(&by, Backtest::default(), Default::default(), now)
            .map_err(|why| Self::refuse_change(&change, why))?;
        let usual = now - TimeDelta::days(USUAL_DAYS);
        let from = options.from.unwrap_or(usual);
        if from > now {
            return Err(Error::invalid("from_time", "is yet to come"));
        }
        let most = if options.most == 0 {
            USUAL
        } else {
            options.most
        };
        if most > MOST {
            let problem = format!("more than {MOST}");
            return Err(Error::invalid("max_decisions", problem));
        }
        let snapshot = self.current()?;
        let items = change.items.clone();
        let reviewed = self
            .review(snapshot.clone(), items, change.activate)
            .await?;
        let Some(after) = reviewed
            .after
            .filter(|_| reviewed.review.digest == change.digest())
        else {
            return Err(outdated(&change.name()));
        };
        Ok(Begun {
            period: Period {
                workflows: reviewed.review.workflows,
                from,
            },
            change,
            snapshot,
            after: Arc::new(after),
            most,
            usual: from <= usual,
        })
    }

    /// Decides stored decisions again and keeps what came out. Stops, and keeps nothing,
    /// where nobody listens to the progress any more.
    ///
    /// # Errors
    /// If the store can't be reached, or the change is another by now.
    pub async fn backtest(
        &self,
        caller: &Caller,
        begun: Begun,
        progress: &mpsc::Sender<Result<Progress>>,
    ) -> Result<Shown> {
        let total = self.store.count_decisions(&begun.period).await?;
        let wanted = total.min(begun.most);
        let mut tally = Tally {
            from: begun.period.from,
            truncated: total > begun.most,
            ..Tally::default()
        };
        let mut page = self
            .store
            .decisions(&begun.period, None, PAGE.min(wanted))
            .await?;
        while let Some(last) = page.last().map(|stored| stored.id) {
            let here = u64::try_from(page.len()).unwrap_or(u64::MAX);
            let left = wanted.saturating_sub(tally.seen + here);
            let (snapshot, after) = (begun.snapshot.clone(), begun.after.clone());
            let work = tokio::task::spawn_blocking(move || {
                tally.add(&snapshot.bundle, &after, &page);
                tally
            });
            // The next page is read while this one is decided.
            let next = async {
                if left == 0 {
                    return Ok(Vec::new());
                }
                let limit = PAGE.min(left);
                self.store.decisions(&begun.period, Some(last), limit).await
            };
            let (done, next) = tokio::join!(work, next);
            tally = done.map_err(Error::internal)?;
            page = next?;
            let so_far = Progress {
                decisions: tally.seen,
                total: wanted,
            };
            if progress.send(Ok(so_far)).await.is_err() {
                return Err(cancelled());
            }
        }
        if progress.is_closed() {
            return Err(cancelled());
        }
        let mut found = tally.finish();
        found.complete = begun.usual && !found.truncated;
        for sample in &mut found.samples {
            let kept = self.store.decision(sample.decision, &Scopes::All).await?;
            if let Found::Here(kept) = kept {
                sample.recorded = recorded(&kept.answer.decision);
            }
        }
        self.keep_backtest(caller, begun, found).await
    }

    async fn keep_backtest(
        &self,
        caller: &Caller,
        begun: Begun,
        backtest: Backtest,
    ) -> Result<Shown> {
        let Begun {
            mut change,
            snapshot,
            after,
            ..
        } = begun;
        let before = change.clone();
        change.backtest = Some(backtest.clone());
        let bundles = (&snapshot.bundle, &*after);
        let demanded = demand(&change, bundles, &snapshot.documents, &self.council_role);
        let by = caller.approver().who;
        change
            .backtested(&by, backtest, demanded, self.clock.now())
            .map_err(|why| Self::refuse_change(&before, why))?;
        self.keep_change(caller, "backtested", &before, change)
            .await
    }
}

fn cancelled() -> Error {
    Error::new(
        Kind::DeadlineExceeded,
        Reason::DeadlineExceeded,
        "the backtest was cancelled; nothing of it is kept",
    )
}

/// What has come out so far.
#[derive(Default)]
struct Tally {
    from: DateTime<Utc>,
    truncated: bool,
    /// Decisions looked at.
    seen: u64,
    not_replayable: u64,
    cells: BTreeMap<(Effect, Effect), (u64, u64)>,
    samples: BTreeMap<(Effect, Effect), Vec<Sample>>,
    looser: u64,
    tighter: u64,
}

impl Tally {
    fn add(&mut self, before: &Bundle, after: &Bundle, page: &[Stored]) {
        for stored in page {
            self.seen += 1;
            let answers = stored.question().and_then(|question| {
                let old = answered(before, &question, stored.decided)?;
                let new = answered(after, &question, stored.decided)?;
                Some((question, old, new))
            });
            let Some((question, old, new)) = answers else {
                self.not_replayable += 1;
                continue;
            };
            let key = (old.answer.effect, new.answer.effect);
            let change = old.change(&new);
            let cell = self.cells.entry(key).or_default();
            cell.0 += 1;
            let Some(change) = change else { continue };
            cell.1 += 1;
            match change {
                Direction::Looser | Direction::Mixed => self.looser += 1,
                Direction::Tighter | Direction::Other => self.tighter += 1,
            }
            let samples = self.samples.entry(key).or_default();
            if samples.len() < SAMPLES {
                samples.push(sample(stored, question, &old, &new));
            }
        }
    }

    fn finish(self) -> Backtest {
        let cells = self.cells.into_iter();
        let cells = cells.map(|((before, after), (decisions, changed))| Cell {
            before,
            after,
            decisions,
            changed,
        });
        Backtest {
            from: self.from,
            decisions: self.seen - self.not_replayable,
            not_replayable: self.not_replayable,
            cells: cells.collect(),
            samples: self.samples.into_values().flatten().collect(),
            looser: self.looser,
            tighter: self.tighter,
            truncated: self.truncated,
            complete: false,
        }
    }
}

/// What policies answer to a question that was asked at `then`; `None` where there is no
/// such workflow or scope.
fn answered(bundle: &Bundle, question: &Question, then: DateTime<Utc>) -> Option<Answered> {
    bundle.scopes().get(&question.scope)?;
    let effective = bundle.waived(&question.workflow, &question.scope, then)?;
    let admission = admit(&effective, question.assertions(then), then);
    let verdict = decide(&effective, &question.scope, &admission.facts);
    Some(Answered::of_verdict(&verdict))
}

fn sample(stored: &Stored, question: Question, old: &Answered, new: &Answered) -> Sample {
    Sample {
        decision: stored.id,
        correlation_id: question.correlation_id,
        scope: question.scope,
        recorded: String::new(),
        before: old.to_string(),
        after: new.to_string(),
    }
}

/// What was decided then, in a line.
fn recorded(decision: &Decision) -> String {
    let approvals = decision.approvals.iter();
    let approvals = approvals.map(|r| format!("{} {}@{}", r.count, r.role, r.at));
    let approvals = approvals.collect::<Vec<_>>().join(" + ");
    match approvals.as_str() {
        "" => decision.effect.to_string(),
        approvals => format!("{}, by {approvals}", decision.effect),
    }
}
