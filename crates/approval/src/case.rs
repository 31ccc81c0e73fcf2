//! A case: what is required, who is kept out, and how the approvals so far stand.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::{Approval, Approver, Exclusion, Kind, Refusal, Requirement, matching::Seating};

/// Something that needs approvals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Who must approve. Empty: nobody.
    pub requirements: Vec<Requirement>,
    /// Who may not.
    pub excluded: Vec<Exclusion>,
    /// What approvals are bound to; one given for another digest is void.
    pub digest: String,
    /// Whether the requirements must be met in their order. An approval then counts
    /// for the requirement whose turn it was when it was given, or for none.
    pub ordered: bool,
}

/// How the approvals of a case stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What is still missing: requirements with the count that remains. Where one
    /// person could fill several places, this is one of the ways to put it.
    pub missing: Vec<Requirement>,
    /// Indices of the approvals that don't count, each with the reason.
    pub void: Vec<(usize, VoidReason)>,
}

/// Why an approval doesn't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum VoidReason {
    /// Its time has passed.
    #[error("expired")]
    Expired,
    /// The subject or its token was revoked.
    #[error("the approver was revoked")]
    Revoked,
    /// It was given for something else.
    #[error("given for another digest")]
    Digest,
    /// The approver is kept out for segregation of duties, or is no person.
    #[error("{0}")]
    Excluded(Refusal),
    /// Another approval of the same person counts already.
    #[error("one person counts once")]
    Repeated,
}

impl Status {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.missing.is_empty()
    }
}

impl Case {
    /// How the approvals stand at `now`. An approval expires at its `expires`.
    #[must_use]
    pub fn status(&self, approvals: &[Approval], now: DateTime<Utc>) -> Status {
        let (valid, void) = self.sift(approvals, now);
        let people = valid
            .iter()
            .map(|approval| &approval.approver)
            .collect::<Vec<_>>();
        let filled = self.filled(&people);
        let missing = self
            .requirements
            .iter()
            .zip(filled)
            .filter_map(|(requirement, filled)| {
                let filled = u32::try_from(filled).unwrap_or(u32::MAX);
                let count = requirement.count.saturating_sub(filled);
                (count > 0).then(|| Requirement {
                    count,
                    ..requirement.clone()
                })
            })
            .collect();
        Status { missing, void }
    }

    /// Whether this person's approval would count at `now`, beside those given.
    ///
    /// # Errors
    /// With the reason why it wouldn't.
    pub fn may_approve(
        &self,
        candidate: &Approver,
        approvals: &[Approval],
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        self.admit(candidate)?;
        let (valid, _) = self.sift(approvals, now);
        let mut people = valid
            .iter()
            .map(|approval| &approval.approver)
            .collect::<Vec<_>>();
        if people.iter().any(|other| other.who == candidate.who) {
            return Err(Refusal::AlreadyApproved);
        }
        let fills_any = self
            .requirements
            .iter()
            .any(|requirement| requirement.count > 0 && candidate.fills(requirement));
        if !fills_any {
            return Err(Refusal::NotAnApprover);
        }
        let before: usize = self.filled(&people).iter().sum();
        people.push(candidate);
        let after: usize = self.filled(&people).iter().sum();
        if after > before {
            return Ok(());
        }
        people.pop();
        Err(
            if self.ordered && self.has_later_place(candidate, &people) {
                Refusal::NotYet
            } else {
                Refusal::NotNeeded
            },
        )
    }

    /// Segregation of duties alone: whether this is a person who isn't kept out.
    ///
    /// # Errors
    /// With the part the person has in the case.
    pub fn admit(&self, candidate: &Approver) -> Result<(), Refusal> {
        if candidate.kind != Kind::Person {
            return Err(Refusal::NotAPerson);
        }
        match self
            .excluded
            .iter()
            .find(|exclusion| exclusion.keeps_out(&candidate.who))
        {
            Some(exclusion) => Err(exclusion.refusal()),
            None => Ok(()),
        }
    }

    /// The approvals that count, in the order they were given, and those that don't.
    fn sift<'a>(
        &self,
        approvals: &'a [Approval],
        now: DateTime<Utc>,
    ) -> (Vec<&'a Approval>, Vec<(usize, VoidReason)>) {
        let mut order = (0..approvals.len()).collect::<Vec<_>>();
        order.sort_by_key(|&index| (approvals[index].given, index));
        let (mut valid, mut void, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for index in order {
            let approval = &approvals[index];
            match self.flaw(approval, now) {
                Some(reason) => void.push((index, reason)),
                None if seen.insert(&approval.approver.who) => valid.push(approval),
                None => void.push((index, VoidReason::Repeated)),
            }
        }
        void.sort_by_key(|(index, _)| *index);
        (valid, void)
    }

    fn flaw(&self, approval: &Approval, now: DateTime<Utc>) -> Option<VoidReason> {
        if let Err(refusal) = self.admit(&approval.approver) {
            Some(VoidReason::Excluded(refusal))
        } else if approval.revoked {
            Some(VoidReason::Revoked)
        } else if approval.digest != self.digest {
            Some(VoidReason::Digest)
        } else if now >= approval.expires {
            Some(VoidReason::Expired)
        } else {
            None
        }
    }

    /// How many of these people, in their order, each requirement has.
    fn filled(&self, people: &[&Approver]) -> Vec<usize> {
        if self.ordered {
            return self.filled_in_order(people);
        }
        let fits = people
            .iter()
            .map(|person| self.requirements.iter().map(|r| person.fills(r)).collect())
            .collect::<Vec<_>>();
        let counts = self
            .requirements
            .iter()
            .map(|r| r.count)
            .collect::<Vec<_>>();
        let mut seating = Seating::new(&fits, &counts);
        for person in 0..people.len() {
            seating.seat(person);
        }
        seating.filled()
    }

    fn filled_in_order(&self, people: &[&Approver]) -> Vec<usize> {
        let mut filled = vec![0; self.requirements.len()];
        for person in people {
            if let Some(turn) = self.turn(&filled)
                && person.fills(&self.requirements[turn])
            {
                filled[turn] += 1;
            }
        }
        filled
    }

    /// The first requirement that isn't met.
    fn turn(&self, filled: &[usize]) -> Option<usize> {
        self.requirements
            .iter()
            .zip(filled)
            .position(|(requirement, &filled)| (filled as u64) < u64::from(requirement.count))
    }

    fn has_later_place(&self, candidate: &Approver, people: &[&Approver]) -> bool {
        let filled = self.filled(people);
        self.turn(&filled).is_some_and(|turn| {
            self.requirements[turn..]
                .iter()
                .any(|requirement| requirement.count > 0 && candidate.fills(requirement))
        })
    }
}
