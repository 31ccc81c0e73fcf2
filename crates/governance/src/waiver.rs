//! Waivers: approved exceptions to one row of a policy, for a time.
//!
//! A waiver replaces what its row demands; evaluation never goes on to another row, and the
//! other layers still join. It never demands more than the row, so that a condition that
//! isn't known to hold leaves the stricter answer: the row's own.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use decision::{Facts, Outcome, Table, evaluate_joint};

use crate::{
    Scope,
    answer::Answer,
    policy::{Policy, RowAnswer},
};

/// An approved exception to one row of a policy.
#[derive(Debug)]
pub struct Waiver {
    /// Name, such as `credit_hold_release.quarter-end`.
    pub name: Arc<str>,
    /// The policy.
    pub policy: Arc<str>,
    /// Id of the row.
    pub row: Arc<str>,
    /// Digest of the row as it was when the waiver was asked for.
    pub row_digest: String,
    /// Where it holds, and below.
    pub scope: Scope,
    /// Subject that asked for the exception.
    pub beneficiary: Arc<str>,
    /// From when on it no longer holds.
    pub expires: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// Version, counted from 1.
    pub version: u64,
    /// `sha256:` and hex over its canonical form.
    pub digest: Arc<str>,
    /// When it holds, and what then: a table of its own, over the workflow's facts.
    pub table: Table,
    /// What each of its rows gives.
    pub rows: Vec<RowAnswer>,
    /// Index of the row; `None`: the row is gone or another by now, and the waiver lapsed.
    pub(crate) target: Option<usize>,
}

impl Waiver {
    /// Whether the row is still what the waiver was asked for.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.target.is_some()
    }

    /// The index of the row that it is about, where that is what it was.
    pub(crate) fn find(&self, policy: &Policy) -> Option<usize> {
        let index = policy.rows.iter().position(|row| row.id == self.row)?;
        let row = policy.table.rows().get(index)?;
        (policy.table.row_digest(row) == self.row_digest).then_some(index)
    }
}

/// What waivers make of the rows of the layers, for one transaction.
#[derive(Debug, Default)]
pub(crate) struct Waived<'a> {
    replaced: Vec<Replaced<'a>>,
    /// Those of which it isn't known whether they hold.
    open: Vec<(&'a Waiver, Vec<Arc<str>>)>,
}

#[derive(Debug)]
struct Replaced<'a> {
    policy: &'a str,
    row: usize,
    waiver: &'a Waiver,
    answers: Vec<&'a RowAnswer>,
}

impl<'a> Waived<'a> {
    /// Whether no row is replaced.
    pub(crate) fn is_none(&self) -> bool {
        self.replaced.is_empty()
    }

    /// Which waivers hold for these facts.
    pub(crate) fn of(waivers: &[&'a Arc<Waiver>], facts: &Facts) -> Self {
        let mut waived = Self::default();
        for waiver in waivers {
            let Some(row) = waiver.target else { continue };
            let ways = evaluate_joint(&[&waiver.table], facts);
            let hits = |outcome: &Outcome| matches!(outcome, Outcome::Hits(_));
            let outcomes = || ways.combinations.iter().flatten();
            match (ways.combinations.as_slice(), ways.exact) {
                ([combination], true) => {
                    let Some(Outcome::Hits(rows)) = combination.first() else {
                        continue;
                    };
                    let answers = rows.iter().filter_map(|&row| waiver.rows.get(row));
                    waived.replaced.push(Replaced {
                        policy: &waiver.policy,
                        row,
                        waiver,
                        answers: answers.collect(),
                    });
                }
                _ if !ways.exact || outcomes().any(hits) => {
                    let unknown = decision::evaluate(&waiver.table, facts).unknown;
                    let names = unknown.iter().map(|name| Arc::from(name.as_str()));
                    waived.open.push((waiver, names.collect()));
                }
                _ => {}
            }
        }
        waived
    }

    /// Facts that would say whether a waiver of one of these rows holds.
    pub(crate) fn open<'s>(
        &'s self,
        policy: &'s str,
        rows: &'s [Arc<str>],
    ) -> impl Iterator<Item = Arc<str>> + 's {
        let here = move |waiver: &Waiver| *waiver.policy == *policy && rows.contains(&waiver.row);
        let open = self.open.iter().filter(move |(waiver, _)| here(waiver));
        open.flat_map(|(_, names)| names.iter().cloned())
    }

    /// What a row demands, joined to an answer; names of the waivers that say so.
    pub(crate) fn join(
        &self,
        answer: &mut Answer,
        (policy, row): (&Policy, usize),
        scope: &Scope,
        used: &mut BTreeSet<Arc<str>>,
    ) -> Option<Arc<str>> {
        let own = policy.rows.get(row)?;
        let mut holds = false;
        let mut reason = None;
        let of_row = |r: &&Replaced<'_>| r.row == row && *r.policy == *policy.name;
        // Of several, the strictest.
        for replaced in self.replaced.iter().filter(of_row) {
            holds = true;
            used.insert(replaced.waiver.name.clone());
            for waived in &replaced.answers {
                waived.join(answer, scope);
                reason = reason.or_else(|| waived.reason.clone());
            }
        }
        if holds {
            return reason;
        }
        own.join(answer, scope);
        own.reason.clone()
    }
}

#[cfg(test)]
mod tests;
