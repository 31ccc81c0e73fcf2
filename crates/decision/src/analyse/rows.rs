//! Rows that never answer, and rows without which every answer would be the same.

use super::{
    diagram::{Judge, Path, Sure},
    outcome::Rules,
    regions::Sets,
    set::ClassSet,
    space::{Space, index},
    witness::Witness,
};
use crate::{
    evaluate::explain,
    sfeel::Met,
    table::{Aggregator, HitPolicy},
    value::Facts,
};

/// How often a row is looked for where columns depend on each other.
const TRIES: u8 = 16;

/// Which rows something is known of.
pub(super) struct Marks<'s, 't> {
    space: &'s Space<'t>,
    rules: &'s Rules<'t>,
    pub(super) done: Vec<bool>,
    /// Where columns depend on each other: how often a row's place was no fact set.
    tries: Vec<u8>,
}

impl<'s, 't> Marks<'s, 't> {
    pub(super) fn new(space: &'s Space<'t>, rules: &'s Rules<'t>) -> Self {
        let rows = rules.table.rows.len();
        Self {
            space,
            rules,
            done: vec![false; rows],
            tries: vec![0; rows],
        }
    }

    /// Whether nothing more is to be learned of a row.
    fn settled(&self, row: u32) -> bool {
        let at = index(row - self.rules.first);
        self.done[at] || self.tries[at] >= TRIES
    }

    /// Rows that were tried in vain.
    pub(super) fn unsure(&self) -> Vec<usize> {
        let tried = |&row: &usize| !self.done[row] && self.tries[row] >= 1;
        (0..self.done.len()).filter(tried).collect()
    }

    fn mark(&mut self, row: u32, path: Path<'_>, shows: impl Fn(&[u32]) -> bool) {
        let at = index(row - self.rules.first);
        if !self.space.has_dependent() {
            self.done[at] = true;
            return;
        }
        let classes = path
            .classes()
            .map(|(dimension, class)| (dimension, ClassSet::range(class, class + 1)));
        let sets: Sets = classes.collect();
        let (table, first) = (self.rules.table, self.rules.first);
        let mut replayed = |facts: &Facts| {
            matching(table, facts).is_some_and(|rows| {
                let rows: Vec<u32> = rows.iter().map(|&row| number(first, row)).collect();
                shows(&rows)
            })
        };
        if let Witness::Facts(_) = self.space.witness(&sets, &mut replayed) {
            self.done[at] = true;
        } else {
            self.tries[at] += 1;
        }
    }
}

fn number(first: u32, row: usize) -> u32 {
    first.saturating_add(u32::try_from(row).unwrap_or(u32::MAX))
}

/// The rows that match, where the facts settle all cells.
fn matching(table: &crate::Table, facts: &Facts) -> Option<Vec<usize>> {
    let mut rows = Vec::new();
    for row in explain(table, facts) {
        match row.matched {
            Met::Yes => rows.push(row.row),
            Met::No => {}
            Met::Unknown => return None,
        }
    }
    Some(rows)
}

/// Under FIRST and PRIORITY: which rows answer somewhere.
pub(super) struct Answering<'s, 't>(pub(super) Marks<'s, 't>);

impl Judge for Answering<'_, '_> {
    fn reduce(&mut self, live: &mut Vec<u32>, sure: Sure<'_>) -> Option<u32> {
        drop_weaker(self.0.rules, live, sure);
        live.iter().all(|&row| self.0.settled(row)).then_some(0)
    }

    fn verdict(&mut self, hits: &[u32], path: Path<'_>) -> u32 {
        let rules = self.0.rules;
        if let Some(best) = strongest(rules, hits)
            && !self.0.settled(best)
        {
            self.0
                .mark(best, path, |hits| strongest(rules, hits) == Some(best));
        }
        0
    }
}

/// Which rows make a difference somewhere.
pub(super) struct Needed<'s, 't>(pub(super) Marks<'s, 't>);

impl<'s, 't> Needed<'s, 't> {
    /// Where every row that matches is part of the answer, those that can match at all make
    /// a difference; others are left to look for.
    pub(super) fn new(space: &'s Space<'t>, rules: &'s Rules<'t>) -> Self {
        let mut marks = Marks::new(space, rules);
        let all_count = matches!(
            rules.table.hit_policy,
            HitPolicy::RuleOrder
                | HitPolicy::OutputOrder
                | HitPolicy::Collect(None | Some(Aggregator::Count))
        );
        for (at, row) in (rules.first..rules.end).enumerate() {
            let possible = space.possible.get(index(row)) == Some(&true);
            let counts = match (rules.default(), rules.table.hit_policy) {
                (None, _) => true,
                (Some(_), HitPolicy::Collect(Some(_))) => false,
                (Some(default), _) => rules.output(row) != default,
            };
            marks.done[at] = all_count && possible && counts;
        }
        Self(marks)
    }
}

