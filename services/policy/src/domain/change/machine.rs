//! The steps of a change: which may follow which, and who may take them.
//!
//! Nobody who edited a change approves it; nobody who edited or approved it activates it.

use approval::{
    Approval, Approver, Case, Exclusion, Kind, Part, Refusal, Requirement, Somebody, Subject,
};
use chrono::{DateTime, Utc};

use super::{Backtest, Change, Demand, Given, Item, Review, State, Step, Tests};

/// Why a step isn't taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its state doesn't allow it.
    #[error("the change is {state}: {problem}", state = .0.as_str(), problem = .1)]
    State(State, &'static str),
    /// The approver may not.
    #[error("{0}")]
    Approver(Refusal),
    /// Who edited it can't put it into force.
    #[error("who edited a change can't activate it")]
    Editor,
    /// Who has the benefit of a waiver can't ask for it.
    #[error("who has the benefit of a waiver neither proposes nor activates it")]
    Beneficiary,
    /// Who approved it can't put it into force.
    #[error("who approved a change can't activate it")]
    Approved,
    /// Only editors.
    #[error("only who edited a change can withdraw it")]
    NotEditor,
    /// Steps of change control need a named person.
    #[error("this step needs a person who can be named")]
    NotAPerson,
    /// Something else was reviewed.
    #[error("the digest isn't that of the change as it is now")]
    Digest,
    /// Its time hasn't come.
    #[error("the change is to come into force at {0}")]
    NotDue(DateTime<Utc>),
    /// It has no time, or one that has passed.
    #[error("the change has no time to come")]
    NoTime,
    /// Who asked for a loosening rollback can't be the second person.
    #[error("a rollback that loosens takes a second person")]
    SecondPerson,
    /// The workflow `change_approval` denies it.
    #[error("the policy of changes denies it: {0}")]
    Denied(String),
}

/// What an attempt to activate comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activated {
    /// It may come into force.
    Now,
    /// What it would do isn't what was reviewed any more: it is in DRAFT again.
    Outdated,
    /// Approvals are missing by now: it waits for them again.
    Lapsed(Vec<Requirement>),
}

pub(super) type Result<T = ()> = std::result::Result<T, Refused>;

