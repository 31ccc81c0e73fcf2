//! Regions out of a diagram: boxes, merged where they touch, in the tables' own terms.

use std::collections::{BTreeMap, HashMap};

use super::{
    Region, RegionCell,
    constants::Currency,
    diagram::{CUT, Diagram, Node, Windows},
    limits,
    scale::{Group, Scale, Shape, literal},
    set::ClassSet,
    space::{Dimension, Key, Space, index},
};
use crate::{sfeel::Property, table::Input, value::Value};

/// A box: the classes of those dimensions of which not all are in it.
pub(super) type Sets = BTreeMap<u32, ClassSet>;

/// Boxes with the same verdict each.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    pub(super) found: Vec<(Sets, u32)>,
    /// How many were left out, as there are too many.
    pub(super) more: u64,
}

/// All boxes with a verdict, merged.
pub(super) fn boxes(diagram: &Diagram, windows: &Windows) -> Boxes {
    let mut reach = Reach {
        diagram,
        paths: vec![0; diagram.nodes.len()],
    };
    reach.count();
    let mut collector = Collector {
        reach: &reach,
        windows,
        boxes: Boxes::default(),
    };
    if !diagram.nodes.is_empty() {
        collector.walk();
    }
    let mut boxes = collector.boxes;
    merge(&mut boxes.found, windows);
    boxes.found.sort();
    boxes
}

/// How many paths to a verdict lead through each node.
struct Reach<'d> {
    diagram: &'d Diagram,
    paths: Vec<u64>,
}

impl Reach<'_> {
    /// Children stand before their parents.
    fn count(&mut self) {
        for (at, node) in self.diagram.nodes.iter().enumerate() {
            self.paths[at] = match node {
                Node::Leaf(0 | CUT) => 0,
                Node::Leaf(_) => 1,
                Node::Split { runs, .. } => {
                    let mut children: Vec<u32> = runs.iter().map(|run| run.1).collect();
                    children.sort_unstable();
                    children.dedup();
                    let paths = children.iter().map(|&child| self.paths[index(child)]);
                    paths.fold(0, u64::saturating_add)
                }
            };
        }
    }
}

/// The classes that lead to each child.
fn children(from: u32, runs: &[(u32, u32)]) -> BTreeMap<u32, Vec<(u32, u32)>> {
    let mut children: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    let mut start = from;
    for &(end, child) in runs {
        children.entry(child).or_default().push((start, end));
        start = end;
    }
    children
}

struct Collector<'d> {
    reach: &'d Reach<'d>,
    windows: &'d Windows,
    boxes: Boxes,
}

impl Collector<'_> {
    fn walk(&mut self) {
        let mut stack = vec![(self.reach.diagram.root, Sets::new())];
        while let Some((id, sets)) = stack.pop() {
            let paths = self.reach.paths[index(id)];
            if paths == 0 {
                continue;
            }
            if self.boxes.found.len() >= limits::REGIONS {
                self.boxes.more = self.boxes.more.saturating_add(paths);
                continue;
            }
            match &self.reach.diagram.nodes[index(id)] {
                Node::Leaf(verdict) => self.boxes.found.push((sets, *verdict)),
                Node::Split {
                    dimension,
                    from,
                    runs,
                } => {
                    let (low, high) = self.windows.get(*dimension);
                    for (child, ranges) in children(*from, runs).into_iter().rev() {
                        let set = ClassSet::of(ranges);
                        let mut inner = sets.clone();
                        if set != ClassSet::range(low, high) {
                            inner.insert(*dimension, set);
                        }
                        stack.push((child, inner));
                    }
                }
            }
        }
    }
}

/// Joins boxes that differ in one dimension only, until none do or it takes too long: boxes
/// that aren't joined are no less exact.
fn merge(boxes: &mut Vec<(Sets, u32)>, windows: &Windows) {
    let mut work = limits::MERGES;
    loop {
        let before = boxes.len();
        let mut dimensions: Vec<u32> = boxes
            .iter()
            .flat_map(|(sets, _)| sets.keys().copied())
            .collect();
        dimensions.sort_unstable();
        dimensions.dedup();
        for dimension in dimensions.into_iter().rev() {
            let cost: usize = boxes.iter().map(|(sets, _)| sets.len() + 1).sum();
            let Some(left) = work.checked_sub(cost) else {
                return;
            };
            work = left;
            merge_along(boxes, dimension, windows.get(dimension));
        }
        if boxes.len() == before {
            return;
        }
    }
}

fn merge_along(boxes: &mut Vec<(Sets, u32)>, dimension: u32, (low, high): (u32, u32)) {
    let whole = ClassSet::range(low, high);
    let mut joined: HashMap<(Sets, u32), ClassSet> = HashMap::with_capacity(boxes.len());
    for (mut sets, verdict) in boxes.drain(..) {
        let set = sets.remove(&dimension).unwrap_or_else(|| whole.clone());
        joined
            .entry((sets, verdict))
            .and_modify(|both| *both = both.union(&set))
            .or_insert(set);
    }
    boxes.extend(joined.into_iter().map(|((mut sets, verdict), set)| {
        if set != whole {
            sets.insert(dimension, set);
        }
        (sets, verdict)
    }));
}

