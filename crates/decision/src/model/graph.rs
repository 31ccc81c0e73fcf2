//! What requires what: an order in which everything comes after what it requires.

use std::collections::BTreeMap;

use super::Model;
use crate::diagnostic::{Diagnostic, Mark};

/// The indices of the decisions, each behind those it requires.
///
/// # Errors
/// If requirements form a ring, with its path.
pub(super) fn order(model: &Model) -> Result<Vec<usize>, Diagnostic> {
    let mut graph = Graph {
        requires: BTreeMap::new(),
        done: BTreeMap::new(),
        path: Vec::new(),
        order: Vec::new(),
    };
    for function in &model.functions {
        let element = (function.mark, function.requires.as_slice());
        graph.requires.insert(&function.name, element);
    }
    for decision in &model.decisions {
        let element = (decision.mark, decision.requires.as_slice());
        graph.requires.insert(&decision.name, element);
    }
    for name in model
        .functions
        .iter()
        .map(|function| function.name.as_str())
    {
        graph.visit(name)?;
    }
    for name in model
        .decisions
        .iter()
        .map(|decision| decision.name.as_str())
    {
        graph.visit(name)?;
    }
    let places: BTreeMap<&str, usize> = model
        .decisions
        .iter()
        .enumerate()
        .map(|(index, decision)| (decision.name.as_str(), index))
        .collect();
    let order = graph.order.into_iter();
    Ok(order.filter_map(|name| places.get(name).copied()).collect())
}

struct Graph<'m> {
    requires: BTreeMap<&'m str, (Mark, &'m [String])>,
    /// What was visited, and whether all behind it was.
    done: BTreeMap<&'m str, bool>,
    path: Vec<&'m str>,
    order: Vec<&'m str>,
}

impl<'m> Graph<'m> {
    /// Goes down from one element, by a list rather than by calls: chains may be long.
    fn visit(&mut self, start: &'m str) -> Result<(), Diagnostic> {
        let mut open = vec![(start, false)];
        while let Some((name, behind)) = open.pop() {
            if behind {
                self.path.pop();
                self.done.insert(name, true);
                self.order.push(name);
                continue;
            }
            let Some((mark, requires)) = self.requires.get(name).copied() else {
                continue;
            };
            match self.done.get(name) {
                Some(true) => continue,
                Some(false) => return Err(self.ring(name, mark)),
                None => {}
            }
            self.done.insert(name, false);
            self.path.push(name);
            open.push((name, true));
            open.extend(requires.iter().rev().map(|name| (name.as_str(), false)));
        }
        Ok(())
    }

    fn ring(&self, name: &str, mark: Mark) -> Diagnostic {
        let start = self.path.iter().position(|known| *known == name);
        let mut ring: Vec<&str> = self.path[start.unwrap_or(0)..].to_vec();
        ring.push(name);
        let ring = ring.join(" -> ");
        Diagnostic::new(mark, format!("`{name}` requires itself: {ring}"))
    }
}