/// Drops rows that make no difference, for themselves or others; returns those that
/// may.
fn candidates(rules: &Rules<'_>, live: &mut Vec<u32>, sure: Sure<'_>) -> Vec<u32> {
    let mut certain: Vec<u32> = live.iter().copied().filter(|&row| sure.is(row)).collect();
    match rules.table.hit_policy {
        HitPolicy::Unique => match certain.len() {
            0 | 1 => live.clone(),
            2 => certain,
            // Without one of them there is still a conflict.
            _ => Vec::new(),
        },
        HitPolicy::Any => {
            let mut outputs: Vec<u32> = certain.iter().map(|&row| rules.output(row)).collect();
            outputs.sort_unstable();
            let twice: Vec<u32> = outputs
                .windows(2)
                .filter(|w| w[0] == w[1])
                .map(|w| w[0])
                .collect();
            outputs.dedup();
            if outputs.len() > 2 {
                return Vec::new();
            }
            // Of an output that is there twice for sure, no row makes a difference.
            let mut kept: Vec<u32> = Vec::new();
            live.retain(|&row| {
                let output = rules.output(row);
                if !twice.contains(&output) {
                    return true;
                }
                let before = kept.iter().filter(|&&other| other == output).count();
                let keep = sure.is(row) && before < 2;
                if keep {
                    kept.push(output);
                }
                keep
            });
            live.iter()
                .copied()
                .filter(|&row| !twice.contains(&rules.output(row)))
                .collect()
        }
        HitPolicy::First | HitPolicy::Priority => {
            certain.sort_by_key(|&row| rules.strength(row));
            if let Some(&second) = certain.get(1) {
                let bound = rules.strength(second);
                live.retain(|&row| rules.strength(row) <= bound);
            }
            let first = certain.first().map(|&row| rules.strength(row));
            let answers = |row: u32| first.is_none_or(|first| rules.strength(row) <= first);
            live.iter().copied().filter(|&row| answers(row)).collect()
        }
        HitPolicy::Collect(Some(aggregator @ (Aggregator::Min | Aggregator::Max))) => {
            rules.reduce_extreme(live, sure, aggregator, 2);
            live.clone()
        }
        _ => live.clone(),
    }
}

impl Judge for Needed<'_, '_> {
    fn reduce(&mut self, live: &mut Vec<u32>, sure: Sure<'_>) -> Option<u32> {
        let candidates = candidates(self.0.rules, live, sure);
        candidates
            .iter()
            .all(|&row| self.0.settled(row))
            .then_some(0)
    }

    fn verdict(&mut self, hits: &[u32], path: Path<'_>) -> u32 {
        let rules = self.0.rules;
        for &row in hits {
            if !self.0.settled(row) && differs(rules, hits, row) {
                self.0.mark(row, path, |hits| differs(rules, hits, row));
            }
        }
        0
    }
}

/// Drops rows weaker than one that matches everywhere.
fn drop_weaker(rules: &Rules<'_>, live: &mut Vec<u32>, sure: Sure<'_>) {
    let certain = live.iter().copied().filter(|&row| sure.is(row));
    if let Some(best) = certain.min_by_key(|&row| rules.strength(row)) {
        let bound = rules.strength(best);
        live.retain(|&row| rules.strength(row) <= bound);
    }
}

fn strongest(rules: &Rules<'_>, hits: &[u32]) -> Option<u32> {
    hits.iter().copied().min_by_key(|&row| rules.strength(row))
}

/// Whether the answer is another one without a row.
fn differs(rules: &Rules<'_>, hits: &[u32], row: u32) -> bool {
    let others: Vec<u32> = hits.iter().copied().filter(|&other| other != row).collect();
    others.len() < hits.len() && rules.given(hits) != rules.given(&others)
}

/// Where one row answers, or makes a difference: since not every point of a space is a fact
/// set where columns depend on each other, a place that isn't one says nothing of others.
pub(super) struct Place<'s, 't> {
    rules: &'s Rules<'t>,
    row: u32,
    needed: bool,
}

impl<'s, 't> Place<'s, 't> {
    pub(super) fn new(rules: &'s Rules<'t>, row: u32, needed: bool) -> Self {
        Self { rules, row, needed }
    }

    fn is(&self, hits: &[u32]) -> bool {
        if self.needed {
            differs(self.rules, hits, self.row)
        } else {
            strongest(self.rules, hits) == Some(self.row)
        }
    }

    /// Whether facts lie there.
    pub(super) fn shows(&self, facts: &Facts) -> bool {
        let rows = matching(self.rules.table, facts).unwrap_or_default();
        let rows: Vec<u32> = rows
            .iter()
            .map(|&row| number(self.rules.first, row))
            .collect();
        self.is(&rows)
    }
}

impl Judge for Place<'_, '_> {
    fn reduce(&mut self, live: &mut Vec<u32>, sure: Sure<'_>) -> Option<u32> {
        let possible = if self.needed {
            candidates(self.rules, live, sure).contains(&self.row)
        } else {
            drop_weaker(self.rules, live, sure);
            true
        };
        let possible = possible && live.contains(&self.row);
        (!possible).then_some(0)
    }

    fn verdict(&mut self, hits: &[u32], _: Path<'_>) -> u32 {
        u32::from(self.is(hits))
    }
}