/// Cells, and the classes of their dimension that they stand for.
type Way = (Vec<RegionCell>, ClassSet);

impl Space<'_> {
    /// A box in the tables' own terms: regions that together are it, each with its own box,
    /// since of amounts in several currencies one test can't always say it.
    ///
    /// With `known`, no expression is null in it.
    pub(super) fn regions(&self, sets: &Sets, known: bool) -> Vec<(Region, Sets)> {
        let mut regions = vec![(Region::default(), sets.clone())];
        for (at, dimension) in (0..).zip(&self.dimensions) {
            let Some(set) = sets.get(&at) else {
                continue;
            };
            let alone = |input: &String, test: String| {
                let input = input.clone();
                vec![(vec![RegionCell { input, test }], set.clone())]
            };
            let ways = match &dimension.key {
                Key::Test(input, test) => alone(input, met(test, set.contains(1))),
                Key::Expression(text) => alone(text, text_of(&dimension.scale, set)),
                Key::Pair(..) => {
                    let cells = dimension.pair.iter().map(|pair| pair.cell(set, known));
                    vec![(cells.collect(), set.clone())]
                }
                Key::Fact(_) => self.fact_cells(dimension, set),
            };
            let with = |(region, sets): &(Region, Sets), (cells, set): &Way| {
                let (mut region, mut sets) = (region.clone(), sets.clone());
                region.cells.extend(cells.iter().cloned());
                sets.insert(at, set.clone());
                (region, sets)
            };
            let all = regions
                .iter()
                .flat_map(|so_far| ways.iter().map(|way| with(so_far, way)));
            regions = all.collect();
        }
        for (region, _) in &mut regions {
            region.cells.sort_by_key(|cell| self.order.get(&cell.input));
        }
        regions
    }

    /// The ways that a set of classes of a fact reads as cells of the inputs on it.
    fn fact_cells(&self, dimension: &Dimension<'_>, set: &ClassSet) -> Vec<Way> {
        let scale = &dimension.scale;
        let (amount, currency) = &dimension.names;
        let cell = |input: &String, test: String| RegionCell {
            input: input.clone(),
            test,
        };
        if scale.groups.iter().all(|group| group.currency.is_none()) {
            return vec![(vec![cell(amount, text_of(scale, set))], set.clone())];
        }
        let mut ways = Vec::new();
        for (amounts, codes, part) in by_currency(scale, set) {
            let mut cells = Vec::new();
            if amounts != "-" {
                cells.push(cell(amount, amounts));
            }
            cells.push(cell(currency, codes));
            ways.push((cells, part));
        }
        if let Some(null) = scale.null().filter(|&null| set.contains(null)) {
            let part = ClassSet::range(null, null + 1);
            ways.push((vec![cell(amount, "null".to_owned())], part));
        }
        ways
    }
}

/// What the inputs on a fact are called: the one on its value or amount, and the one on its
/// currency.
pub(super) fn names<'t>(
    name: &str,
    inputs: impl Iterator<Item = (&'t Input, Option<Property>)> + Clone,
) -> (String, String) {
    let named = |wanted: Option<Property>| {
        let mut found = inputs.clone().filter(|(_, property)| *property == wanted);
        found.next().map(|(input, _)| input.expression.to_string())
    };
    let amount = named(None)
        .or_else(|| named(Some(Property::Amount)))
        .unwrap_or_else(|| name.to_owned());
    let currency = named(Some(Property::Currency))
        .unwrap_or_else(|| format!("{name}.{}", Property::Currency.name()));
    (amount, currency)
}

/// Texts of amounts, each with a text of the currencies that have it, and their classes.
fn by_currency(scale: &Scale, set: &ClassSet) -> Vec<(String, String, ClassSet)> {
    let mut same: Vec<(String, Vec<&Currency>, ClassSet)> = Vec::new();
    for group in &scale.groups {
        let inside = set.intersect(&ClassSet::range(group.from, group.to));
        let Some(currency) = group.currency.as_ref().filter(|_| !inside.is_empty()) else {
            continue;
        };
        let text = line_text(scale, &inside, (group.from, group.to)).join(", ");
        match same.iter_mut().find(|(other, ..)| *other == text) {
            Some((_, codes, all)) => {
                codes.push(currency);
                *all = all.union(&inside);
            }
            None => same.push((text, vec![currency], inside)),
        }
    }
    same.into_iter()
        .map(|(amounts, codes, set)| (amounts, currencies_text(scale, &codes), set))
        .collect()
}

