//! The analysis of one table.

use super::{
    Finding, FindingKind, Reason, Region, Undecided, limits,
    outcome::{Interner, Rules},
    pairs,
    regions::Sets,
    space::{Key, Space, index},
    witness::Witness,
};
use crate::{
    evaluate::{Outcome, evaluate},
    table::{HitPolicy, Table},
    value::Facts,
};

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Inputs that no row covers. Not of tables that are to say nothing there, such as
    /// guardrails.
    pub gaps: bool,
    /// Most work on one question, as [`limits::WORK`] counts it.
    pub work: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            gaps: true,
            work: limits::WORK,
        }
    }
}

/// What was found in a table.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The findings, by kind.
    pub findings: Vec<Finding>,
    /// What couldn't be settled.
    pub undecided: Vec<Undecided>,
}

impl Report {
    /// How many more findings of a kind there are than are listed.
    #[must_use]
    pub fn unlisted(&self, kind: FindingKind) -> u64 {
        let more = self
            .undecided
            .iter()
            .filter(|open| open.kind == Some(kind) && open.reason == Reason::Unlisted);
        more.map(|open| open.count).sum()
    }

    /// The findings of a kind.
    pub fn of(&self, kind: FindingKind) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.kind == kind)
    }
}

/// Looks for conflicts, gaps, dead and redundant rows.
#[must_use]
pub fn check(table: &Table, options: Options) -> Report {
    let space = Space::new(vec![table]);
    let rules = Rules::new(&space, 0, &mut Interner::default());
    let mut checker = Checker {
        table,
        space: &space,
        rules: &rules,
        replay: limits::REPLAY,
        cost: space.replay_cost(),
        work: options.work,
        report: Report {
            findings: Vec::new(),
            undecided: space.undecided.clone(),
        },
    };
    if !space.is_void() {
        checker.conflicts();
        if options.gaps && table.default.is_none() {
            checker.gaps();
        }
        let dead = checker.dead();
        checker.redundant(&dead);
    }
    checker.report
}

pub(super) struct Checker<'c, 't> {
    pub(super) table: &'t Table,
    pub(super) space: &'c Space<'t>,
    pub(super) rules: &'c Rules<'t>,
    /// How many cells may still be looked at in replays.
    replay: usize,
    /// How many one replay looks at.
    cost: usize,
    pub(super) work: u64,
    pub(super) report: Report,
}

impl Checker<'_, '_> {
    /// Whether another witness may be replayed.
    pub(super) fn may_replay(&mut self) -> bool {
        match self.replay.checked_sub(self.cost) {
            Some(left) => {
                self.replay = left;
                true
            }
            None => false,
        }
    }

    pub(super) fn undecided(
        &mut self,
        reason: Reason,
        kind: FindingKind,
        count: u64,
        message: &str,
    ) {
        if count > 0 {
            let found = Undecided::new(reason, message).about(kind).counted(count);
            self.report.undecided.push(found);
        }
    }

    pub(super) fn no_witness(&mut self, kind: FindingKind, rows: Vec<usize>, region: Region) {
        let whole = region.cells.iter().find(|cell| {
            let of_it = |key: &Key| matches!(key, Key::Test(input, _) if *input == cell.input);
            let mut dimensions = self.space.dimensions.iter();
            dimensions.any(|dimension| of_it(&dimension.key))
        });
        let why = match whole {
            Some(cell) => format!(
                "tests of `{}`, a list or tested with `?`, were only tried as a whole",
                cell.input
            ),
            None => "its columns are computed from the same facts".to_owned(),
        };
        let message = format!("no fact set was found in this region; {why}");
        self.report.undecided.push(Undecided {
            rows,
            region: Some(region),
            ..Undecided::new(Reason::NoWitness, message).about(kind)
        });
    }

    fn conflicts(&mut self) {
        let groups: Vec<u32>;
        let alike = match self.table.hit_policy {
            HitPolicy::Unique => None,
            HitPolicy::Any => {
                groups = (self.rules.first..self.rules.end)
                    .map(|row| self.rules.output(row))
                    .collect();
                Some(groups.as_slice())
            }
            _ => return,
        };
        let found = pairs::overlapping(self.space, alike, limits::FINDINGS);
        let kind = FindingKind::Conflict;
        let mut more = found.total - found.listed.len() as u64;
        for &(a, b) in &found.listed {
            if !self.may_replay() {
                more += 1;
                continue;
            }
            let rows = vec![index(a), index(b)];
            let sets = self.both(a, b);
            let table = self.table;
            let mut contradicted = |facts: &Facts| {
                matches!(evaluate(table, facts).outcomes.as_slice(),
                    [Outcome::Conflict(hits)] if rows.iter().all(|row| hits.contains(row)))
            };
            let (region, witness) = self.shown(&sets, &mut contradicted);
            match witness {
                Witness::Facts(witness) => self.report.findings.push(Finding {
                    kind,
                    rows,
                    region,
                    witness: Some(witness),
                    instead: Vec::new(),
                }),
                Witness::Nowhere => {}
                Witness::Unfound => self.no_witness(kind, rows, region),
            }
        }
        self.undecided(
            self.space.unlisted(),
            kind,
            more,
            "more pairs of rows contradict each other than are listed",
        );
        let message = "pairs of rows weren't compared before the budget ended";
        self.undecided(Reason::Budget, kind, found.left_out, message);
    }

    /// A box as a region, the first of those it reads as that is shown.
    pub(super) fn shown(
        &self,
        sets: &Sets,
        accept: &mut dyn FnMut(&Facts) -> bool,
    ) -> (Region, Witness) {
        let mut open = None;
        let mut first = None;
        for (region, sets) in self.space.regions(sets, false) {
            match self.space.witness(&sets, accept) {
                Witness::Nowhere => first = first.or(Some(region)),
                Witness::Unfound => open = open.or(Some(region)),
                found @ Witness::Facts(_) => return (region, found),
            }
        }
        match open {
            Some(region) => (region, Witness::Unfound),
            None => (first.unwrap_or_default(), Witness::Nowhere),
        }
    }

    /// The box that two rows have in common.
    fn both(&self, a: u32, b: u32) -> Sets {
        let mut sets = self.alone(a);
        for &(dimension, set) in self.space.tests(b) {
            let set = &self.space.sets[index(set)];
            sets.entry(dimension)
                .and_modify(|both| *both = both.intersect(set))
                .or_insert_with(|| set.clone());
        }
        sets
    }

    pub(super) fn alone(&self, row: u32) -> Sets {
        let tests = self.space.tests(row).iter();
        tests
            .map(|&(dimension, set)| (dimension, self.space.sets[index(set)].clone()))
            .collect()
    }
}
