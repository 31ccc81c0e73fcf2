//! Ordered decision diagrams over a space: which of its points come to which verdict.
//!
//! A node splits one dimension into runs of classes that the rows still in play tell apart;
//! subspaces with the same rows in play are one node (Gouda & Liu, *Structured firewall
//! design*, 2007). What a row can no longer change is dropped first, as a [`Judge`] knows.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasherDefault, Hasher},
};

use super::{
    limits,
    lines::Lines,
    set::ClassSet,
    space::{Space, index},
    sweep::Sweep,
};

/// The verdict of a subspace that was left out, as the budget ended.
pub(super) const CUT: u32 = u32::MAX;

/// Says what rows come to.
pub trait Judge {
    /// Drops rows of `live`, in order of their numbers, that can't change the verdict
    /// anywhere in the subspace; `sure` are those that match everywhere in it. `Some`: the
    /// whole subspace has this verdict.
    fn reduce(&mut self, live: &mut Vec<u32>, sure: Sure<'_>) -> Option<u32>;

    /// The verdict where exactly these rows match; 0: nothing to say.
    fn verdict(&mut self, hits: &[u32], path: Path<'_>) -> u32;

    /// A weight for each row of `live`, if in all of the subspace the verdict is 0 where the
    /// weights of those that match add up to zero, wrapping around, and 1 elsewhere.
    fn weights(&mut self, live: &[u32]) -> Option<Vec<u64>> {
        let _ = live;
        None
    }
}

/// Which rows match everywhere in a subspace.
#[derive(Debug, Clone, Copy)]
pub struct Sure<'s> {
    last: &'s [u32],
    depth: u32,
}

impl Sure<'_> {
    /// Whether this one does.
    #[must_use]
    pub fn is(self, row: u32) -> bool {
        self.last
            .get(index(row))
            .is_none_or(|&last| last <= self.depth)
    }
}

/// How a subspace was come to: a class for each dimension that was split.
#[derive(Debug, Clone, Copy)]
pub struct Path<'s>(&'s [Frame]);

impl Path<'_> {
    /// Dimensions with a class each.
    pub(super) fn classes(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().map(|frame| (frame.dimension, frame.from))
    }
}

/// A node of a diagram.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Leaf(u32),
    /// Runs of classes of a dimension, each by its end, with what follows.
    Split {
        dimension: u32,
        from: u32,
        runs: Box<[(u32, u32)]>,
    },
}

/// A diagram.
#[derive(Debug, Default)]
pub(super) struct Diagram {
    pub(super) nodes: Vec<Node>,
    pub(super) root: u32,
    /// How many subspaces were left out.
    pub(super) cut: u64,
}

/// A node that isn't finished.
#[derive(Debug)]
struct Frame {
    dimension: u32,
    /// The rows in play, and the dimension behind them.
    key: Box<[u32]>,
    sweep: Sweep,
    start: u32,
    from: u32,
    to: u32,
    runs: Vec<(u32, u32)>,
}

/// What a question may look at: a run of classes for each dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Windows(Vec<(u32, u32)>);

impl Windows {
    /// All classes, null among them.
    pub(super) fn all(space: &Space<'_>) -> Self {
        let whole = space.dimensions.iter().map(|d| (0, d.scale.count()));
        Self(whole.collect())
    }

    /// All classes but null.
    pub(super) fn known(space: &Space<'_>) -> Self {
        let known = space.dimensions.iter().map(|d| (0, d.scale.known()));
        Self(known.collect())
    }

    /// The same, of one dimension only some classes.
    pub(super) fn only(mut self, dimension: u32, (from, to): (u32, u32)) -> Self {
        if let Some(window) = self.0.get_mut(index(dimension)) {
            *window = (from, to);
        }
        self
    }

    /// Whether null is in none of them.
    pub(super) fn is_known(&self, space: &Space<'_>) -> bool {
        let mut windows = self.0.iter().zip(&space.dimensions);
        windows.all(|((_, to), dimension)| *to <= dimension.scale.known())
    }

    /// Puts into a box what it leaves to the windows, where dimensions depend on each other.
    pub(super) fn narrow(&self, space: &Space<'_>, sets: &mut BTreeMap<u32, ClassSet>) {
        if !space.has_pairs() {
            return;
        }
        for ((at, &(from, to)), dimension) in (0..).zip(&self.0).zip(&space.dimensions) {
            if (from, to) != (0, dimension.scale.count()) {
                let window = || ClassSet::range(from, to);
                sets.entry(at).or_insert_with(window);
            }
        }
    }

    pub(super) fn get(&self, dimension: u32) -> (u32, u32) {
        self.0.get(index(dimension)).copied().unwrap_or((0, 0))
    }

    /// Whether some dimension has nothing to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().any(|(from, to)| from >= to)
    }
}

/// Builds the diagram of all points within the windows.
pub(super) fn build<J: Judge>(
    space: &Space<'_>,
    windows: &Windows,
    judge: &mut J,
    work: u64,
) -> Diagram {
    let mut builder = Builder {
        space,
        windows,
        judge,
        diagram: Diagram::default(),
        seen: HashMap::default(),
        remembered: 0,
        unique: HashMap::default(),
        lines: Lines::default(),
        work,
    };
    builder.run();
    builder.diagram
}

