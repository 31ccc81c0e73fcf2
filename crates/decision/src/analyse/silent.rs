//! Rows that never answer, and rows without which every answer would be the same.

use super::{
    Finding, FindingKind, Reason, Region,
    check::Checker,
    diagram::{Windows, build},
    limits,
    rows::{Answering, Marks, Needed, Place},
    space::index,
    witness::Witness,
};
use crate::{
    evaluate::{Outcome, evaluate, explain},
    sfeel::Met,
    table::HitPolicy,
    value::Facts,
};

impl Checker<'_, '_> {
    /// Rows that never answer; those found, by index.
    pub(super) fn dead(&mut self) -> Vec<bool> {
        let rows = self.table.rows.len();
        let mut dead = vec![false; rows];
        let mut unsure = Vec::new();
        let mut masked = Vec::new();
        if matches!(
            self.table.hit_policy,
            HitPolicy::First | HitPolicy::Priority
        ) {
            let mut judge = Answering(Marks::new(self.space, self.rules));
            let cut = build(self.space, &Windows::all(self.space), &mut judge, self.work).cut;
            unsure = judge.0.unsure();
            let silent = (0..rows).filter(|&row| !judge.0.done[row] && self.space.possible[row]);
            let silent: Vec<usize> = silent.filter(|row| !unsure.contains(row)).collect();
            if cut == 0 {
                masked = silent;
            } else {
                let message = "rows weren't seen to answer before the budget ended";
                self.undecided(
                    Reason::Budget,
                    FindingKind::DeadRow,
                    silent.len() as u64,
                    message,
                );
            }
            masked.extend(self.settle(&mut unsure, false));
        } else if self.space.has_dependent() {
            (unsure, masked) = self.unreached();
        }
        let impossible: Vec<usize> = (0..rows).filter(|&row| !self.space.possible[row]).collect();
        masked.sort_unstable();
        for row in impossible.into_iter().chain(masked) {
            dead[row] = true;
            self.row_finding(FindingKind::DeadRow, row);
        }
        for row in unsure {
            dead[row] = true;
            let region = self.region_of(row);
            self.no_witness(FindingKind::DeadRow, vec![row], region);
        }
        dead
    }

    /// Looks for each row that isn't settled by itself; gives those that never answer, or
    /// make no difference, and leaves those of which it still isn't known.
    fn settle(&mut self, unsure: &mut Vec<usize>, needed: bool) -> Vec<usize> {
        let mut silent = Vec::new();
        let work = self.work / unsure.len().max(1) as u64;
        unsure.retain(|&row| match self.is_heard(row, needed, work) {
            Some(true) => false,
            Some(false) => {
                silent.push(row);
                false
            }
            None => true,
        });
        silent
    }

    fn is_heard(&mut self, row: usize, needed: bool, work: u64) -> Option<bool> {
        let mut place = Place::new(self.rules, self.number(row), needed);
        let everywhere = Windows::all(self.space);
        let answered = self.space.ask_within(&everywhere, &mut place, work);
        let mut known = answered.cut == 0 && answered.more == 0;
        for found in answered.found {
            if !self.may_replay() {
                return None;
            }
            match found.witness(self.space, &mut |facts| place.shows(facts)) {
                Witness::Facts(_) => return Some(true),
                Witness::Nowhere => {}
                Witness::Unfound => known = false,
            }
        }
        known.then_some(false)
    }

    /// Rows with cells on computed columns of which no fact set was found that they match,
    /// and those of which there is none.
    fn unreached(&mut self) -> (Vec<usize>, Vec<usize>) {
        let (mut unreached, mut nowhere) = (Vec::new(), Vec::new());
        for row in self.rules.first..self.rules.end {
            let at = index(row);
            if !self.space.possible[at] || !self.space.is_dependent(row) || !self.may_replay() {
                continue;
            }
            let table = self.table;
            let mut matches = |facts: &Facts| {
                explain(table, facts)
                    .iter()
                    .any(|found| found.row == at && found.matched == Met::Yes)
            };
            match self.space.witness(&self.alone(row), &mut matches) {
                Witness::Facts(_) => {}
                Witness::Nowhere => nowhere.push(at),
                Witness::Unfound => unreached.push(at),
            }
        }
        (unreached, nowhere)
    }

    pub(super) fn redundant(&mut self, dead: &[bool]) {
        let mut judge = Needed::new(self.space, self.rules);
        for (row, dead) in dead.iter().enumerate() {
            judge.0.done[row] |= dead;
        }
        let cut = build(self.space, &Windows::all(self.space), &mut judge, self.work).cut;
        let mut unsure = judge.0.unsure();
        let kind = FindingKind::RedundantRow;
        let open =
            (0..self.table.rows.len()).filter(|&row| !judge.0.done[row] && !unsure.contains(&row));
        let mut open: Vec<usize> = open.collect();
        let settled = self.settle(&mut unsure, true);
        if cut > 0 {
            let message = "rows weren't seen to make a difference before the budget ended";
            self.undecided(Reason::Budget, kind, open.len() as u64, message);
            open.clear();
        }
        open.extend(settled);
        open.sort_unstable();
        for row in unsure {
            let region = self.region_of(row);
            self.no_witness(kind, vec![row], region);
        }
        for row in open {
            self.row_finding(kind, row);
        }
    }

    fn number(&self, row: usize) -> u32 {
        self.rules.first + u32::try_from(row).unwrap_or(u32::MAX)
    }

    fn region_of(&self, row: usize) -> Region {
        let sets = self.alone(self.number(row));
        let mut regions = self.space.regions(&sets, false).into_iter();
        regions.next().map(|(region, _)| region).unwrap_or_default()
    }

    /// A row that never answers, or needn't, with a fact set that it matches.
    fn row_finding(&mut self, kind: FindingKind, row: usize) {
        if self.report.of(kind).count() >= limits::FINDINGS {
            self.more_rows(kind);
            return;
        }
        let possible = self.space.possible[row];
        if possible && !self.may_replay() {
            self.more_rows(kind);
            return;
        }
        let table = self.table;
        let mut instead = Vec::new();
        let mut answers = |facts: &Facts| match evaluate(table, facts).outcomes.as_slice() {
            [Outcome::Hits(rows) | Outcome::Conflict(rows)] => {
                let dead = kind == FindingKind::DeadRow && rows.contains(&row);
                instead = rows.clone();
                !dead
            }
            _ => false,
        };
        let (region, witness) = if possible {
            self.shown(&self.alone(self.number(row)), &mut answers)
        } else {
            (Region::default(), Witness::Nowhere)
        };
        let witness = match witness {
            Witness::Facts(facts) => Some(facts),
            // Its own cells rule each other out.
            Witness::Nowhere => None,
            Witness::Unfound => {
                self.no_witness(kind, vec![row], region);
                return;
            }
        };
        self.report.findings.push(Finding {
            kind,
            rows: vec![row],
            region,
            witness,
            instead,
        });
    }

    /// Counts a row that isn't listed.
    fn more_rows(&mut self, kind: FindingKind) {
        let message = match kind {
            FindingKind::DeadRow => "more rows never answer than are listed",
            _ => "more rows make no difference than are listed",
        };
        let mut undecided = self.report.undecided.iter_mut();
        match undecided.find(|u| u.kind == Some(kind) && u.message == message) {
            Some(more) => more.count += 1,
            None => self.undecided(self.space.unlisted(), kind, 1, message),
        }
    }
}