impl Change {
    /// Another content, by this editor: it starts over.
    ///
    /// # Errors
    /// If it is no longer open.
    pub fn edit(
        &mut self,
        editor: &Subject,
        items: Option<Vec<Item>>,
        activate: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result {
        self.require_open("it can't be edited")?;
        let editors = || self.editors.iter().chain([editor]);
        let benefits = |item: &Item| {
            let beneficiary = item.beneficiary();
            editors().any(|who| beneficiary.as_ref() == Some(&who.subject))
        };
        if items.as_ref().unwrap_or(&self.items).iter().any(benefits) {
            return Err(Refused::Beneficiary);
        }
        if !self.editors.contains(editor) {
            self.editors.push(editor.clone());
        }
        if let Some(items) = items {
            self.items = items;
        }
        self.activate = activate;
        let what = if self.history.is_empty() {
            "proposed"
        } else {
            "edited"
        };
        self.start_over(Some(editor), what, now);
        Ok(())
    }

    /// The outcome of a check.
    ///
    /// # Errors
    /// If it isn't open, or already scheduled.
    pub fn checked(&mut self, by: &Subject, review: Review, now: DateTime<Utc>) -> Result {
        self.require_open("it can't be checked")?;
        if self.state == State::Scheduled {
            return Err(Refused::State(self.state, "it was reviewed already"));
        }
        if self.state > State::Draft && self.digest() == review.digest {
            // The same as was reviewed: what came after still holds.
            self.review = Some(review);
            self.touch(now);
            return Ok(());
        }
        let sound = review.problems.is_empty();
        let comment = match review.problems.len() {
            0 => String::new(),
            count => format!("{count} problems"),
        };
        self.clear();
        self.review = Some(review);
        let state = if sound { State::Checked } else { State::Draft };
        self.step(state, Some(by), &comment, now);
        Ok(())
    }

    /// The outcome of its tests.
    ///
    /// # Errors
    /// If it isn't CHECKED.
    pub fn tested(&mut self, by: &Subject, tests: Tests, now: DateTime<Utc>) -> Result {
        if self.state != State::Checked {
            return Err(Refused::State(self.state, "tests follow the check"));
        }
        let comment = format!("{} tests, {} failed", tests.run, tests.failures.len());
        let passed = tests.failures.is_empty();
        self.tests = Some(tests);
        let state = if passed {
            State::Tested
        } else {
            State::Checked
        };
        self.step(state, Some(by), &comment, now);
        Ok(())
    }

    /// The outcome of its backtest, and who must approve after that.
    ///
    /// # Errors
    /// If it isn't TESTED, or not waiting with no approval given.
    pub fn backtested(
        &mut self,
        by: &Subject,
        backtest: Backtest,
        demand: Demand,
        now: DateTime<Utc>,
    ) -> Result {
        let again = self.state == State::Backtested && self.approvals.is_empty();
        if self.state != State::Tested && !again {
            return Err(Refused::State(self.state, "the backtest follows the tests"));
        }
        let comment = format!(
            "{} decisions: {} looser, {} tighter or other",
            backtest.decisions, backtest.looser, backtest.tighter
        );
        self.backtest = Some(backtest);
        let free = !demand.denied && demand.approvals.is_empty();
        self.demand = Some(demand);
        self.step(State::Backtested, Some(by), &comment, now);
        if free {
            self.step(State::Approved, None, "nobody need approve", now);
        }
        Ok(())
    }

    /// An approval of exactly what has the digest; `revoked` says which of those given don't
    /// count any more.
    ///
    /// # Errors
    /// If it doesn't wait for one, for another digest, or for who may not approve.
    pub fn approve(
        &mut self,
        approver: Approver,
        token_id: String,
        (digest, comment): (&str, &str),
        revoked: &dyn Fn(&Given) -> bool,
        (now, expires): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result {
        if self.state != State::Backtested {
            return Err(Refused::State(self.state, "it doesn't wait for approvals"));
        }
        if let Some(demand) = self.demand.as_ref().filter(|demand| demand.denied) {
            return Err(Refused::Denied(demand.reasons.join(", ")));
        }
        if digest != self.digest() {
            return Err(Refused::Digest);
        }
        self.case()
            .may_approve(&approver, &self.given(revoked), now)
            .map_err(Refused::Approver)?;
        let by = approver.who.clone();
        self.approvals.push(Given {
            approval: Approval {
                approver,
                given: now,
                expires,
                digest: digest.to_owned(),
                revoked: false,
            },
            token_id,
            comment: comment.to_owned(),
        });
        let met = self.missing(revoked, now).is_empty();
        let state = if met { State::Approved } else { self.state };
        self.step(state, Some(&by), comment, now);
        Ok(())
    }

    /// A rejection, by somebody who could approve.
    ///
    /// # Errors
    /// If it doesn't wait for approval or activation, or for who couldn't approve it.
    pub fn reject(&mut self, approver: &Approver, reason: &str, now: DateTime<Utc>) -> Result {
        let waits = [State::Backtested, State::Approved, State::Scheduled];
        if !waits.contains(&self.state) {
            return Err(Refused::State(self.state, "it doesn't wait for approval"));
        }
        self.case().admit(approver).map_err(Refused::Approver)?;
        if !self.required().iter().any(|needed| approver.fills(needed)) {
            return Err(Refused::Approver(Refusal::NotAnApprover));
        }
        self.step(State::Rejected, Some(&approver.who), reason, now);
        Ok(())
    }

    /// Sets it to come into force at its time.
    ///
    /// # Errors
    /// If it isn't APPROVED, has no time to come, or for who wrote or approved it.
    pub fn schedule(&mut self, activator: &Approver, now: DateTime<Utc>) -> Result {
        if self.state != State::Approved {
            return Err(Refused::State(self.state, "approvals come first"));
        }
        if self.activate.is_none_or(|time| time <= now) {
            return Err(Refused::NoTime);
        }
        self.admit_activator(activator)?;
        self.scheduled_by = Some(activator.who.clone());
        self.step(State::Scheduled, Some(&activator.who), "", now);
        Ok(())
    }

    /// Whether it may come into force now: `activator` is `None` for one that was scheduled.
    /// `digest` is over what it would do now, `demand` what is demanded now; `revoked` says
    /// which approvals don't count any more.
    ///
    /// # Errors
    /// If its state or time don't allow it, or for who wrote or approved it.
    pub fn activate(
        &mut self,
        activator: Option<&Approver>,
        digest: &str,
        demand: Demand,
        revoked: &dyn Fn(&Given) -> bool,
        now: DateTime<Utc>,
    ) -> Result<Activated> {
        let ready = match activator {
            Some(_) => self.state == State::Approved,
            None => self.state == State::Scheduled,
        };
        if !ready {
            return Err(Refused::State(self.state, "approvals come first"));
        }
        if let Some(time) = self.activate.filter(|time| *time > now) {
            return Err(Refused::NotDue(time));
        }
        if let Some(activator) = activator {
            self.admit_activator(activator)?;
        }
        if digest != self.digest() {
            let comment = "what it would do is no longer what was reviewed";
            self.start_over(None, comment, now);
            return Ok(Activated::Outdated);
        }
        if demand.denied {
            let comment = format!(
                "the policy of changes denies it: {}",
                demand.reasons.join(", ")
            );
            self.demand = Some(demand);
            self.step(State::Backtested, None, &comment, now);
            return Ok(Activated::Lapsed(Vec::new()));
        }
        // What is demanded now counts, and what was demanded then.
        let mut strictest = demand;
        if let Some(before) = &self.demand {
            strictest.join(before);
        }
        self.demand = Some(strictest);
        let missing = self.missing(revoked, now);
        if !missing.is_empty() {
            self.step(
                State::Backtested,
                None,
                "approvals don't count any more",
                now,
            );
            return Ok(Activated::Lapsed(missing));
        }
        Ok(Activated::Now)
    }

    /// It is in force with this revision.
    pub fn activated(&mut self, by: Option<&Subject>, revision: u64, now: DateTime<Utc>) {
        self.revision = Some(revision);
        self.step(State::Active, by, &format!("revision {revision}"), now);
    }

    /// A later revision replaced something of it.
    pub fn superseded(&mut self, revision: u64, now: DateTime<Utc>) {
        if self.state == State::Active {
            let comment = format!("by revision {revision}");
            self.step(State::Superseded, None, &comment, now);
        }
    }

    /// Given up, by an editor.
    ///
    /// # Errors
    /// If it isn't open, or for somebody else.
    pub fn withdraw(&mut self, editor: &Subject, now: DateTime<Utc>) -> Result {
        self.require_open("it can't be withdrawn")?;
        if !self.editors.contains(editor) {
            return Err(Refused::NotEditor);
        }
        self.step(State::Withdrawn, Some(editor), "", now);
        Ok(())
    }

    /// Who still must approve.
    #[must_use]
    pub fn missing(
        &self,
        revoked: &dyn Fn(&Given) -> bool,
        now: DateTime<Utc>,
    ) -> Vec<Requirement> {
        self.case().status(&self.given(revoked), now).missing
    }

    fn case(&self) -> Case {
        let editor = |who: &Subject| Exclusion {
            who: Somebody {
                issuer: Some(who.issuer.clone()),
                subject: who.subject.clone(),
            },
            part: Part::Editor,
        };
        let beneficiaries = self.items.iter().filter_map(Item::beneficiary);
        let beneficiaries = beneficiaries.map(|subject| Exclusion {
            who: Somebody {
                issuer: None,
                subject,
            },
            part: Part::Beneficiary,
        });
        Case {
            requirements: self.required().to_vec(),
            excluded: self
                .editors
                .iter()
                .map(editor)
                .chain(beneficiaries)
                .collect(),
            digest: self.digest().to_owned(),
            ordered: false,
        }
    }

    fn given(&self, revoked: &dyn Fn(&Given) -> bool) -> Vec<Approval> {
        let counted = |given: &Given| Approval {
            revoked: given.approval.revoked || revoked(given),
            ..given.approval.clone()
        };
        self.approvals.iter().map(counted).collect()
    }

    pub(super) fn admit_activator(&self, activator: &Approver) -> Result {
        if activator.kind != Kind::Person {
            return Err(Refused::NotAPerson);
        }
        if self.editors.contains(&activator.who) {
            return Err(Refused::Editor);
        }
        let benefits = |item: &Item| item.beneficiary().as_ref() == Some(&activator.who.subject);
        if self.items.iter().any(benefits) {
            return Err(Refused::Beneficiary);
        }
        let approved = |given: &Given| given.approval.approver.who == activator.who;
        if self.approvals.iter().any(approved) {
            return Err(Refused::Approved);
        }
        Ok(())
    }

    fn require_open(&self, otherwise: &'static str) -> Result {
        if self.state.is_open() {
            return Ok(());
        }
        Err(Refused::State(self.state, otherwise))
    }

    fn start_over(&mut self, by: Option<&Subject>, comment: &str, now: DateTime<Utc>) {
        self.clear();
        self.step(State::Draft, by, comment, now);
    }

    /// Forgets what was found and approved of an earlier content.
    fn clear(&mut self) {
        self.review = None;
        self.tests = None;
        self.backtest = None;
        self.demand = None;
        self.approvals.clear();
        self.scheduled_by = None;
    }

    pub(super) fn step(
        &mut self,
        state: State,
        by: Option<&Subject>,
        comment: &str,
        now: DateTime<Utc>,
    ) {
        self.state = state;
        self.history.push(Step {
            state,
            by: by.cloned(),
            time: now,
            comment: comment.to_owned(),
        });
        self.touch(now);
    }

    fn touch(&mut self, now: DateTime<Utc>) {
        self.updated = now;
        self.version += 1;
    }
}
