//! A lineage: pages of records of one transaction, each page ended by the checkpoint
//! that its records are in and a signed statement of what the page must have.

use std::io::BufRead;

use chrono::{DateTime, Utc};
use merkle::{Checkpoint, Hash, consistency, inclusion, note::Verifier};
use sha2::{Digest as _, Sha256};

use super::{Content, Problem, Verified, What, lines::Lines, open_checkpoint};
use crate::domain::{
    line::{Line, Proof, ProofKind, RecordLine},
    statement::Statement,
};

/// A record whose page's checkpoint isn't known yet. All audit paths of a page lead to
/// one root, so that only the first and the first that differs are of interest.
#[derive(Default)]
struct Page {
    digest: Sha256,
    count: u64,
    first: Option<Place>,
    differing: Option<Place>,
}

struct Place {
    index: u64,
    line: u64,
    size: u64,
    root: Hash,
}

#[derive(Default)]
struct Lineage {
    page: Page,
    records: u64,
    last: Option<(DateTime<Utc>, u64)>,
    correlation_id: Option<String>,
    /// What the pages so far said.
    before: Option<(Statement, Checkpoint)>,
}

pub(super) fn verify<R: BufRead>(
    lines: &mut Lines<'_, R>,
    key: &Verifier,
    held: Option<&Checkpoint>,
) -> Result<Verified, Problem> {
    let mut lineage = Lineage::default();
    loop {
        lines.due = None;
        let Some(read) = lines.next()? else {
            return lineage.verdict(lines, held);
        };
        match read.line {
            Line::Record(record) => {
                lineage.take(lines, &record)?;
                lineage.page.digest.update(&read.bytes);
            }
            Line::Lineage {
                note,
                consistency,
                statement,
            } => {
                let checkpoint = open_checkpoint(&note, key)
                    .map_err(|what| lines.problem(None, What::Signature(what)))?;
                let statement = Statement::open(&statement, key)
                    .map_err(|e| lines.problem(None, What::Signature(e.to_string())))?;
                lineage.end_page(lines, checkpoint, statement, held, consistency)?;
            }
            Line::Checkpoint { .. } | Line::Range { .. } => {
                let what = What::Line("a line of an export within a lineage".to_owned());
                return Err(lines.problem(None, what));
            }
        }
    }
}

impl Lineage {
    fn take<R: BufRead>(
        &mut self,
        lines: &Lines<'_, R>,
        record: &RecordLine,
    ) -> Result<(), Problem> {
        let leaf = &record.leaf;
        let wrong = |what| Err(lines.problem(Some(leaf.index), what));
        if record.kind != ProofKind::Inclusion {
            return wrong(What::Line(
                "a line of an export within a lineage".to_owned(),
            ));
        }
        let place = (leaf.record.occurred, leaf.index);
        if self.last.is_some_and(|last| last >= place) {
            return wrong(What::Order {
                expected: "records by time of occurrence".to_owned(),
                found: format!("index {} after a later one", leaf.index),
            });
        }
        self.last = Some(place);
        let correlation_id = self
            .correlation_id
            .get_or_insert_with(|| leaf.record.correlation_id.clone());
        if *correlation_id != leaf.record.correlation_id {
            return wrong(What::Order {
                expected: format!("a record of {correlation_id}"),
                found: format!("one of {}", leaf.record.correlation_id),
            });
        }
        let Proof { size, hashes } = &record.proof;
        let root = match inclusion::implied_root(leaf.index, *size, record.hash, hashes) {
            Ok(root) => root,
            Err(error) => return wrong(What::Line(error.to_string())),
        };
        let place = Place {
            index: leaf.index,
            line: lines.number(),
            size: *size,
            root,
        };
        let page = &mut self.page;
        page.count += 1;
        match &page.first {
            None => page.first = Some(place),
            Some(first) if (first.size, first.root) == (place.size, place.root) => {}
            Some(_) => {
                page.differing.get_or_insert(place);
            }
        }
        Ok(())
    }

    fn end_page<R: BufRead>(
        &mut self,
        lines: &Lines<'_, R>,
        checkpoint: Checkpoint,
        statement: Statement,
        held: Option<&Checkpoint>,
        consistency: Option<Proof>,
    ) -> Result<(), Problem> {
        let page = std::mem::take(&mut self.page);
        let matches = |p: &Place| (p.size, p.root) == (checkpoint.size, checkpoint.root);
        // the first is right or wrong itself; one that differs from a right first is wrong
        let bad = page
            .first
            .iter()
            .chain(&page.differing)
            .find(|p| !matches(p));
        if let Some(place) = bad {
            return Err(Problem::new(Some(place.index), place.line, What::Record));
        }
        let wrong = |what: &str| Err(lines.problem(None, What::Signature(what.to_owned())));
        let correlation_id = self
            .correlation_id
            .get_or_insert_with(|| statement.correlation_id.clone());
        if *correlation_id != statement.correlation_id || statement.size != checkpoint.size {
            return wrong("the statement is about another lineage");
        }
        if statement.first != self.records {
            return wrong("a page is missing, or stands in the wrong place");
        }
        if statement.count != page.count || statement.digest != Hash(page.digest.finalize().into())
        {
            return wrong("a record is missing from the page, or doesn't belong there");
        }
        if let Some((before, tree)) = &self.before {
            let follows = before.more && before.scopes == statement.scopes && *tree == checkpoint;
            if !follows {
                return wrong("the page doesn't continue the one before");
            }
        }
        self.records += page.count;
        check_held(lines, &checkpoint, held, consistency)?;
        self.before = Some((statement, checkpoint));
        Ok(())
    }

    fn verdict<R: BufRead>(
        self,
        lines: &Lines<'_, R>,
        held: Option<&Checkpoint>,
    ) -> Result<Verified, Problem> {
        let cut = Problem::new(None, lines.number() + 1, What::Truncated);
        match self.before {
            Some((statement, checkpoint)) if self.page.count == 0 && !statement.more => {
                Ok(Verified {
                    content: Content::Lineage {
                        correlation_id: statement.correlation_id,
                        scopes: statement.scopes,
                    },
                    records: self.records,
                    origin: checkpoint.origin,
                    tree_size: checkpoint.size,
                    root: checkpoint.root.to_string(),
                    continues: held.map(|held| held.size),
                })
            }
            _ => Err(cut),
        }
    }
}

fn check_held<R: BufRead>(
    lines: &Lines<'_, R>,
    checkpoint: &Checkpoint,
    held: Option<&Checkpoint>,
    proof: Option<Proof>,
) -> Result<(), Problem> {
    let Some(held) = held else {
        // what can't be checked isn't accepted: these hashes could be anything
        return match proof {
            Some(_) => Err(lines.problem(
                None,
                What::Held("the lineage was fetched for one; give it too".to_owned()),
            )),
            None => Ok(()),
        };
    };
    if held.size > checkpoint.size {
        let what = What::Shrunk {
            size: checkpoint.size,
            held: held.size,
        };
        return Err(lines.problem(None, what));
    }
    let proof = match proof {
        Some(proof) if proof.size == held.size => proof.hashes,
        None if held.size == checkpoint.size || held.size == 0 => Vec::new(),
        _ => {
            let hint = "fetch the lineage for that checkpoint";
            let held = held.size;
            return Err(lines.problem(None, What::Unlinked { held, hint }));
        }
    };
    consistency::verify(
        held.size,
        checkpoint.size,
        &proof,
        &held.root,
        &checkpoint.root,
    )
    .map_err(|_| lines.problem(None, What::Forked(held.size)))
}
