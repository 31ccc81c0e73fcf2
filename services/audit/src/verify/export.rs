//! An export: the records from an index to the end of the tree, then the checkpoint.

use std::io::BufRead;

use merkle::{
    Checkpoint, Frontier, Hash,
    chain::{self, Follower},
    note::Verifier,
};

use super::{Content, Problem, Verified, What, lines::Lines, open_checkpoint};
use crate::domain::line::{Line, ProofKind, RecordLine};

/// What is known while the lines go by.
struct Export<'h> {
    follower: Follower,
    size: u64,
    first: u64,
    /// Line of the range, or of the first record: what vouches for all others.
    opening_line: u64,
    /// The tree of the records so far, where it can be known, for the older checkpoint.
    grown: Option<Frontier>,
    held: Option<&'h Checkpoint>,
    /// Root at the older checkpoint's size.
    held_root: Option<Hash>,
}

pub(super) fn verify<R: BufRead>(
    lines: &mut Lines<'_, R>,
    key: &Verifier,
    held: Option<&Checkpoint>,
) -> Result<Verified, Problem> {
    let mut export = match lines.peek()? {
        None => return Err(Problem::new(Some(0), 0, What::Truncated)),
        // an empty log
        Some(Line::Checkpoint { .. }) => Export::begin(0, 0, held),
        Some(Line::Record(record)) => Export::begin(0, record.proof.size, held),
        Some(Line::Range { .. }) => from_range(lines, held)?,
        Some(Line::Lineage { .. }) => {
            return Err(lines.problem(None, unexpected(0, "the end of a lineage")));
        }
    };
    loop {
        let due = export.follower.next();
        lines.due = Some(due);
        let Some(read) = lines.next()? else {
            return Err(Problem::new(Some(due), lines.number() + 1, What::Truncated));
        };
        match read.line {
            Line::Record(record) => export.take(lines, &record)?,
            Line::Checkpoint { note } => {
                let checkpoint = export.end(lines, key, &note)?;
                return export.verdict(lines, &checkpoint);
            }
            Line::Range { .. } => return Err(lines.problem(Some(due), unexpected(due, "a range"))),
            Line::Lineage { .. } => {
                return Err(lines.problem(Some(due), unexpected(due, "the end of a lineage")));
            }
        }
    }
}

fn unexpected(due: u64, found: &str) -> What {
    What::Order {
        expected: format!("the record of index {due}"),
        found: found.to_owned(),
    }
}

fn from_range<'h, R: BufRead>(
    lines: &mut Lines<'_, R>,
    held: Option<&'h Checkpoint>,
) -> Result<Export<'h>, Problem> {
    let Some(read) = lines.next()? else {
        return Err(Problem::new(None, 0, What::Truncated));
    };
    let Line::Range {
        first,
        size,
        left,
        right,
    } = read.line
    else {
        return Err(lines.problem(None, unexpected(0, "another line")));
    };
    if first == 0 {
        let what = What::Line("a range from index 0 is never written".to_owned());
        return Err(lines.problem(Some(0), what));
    }
    let follower = Follower::from_opening(first, size, &left, &right)
        .map_err(|e| lines.problem(Some(first), What::Line(e.to_string())))?;
    // where nothing follows, the left side is the tree as a whole
    let grown = (first < size)
        .then(|| Frontier::from_hashes(first, left))
        .flatten();
    let mut export = Export {
        follower,
        size,
        first,
        opening_line: lines.number(),
        grown,
        held,
        held_root: None,
    };
    export.note_root();
    Ok(export)
}

impl<'h> Export<'h> {
    fn begin(first: u64, size: u64, held: Option<&'h Checkpoint>) -> Self {
        let mut export = Self {
            follower: Follower::from_start(size),
            size,
            first,
            opening_line: 1,
            grown: Some(Frontier::new()),
            held,
            held_root: None,
        };
        export.note_root();
        export
    }

    /// Keeps the root of the tree when it has the older checkpoint's size.
    fn note_root(&mut self) {
        if let (Some(held), Some(grown)) = (self.held, &self.grown)
            && grown.size() == held.size
        {
            self.held_root = Some(grown.root());
        }
    }

    fn take<R: BufRead>(
        &mut self,
        lines: &Lines<'_, R>,
        record: &RecordLine,
    ) -> Result<(), Problem> {
        let due = self.follower.next();
        let wrong = |what| Err(lines.problem(Some(due), what));
        if record.kind != ProofKind::Tree {
            return wrong(unexpected(due, "a line of a lineage"));
        }
        if record.leaf.index != due || self.follower.is_complete() {
            return wrong(unexpected(
                due,
                &format!("the record of index {}", record.leaf.index),
            ));
        }
        if record.proof.size != self.size {
            return wrong(What::Line(format!(
                "proof is of a tree of {} records, expected {}",
                record.proof.size, self.size
            )));
        }
        match self.follower.push(record.hash, &record.proof.hashes) {
            Ok(()) => {}
            Err(chain::Error::Leaf) => return wrong(What::Record),
            Err(other) => return wrong(What::Line(other.to_string())),
        }
        // only the older checkpoint needs the tree rebuilt
        if self.held.is_some_and(|held| held.size > due)
            && let Some(grown) = &mut self.grown
        {
            grown.push(record.hash);
            self.note_root();
        }
        Ok(())
    }

    fn end<R: BufRead>(
        &self,
        lines: &mut Lines<'_, R>,
        key: &Verifier,
        note: &str,
    ) -> Result<Checkpoint, Problem> {
        let due = self.follower.next();
        let checkpoint = open_checkpoint(note, key)
            .map_err(|what| lines.problem(None, What::Signature(what)))?;
        if !self.follower.is_complete() {
            return Err(lines.problem(Some(due), unexpected(due, "the checkpoint")));
        }
        if checkpoint.size != self.size || self.follower.root() != Some(checkpoint.root) {
            // each line agrees with the opening, so that the opening is what is wrong
            let opening = self.opening_line;
            return Err(Problem::new(Some(self.first), opening, What::Record));
        }
        lines.due = None;
        if lines.next()?.is_some() {
            let what = What::Line("a line after the checkpoint".to_owned());
            return Err(lines.problem(None, what));
        }
        Ok(checkpoint)
    }

    fn verdict<R: BufRead>(
        &self,
        lines: &Lines<'_, R>,
        checkpoint: &Checkpoint,
    ) -> Result<Verified, Problem> {
        if let Some(held) = self.held {
            self.hold_against(lines, held, checkpoint)?;
        }
        Ok(Verified {
            content: Content::Export { first: self.first },
            records: self.size - self.first,
            origin: checkpoint.origin.clone(),
            tree_size: checkpoint.size,
            root: checkpoint.root.to_string(),
            continues: self.held.map(|held| held.size),
        })
    }

    fn hold_against<R: BufRead>(
        &self,
        lines: &Lines<'_, R>,
        held: &Checkpoint,
        checkpoint: &Checkpoint,
    ) -> Result<(), Problem> {
        let size = checkpoint.size;
        if held.size > size {
            let what = What::Shrunk {
                size,
                held: held.size,
            };
            return Err(lines.problem(Some(size), what));
        }
        let root = if held.size == size {
            Some(checkpoint.root)
        } else {
            self.held_root
        };
        match root {
            Some(root) if root == held.root => Ok(()),
            Some(_) => Err(Problem::new(None, 0, What::Forked(held.size))),
            None => Err(Problem::new(
                None,
                0,
                What::Unlinked {
                    held: held.size,
                    hint: "export from an index that isn't beyond that size",
                },
            )),
        }
    }
}