fn currencies_text(scale: &Scale, codes: &[&Currency]) -> String {
    let quoted = |codes: &[&Currency]| {
        let texts = codes.iter().map(|c| literal(&Value::from(c.code.as_str())));
        texts.collect::<Vec<_>>().join(", ")
    };
    if !codes.iter().any(|currency| currency.other) {
        return quoted(codes);
    }
    let all = scale
        .groups
        .iter()
        .filter_map(|group| group.currency.as_ref());
    let missing: Vec<_> = all.filter(|currency| !codes.contains(currency)).collect();
    if missing.is_empty() {
        "not(null)".to_owned()
    } else {
        format!("not({}, null)", quoted(&missing))
    }
}

fn met(test: &str, met: bool) -> String {
    match (
        met,
        test.strip_prefix("not(")
            .and_then(|rest| rest.strip_suffix(')')),
    ) {
        (true, _) => test.to_owned(),
        (false, Some(inner)) => inner.to_owned(),
        (false, None) => format!("not({test})"),
    }
}

/// A set of classes as a cell: exactly the values in it meet the text as a test.
pub(super) fn text_of(scale: &Scale, set: &ClassSet) -> String {
    let null = scale.null();
    let with_null = null.is_some_and(|null| set.contains(null));
    let end = null.unwrap_or(scale.count());
    let known = set.intersect(&ClassSet::range(0, end));
    if known == ClassSet::range(0, end) {
        return if with_null { "-" } else { "not(null)" }.to_owned();
    }
    let mut parts = if scale.is_line() {
        lines_text(scale, &known, end)
    } else {
        let other = |class| scale.class(class).is_some_and(|c| c.shape == Shape::Other);
        let texts = |set: &ClassSet| -> Vec<String> {
            set.iter()
                .filter_map(|class| Some(literal(&scale.class(class)?.value)))
                .collect()
        };
        if known.iter().any(other) {
            let mut missing = texts(&known.complement(end));
            if !with_null {
                missing.push("null".to_owned());
            }
            return format!("not({})", missing.join(", "));
        }
        texts(&known)
    };
    if with_null {
        parts.push("null".to_owned());
    }
    parts.join(", ")
}

/// The runs of each line, and what values by other clocks meet.
fn lines_text(scale: &Scale, set: &ClassSet, end: u32) -> Vec<String> {
    if let [group] = scale.groups.as_slice()
        && scale.apart().is_none()
    {
        return line_text(scale, set, (group.from, group.to));
    }
    let mut parts = Vec::new();
    for group in &scale.groups {
        let inside = set.intersect(&ClassSet::range(group.from, group.to));
        let texts = line_text(scale, &inside, (group.from, group.to));
        for text in texts {
            match group.first() {
                Some(point) if text == "-" => {
                    let point = literal(point);
                    parts.push(format!("<= {point}, > {point}"));
                }
                _ => parts.push(text),
            }
        }
    }
    let points: Vec<String> = scale
        .groups
        .iter()
        .filter_map(Group::first)
        .map(literal)
        .collect();
    if scale
        .apart()
        .is_some_and(|apart| apart < end && set.contains(apart))
    {
        let apart = points.iter().map(|point| format!("(? < {point}) = null"));
        let all: Vec<String> = apart.chain(["? != null".to_owned()]).collect();
        parts.push(all.join(" and "));
    }
    parts
}

/// Runs of an ordered scale as comparisons and intervals.
fn line_text(scale: &Scale, set: &ClassSet, (low, high): (u32, u32)) -> Vec<String> {
    set.ranges()
        .iter()
        .filter_map(|&(from, to)| {
            if (from, to) == (low, high) {
                return Some("-".to_owned());
            }
            let (first, last) = (scale.class(from)?, scale.class(to - 1)?);
            let begin = match &first.shape {
                _ if from == low && !matches!(first.shape, Shape::Point) => None,
                Shape::Span { low, .. } => low.as_ref().map(|low| (bare(low), false)),
                _ => Some((bare(&first.value), true)),
            };
            let end = match &last.shape {
                _ if to == high && !matches!(last.shape, Shape::Point) => None,
                Shape::Span { high, .. } => high.as_ref().map(|high| (bare(high), false)),
                _ => Some((bare(&last.value), true)),
            };
            Some(interval(begin, end))
        })
        .collect()
}

fn interval(begin: Option<(Value, bool)>, end: Option<(Value, bool)>) -> String {
    match (begin, end) {
        (Some((low, true)), Some((high, true))) if low == high => literal(&low),
        (Some((low, closed)), Some((high, closed_too))) => {
            let (open, close) = (
                if closed { '[' } else { ']' },
                if closed_too { ']' } else { '[' },
            );
            format!("{open}{}..{}{close}", literal(&low), literal(&high))
        }
        (Some((low, closed)), None) => {
            format!("{} {}", if closed { ">=" } else { ">" }, literal(&low))
        }
        (None, Some((high, closed))) => {
            format!("{} {}", if closed { "<=" } else { "<" }, literal(&high))
        }
        (None, None) => "-".to_owned(),
    }
}

/// An amount without its currency or unit, as cells have it.
fn bare(value: &Value) -> Value {
    match value {
        Value::Money { amount, .. } | Value::Quantity { amount, .. } => Value::Number(*amount),
        other => other.clone(),
    }
}
