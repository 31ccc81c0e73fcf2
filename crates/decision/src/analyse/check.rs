//! The analysis of one table.

use super::{
    Finding, FindingKind, Reason, Region, Undecided,
    diagram::{Judge, Path, Sure, Windows, build},
    limits,
    outcome::{Interner, Rules},
    pairs,
    question::Found,
    regions::Sets,
    rows::{Answering, Marks, Needed},
    space::{Space, index},
};
use crate::{
    evaluate::{Outcome, evaluate, explain},
    sfeel::Met,
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

struct Checker<'c, 't> {
    table: &'t Table,
    space: &'c Space<'t>,
    rules: &'c Rules<'t>,
    /// How many cells may still be looked at in replays.
    replay: usize,
    work: u64,
    report: Report,
}

/// Finds what no row covers.
struct Uncovered;

impl Judge for Uncovered {
    fn reduce(&mut self, live: &mut Vec<u32>, sure: Sure<'_>) -> Option<u32> {
        live.iter().any(|&row| sure.is(row)).then_some(0)
    }

    fn verdict(&mut self, hits: &[u32], _: Path<'_>) -> u32 {
        u32::from(hits.is_empty())
    }
}

impl Checker<'_, '_> {
    /// Whether another witness may be replayed.
    fn may_replay(&mut self) -> bool {
        let rows = self.table.rows.len();
        let cost = 64 + rows.div_ceil(16) * self.table.inputs.len();
        match self.replay.checked_sub(cost) {
            Some(left) => {
                self.replay = left;
                true
            }
            None => false,
        }
    }

    fn undecided(&mut self, reason: Reason, kind: FindingKind, count: u64, message: &str) {
        if count > 0 {
            let found = Undecided::new(reason, message).about(kind).counted(count);
            self.report.undecided.push(found);
        }
    }

    fn no_witness(&mut self, kind: FindingKind, rows: Vec<usize>, region: Region) {
        let message =
            "no fact set was found in this region; its columns are computed from the same facts";
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
            let (region, sets) = first(self.space.regions(&sets), sets);
            let table = self.table;
            let contradicted = |facts: &Facts| {
                matches!(evaluate(table, facts).outcomes.as_slice(),
                    [Outcome::Conflict(hits)] if rows.iter().all(|row| hits.contains(row)))
            };
            match self.space.witness(&sets, &mut { contradicted }) {
                Some(witness) => self.report.findings.push(Finding {
                    kind,
                    rows,
                    region,
                    witness: Some(witness),
                    instead: Vec::new(),
                }),
                None => self.no_witness(kind, rows, region),
            }
        }
        self.undecided(
            Reason::Budget,
            kind,
            more,
            "more pairs of rows overlap than are listed",
        );
        let message =
            "pairs of rows weren't compared: cells with several ranges take it one by one";
        self.undecided(Reason::Budget, kind, found.left_out, message);
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

    fn alone(&self, row: u32) -> Sets {
        let tests = self.space.tests(row).iter();
        tests
            .map(|&(dimension, set)| (dimension, self.space.sets[index(set)].clone()))
            .collect()
    }

    fn gaps(&mut self) {
        let known = Windows::known(self.space);
        let answered = self.space.ask_within(&known, &mut Uncovered, self.work);
        let kind = FindingKind::Gap;
        let mut more = answered.more;
        for found in answered.found {
            if self.report.of(kind).count() >= limits::FINDINGS || !self.may_replay() {
                more += 1;
                continue;
            }
            self.gap(kind, &found);
        }
        self.undecided(
            Reason::Budget,
            kind,
            more,
            "there are more regions without a row than are listed",
        );
        let message = "parts of the inputs weren't looked at for gaps";
        self.undecided(Reason::Budget, kind, answered.cut, message);
        self.nulls(&known);
    }

    fn gap(&mut self, kind: FindingKind, found: &Found) {
        let table = self.table;
        let mut uncovered = |facts: &Facts| evaluate(table, facts).outcomes == [Outcome::NoHit];
        match found.witness(self.space, &mut uncovered) {
            Some(witness) => self.report.findings.push(Finding {
                kind,
                rows: Vec::new(),
                region: found.region.clone(),
                witness: Some(witness),
                instead: Vec::new(),
            }),
            None => self.no_witness(kind, Vec::new(), found.region.clone()),
        }
    }

    /// One finding for each input whose null leaves a gap, all others known.
    fn nulls(&mut self, known: &Windows) {
        let kind = FindingKind::NullInput;
        let nullable: Vec<(u32, u32)> = (0..)
            .zip(&self.space.dimensions)
            .filter_map(|(at, dimension)| Some((at, dimension.scale.null()?)))
            .collect();
        let work = self.work / nullable.len().max(1) as u64;
        let mut left_out = 0;
        for (dimension, null) in nullable {
            let windows = known.clone().only(dimension, null);
            let answered = self.space.ask_within(&windows, &mut Uncovered, work);
            match answered.found.first() {
                Some(found) if self.may_replay() => {
                    let mut sets = Sets::new();
                    sets.insert(dimension, super::set::ClassSet::range(null, null + 1));
                    let mut found = found.clone();
                    let region = self
                        .space
                        .regions(&sets)
                        .into_iter()
                        .next()
                        .map(|(region, _)| region);
                    let region = region.unwrap_or_default();
                    // The null itself isn't part of the box, being all of its window.
                    found.pin(dimension, null);
                    found.region = region;
                    self.gap(kind, &found);
                }
                Some(_) => left_out += 1,
                None => left_out += u64::from(answered.cut > 0),
            }
        }
        // In the order of the inputs, not of the dimensions.
        let order = &self.space.order;
        let place = |finding: &Finding| {
            let cell = finding.region.cells.first();
            let at = cell.and_then(|cell| order.get(&cell.input));
            (finding.kind == kind).then(|| at.copied())
        };
        self.report.findings.sort_by_key(place);
        self.undecided(
            Reason::Budget,
            kind,
            left_out,
            "inputs weren't looked at for null",
        );
    }

    /// Rows that never answer; those found, by index.
    fn dead(&mut self) -> Vec<bool> {
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
        } else if self.space.has_dependent() {
            unsure = self.unreached();
        }
        let impossible: Vec<usize> = (0..rows).filter(|&row| !self.space.possible[row]).collect();
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

    /// Rows with cells on computed columns of which no fact set was found that they match.
    fn unreached(&mut self) -> Vec<usize> {
        let mut unreached = Vec::new();
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
            if self.space.witness(&self.alone(row), &mut matches).is_none() {
                unreached.push(at);
            }
        }
        unreached
    }

    fn redundant(&mut self, dead: &[bool]) {
        let mut judge = Needed::new(self.space, self.rules);
        for (row, dead) in dead.iter().enumerate() {
            judge.0.done[row] |= dead;
        }
        let cut = build(self.space, &Windows::all(self.space), &mut judge, self.work).cut;
        let unsure = judge.0.unsure();
        let kind = FindingKind::RedundantRow;
        let open =
            (0..self.table.rows.len()).filter(|&row| !judge.0.done[row] && !unsure.contains(&row));
        let open: Vec<usize> = open.collect();
        for row in unsure {
            let region = self.region_of(row);
            self.no_witness(kind, vec![row], region);
        }
        if cut > 0 {
            let message = "rows weren't seen to make a difference before the budget ended";
            self.undecided(Reason::Budget, kind, open.len() as u64, message);
            return;
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
        first(self.space.regions(&sets), sets).0
    }

    /// A row that never answers, or needn't, with a fact set that it matches.
    fn row_finding(&mut self, kind: FindingKind, row: usize) {
        if self.report.of(kind).count() >= limits::FINDINGS {
            let message = "there are more such rows than are listed";
            match self
                .report
                .undecided
                .iter_mut()
                .find(|u| u.kind == Some(kind) && u.message == message)
            {
                Some(more) => more.count += 1,
                None => self.undecided(Reason::Budget, kind, 1, message),
            }
            return;
        }
        let sets = self.alone(self.number(row));
        let possible = self.space.possible[row];
        let (region, sets) = if possible {
            first(self.space.regions(&sets), sets)
        } else {
            (Region::default(), sets)
        };
        let table = self.table;
        let mut instead = Vec::new();
        let answers = |facts: &Facts| match evaluate(table, facts).outcomes.as_slice() {
            [Outcome::Hits(rows) | Outcome::Conflict(rows)] => {
                let dead = kind == FindingKind::DeadRow && rows.contains(&row);
                instead = rows.clone();
                !dead
            }
            _ => false,
        };
        let witness = if possible && self.may_replay() {
            self.space.witness(&sets, &mut { answers })
        } else {
            None
        };
        if possible && witness.is_none() {
            self.no_witness(kind, vec![row], region);
            return;
        }
        self.report.findings.push(Finding {
            kind,
            rows: vec![row],
            region,
            witness,
            instead,
        });
    }
}

/// The first of the regions that a box reads as.
fn first(regions: Vec<(Region, Sets)>, sets: Sets) -> (Region, Sets) {
    regions
        .into_iter()
        .next()
        .unwrap_or((Region::default(), sets))
}