pub(super) struct Builder<'b, 't, J> {
    pub(super) space: &'b Space<'t>,
    pub(super) windows: &'b Windows,
    pub(super) judge: &'b mut J,
    pub(super) diagram: Diagram,
    seen: HashMap<Box<[u32]>, u32, BuildHasherDefault<Mix>>,
    /// How many words are taken by what is remembered.
    pub(super) remembered: usize,
    unique: HashMap<Node, u32, BuildHasherDefault<Mix>>,
    pub(super) lines: Lines,
    pub(super) work: u64,
}

impl<J: Judge> Builder<'_, '_, J> {
    fn run(&mut self) {
        if self.space.is_void() || self.windows.is_empty() {
            self.diagram.root = self.node(Node::Leaf(0));
            return;
        }
        let all = 0..self.space.offsets.last().copied().unwrap_or(0);
        let live = all.filter(|&row| self.space.possible[index(row)]).collect();
        let mut stack: Vec<Frame> = Vec::new();
        let mut finished = self.enter(live, 0, &mut stack);
        while let Some(frame) = stack.last_mut() {
            if let Some(id) = finished.take() {
                match frame.runs.last_mut() {
                    Some(run) if run.1 == id => run.0 = frame.to,
                    _ => frame.runs.push((frame.to, id)),
                }
            }
            match frame.sweep.step() {
                Some((from, to, live)) => {
                    (frame.from, frame.to) = (from, to);
                    let depth = frame.dimension + 1;
                    finished = self.enter(live, depth, &mut stack);
                }
                None => {
                    if let Some(frame) = stack.pop() {
                        finished = Some(self.finish(frame));
                    }
                }
            }
        }
        self.diagram.root = finished.unwrap_or_default();
    }

    /// The node of a subspace if it is known at once; else it goes onto the stack.
    fn enter(&mut self, mut live: Vec<u32>, depth: u32, stack: &mut Vec<Frame>) -> Option<u32> {
        let cost = live.len() as u64 + 8;
        let Some(left) = self.work.checked_sub(cost) else {
            self.diagram.cut += 1;
            return Some(self.node(Node::Leaf(CUT)));
        };
        self.work = left;
        let sure = Sure {
            last: &self.space.last,
            depth,
        };
        if let Some(verdict) = self.judge.reduce(&mut live, sure) {
            return Some(self.node(Node::Leaf(verdict)));
        }
        let next = live
            .iter()
            .filter_map(|&row| self.space.next(row, depth))
            .min();
        let Some(dimension) = next else {
            let verdict = self.judge.verdict(&live, Path(stack));
            return Some(self.node(Node::Leaf(verdict)));
        };
        live.push(dimension);
        if let Some(&id) = self.seen.get(live.as_slice()) {
            return Some(id);
        }
        if let Some(id) = self.plane(&live[..live.len() - 1], dimension) {
            if self.remembered < limits::MEMORY {
                self.remembered += live.len() + 8;
                self.seen.insert(live.into_boxed_slice(), id);
            }
            return Some(id);
        }
        let window = self.windows.get(dimension);
        let sweep = Sweep::new(self.space, &live[..live.len() - 1], dimension, window);
        self.work = self.work.saturating_sub(2 * sweep.events.len() as u64);
        stack.push(Frame {
            dimension,
            key: live.into_boxed_slice(),
            sweep,
            start: window.0,
            from: window.0,
            to: window.0,
            runs: Vec::new(),
        });
        None
    }

    fn finish(&mut self, frame: Frame) -> u32 {
        let id = match frame.runs.as_slice() {
            [(_, only)] => *only,
            _ => self.node(Node::Split {
                dimension: frame.dimension,
                from: frame.start,
                runs: frame.runs.into_boxed_slice(),
            }),
        };
        if self.remembered < limits::MEMORY {
            self.remembered += frame.key.len() + 8;
            self.seen.insert(frame.key, id);
        }
        id
    }

    pub(super) fn node(&mut self, node: Node) -> u32 {
        if let Some(&id) = self.unique.get(&node) {
            return id;
        }
        let id = u32::try_from(self.diagram.nodes.len()).unwrap_or(u32::MAX);
        self.diagram.nodes.push(node.clone());
        self.unique.insert(node, id);
        id
    }
}

/// A hash of few instructions a word, for keys of row numbers. Whoever finds tables of
/// which many keys collide meets the budget the sooner: work is counted before a look-up.
#[derive(Debug, Default)]
pub(super) struct Mix(u64);

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

impl Mix {
    fn add(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ FACTOR) * u128::from(FACTOR ^ (word << 32));
        // The halves folded: high bits depend on all of the word, low ones as well.
        self.0 = (product as u64).rotate_left(23) ^ (product >> 64) as u64;
    }
}

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.add(u64::from(word));
    }

    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}
