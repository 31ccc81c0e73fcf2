//! What no row covers.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding, FindingKind, Reason, Region, RegionCell,
    check::Checker,
    diagram::{Judge, Path, Sure, Windows},
    limits,
    model::strict_facts,
    question::Found,
    space::{Dimension, Key, Space},
    witness::Witness,
};
use crate::{
    evaluate::{Outcome, evaluate},
    sfeel::{Expression, Node},
    value::{Facts, Value},
};

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

/// An input, or a fact that tests compare inputs with, that is null while others are known.
struct Nulled<'s> {
    /// What it is called.
    name: String,
    node: &'s Node,
    /// Its own dimension, with the class of null.
    own: Option<(u32, u32)>,
}

impl Nulled<'_> {
    /// Whether an expression is null then, or known; `None`: either.
    fn makes_null(&self, node: &Node) -> Option<bool> {
        if node.to_string() == self.node.to_string() {
            return Some(true);
        }
        let facts = |node: &Node| {
            let mut facts = BTreeSet::new();
            node.facts(&mut |name| {
                facts.insert(name.to_owned());
            });
            facts
        };
        let mut null = false;
        if let Expression::Fact(fact, _) = &self.node.expression {
            strict_facts(node, &mut |name| null |= name == fact);
        }
        match null {
            true => Some(true),
            false => facts(node).is_disjoint(&facts(self.node)).then_some(false),
        }
    }

    /// The classes of a dimension that there are then.
    fn window(&self, dimension: &Dimension<'_>) -> Option<(u32, u32)> {
        let scale = &dimension.scale;
        match (&dimension.pair, &dimension.key) {
            (Some(pair), _) => {
                Some(pair.window(self.makes_null(pair.left), self.makes_null(pair.right)))
            }
            (None, Key::Expression(_)) => match (self.makes_null(dimension.input), scale.null()) {
                (Some(true), Some(null)) => Some((null, null + 1)),
                (None, _) => Some((0, scale.count())),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Checker<'_, '_> {
    pub(super) fn gaps(&mut self) {
        let known = Windows::known(self.space);
        let answered = self.space.ask_within(&known, &mut Uncovered, self.work);
        let kind = FindingKind::Gap;
        let mut more = answered.more;
        for found in answered.found {
            if self.report.of(kind).count() >= limits::FINDINGS || !self.may_replay() {
                more += 1;
                continue;
            }
            if self.gap(kind, &found).is_none() {
                self.no_witness(kind, Vec::new(), found.region);
            }
        }
        self.undecided(
            self.space.unlisted(),
            kind,
            more,
            "there are more regions without a row than are listed",
        );
        let message = "parts of the inputs weren't looked at for gaps";
        self.undecided(Reason::Budget, kind, answered.cut, message);
        self.nulls(&known);
    }

    /// Notes a region without a row; whether there is one, if that is known.
    fn gap(&mut self, kind: FindingKind, found: &Found) -> Option<bool> {
        let table = self.table;
        // What null leaves open is told apart, once for each input.
        let fits = |facts: &Facts| {
            let mut null = false;
            let mut visit = |name: &str| null |= facts.get(name) == Some(&Value::Null);
            for input in &table.inputs {
                input.expression.facts(&mut visit);
            }
            kind == FindingKind::NullInput || !null
        };
        let mut uncovered =
            |facts: &Facts| fits(facts) && evaluate(table, facts).outcomes == [Outcome::NoHit];
        match found.witness(self.space, &mut uncovered) {
            Witness::Facts(witness) => {
                self.report.findings.push(Finding {
                    kind,
                    rows: Vec::new(),
                    region: found.region.clone(),
                    witness: Some(witness),
                    instead: Vec::new(),
                });
                Some(true)
            }
            Witness::Nowhere => Some(false),
            Witness::Unfound => None,
        }
    }

    /// One finding for each input whose null leaves a gap, all others known.
    fn nulls(&mut self, known: &Windows) {
        let kind = FindingKind::NullInput;
        let nullable = nullable(self.space);
        let work = self.work / nullable.len().max(1) as u64;
        let mut left_out = 0;
        for nulled in nullable {
            let mut windows = known.clone();
            for (at, dimension) in (0..).zip(&self.space.dimensions) {
                if let Some(window) = nulled.window(dimension) {
                    windows = windows.only(at, window);
                }
            }
            if let Some((at, null)) = nulled.own {
                windows = windows.only(at, (null, null + 1));
            }
            let answered = self.space.ask_within(&windows, &mut Uncovered, work);
            let region = Region {
                cells: vec![RegionCell {
                    input: nulled.name,
                    test: "null".to_owned(),
                }],
            };
            let mut open = Some(false);
            let mut left = answered.cut > 0 || answered.more > 0;
            for mut found in answered.found {
                if !self.may_replay() {
                    left = true;
                    break;
                }
                // The null itself isn't part of the box, being all of its window.
                if let Some((at, null)) = nulled.own {
                    found.pin(at, null);
                }
                found.region = region.clone();
                let here = self.gap(kind, &found);
                if here != Some(false) {
                    open = here;
                }
                if open == Some(true) {
                    break;
                }
            }
            match open {
                None => self.no_witness(kind, Vec::new(), region),
                Some(false) => left_out += u64::from(left),
                Some(true) => {}
            }
        }
        // In the order of the inputs, not of the dimensions; facts that are no input last.
        let order = &self.space.order;
        let place = |finding: &Finding| {
            let cell = finding.region.cells.first();
            let at = cell.and_then(|cell| order.get(&cell.input));
            (finding.kind == kind).then(|| at.copied().unwrap_or(usize::MAX))
        };
        self.report.findings.sort_by_key(place);
        self.undecided(
            Reason::Budget,
            kind,
            left_out,
            "inputs weren't looked at for null",
        );
    }
}

/// The inputs that may be null, and the facts that tests compare them with.
fn nullable<'s>(space: &'s Space<'_>) -> Vec<Nulled<'s>> {
    let dimensions = (0..).zip(&space.dimensions);
    let own = dimensions.filter_map(|(at, dimension)| {
        let null = dimension.scale.null()?;
        Some(Nulled {
            name: match &dimension.key {
                Key::Fact(_) => dimension.names.0.clone(),
                _ => dimension.input.to_string(),
            },
            node: dimension.input,
            own: Some((at, null)),
        })
    });
    let mut all: Vec<Nulled<'_>> = own.collect();
    let mut compared: BTreeMap<&str, &Node> = BTreeMap::new();
    for pair in space.dimensions.iter().filter_map(|d| d.pair.as_ref()) {
        for side in [pair.left, pair.right] {
            facts_of(side, &mut compared);
        }
    }
    for nulled in &all {
        if let Expression::Fact(name, _) = &nulled.node.expression {
            compared.remove(name.as_str());
        }
    }
    all.extend(compared.into_iter().map(|(name, node)| Nulled {
        name: name.to_owned(),
        node,
        own: None,
    }));
    all
}

/// Adds the nodes of the facts in an expression by their names.
fn facts_of<'n>(node: &'n Node, found: &mut BTreeMap<&'n str, &'n Node>) {
    if let Expression::Fact(name, _) = &node.expression {
        found.entry(name).or_insert(node);
    }
    node.children(&mut |child| facts_of(child, found));
}
