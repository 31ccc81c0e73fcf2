//! Making trees, for writing.

use super::{Kind, Node, Style};
use crate::diagnostic::Mark;

/// A text, quoted where it has to be.
pub(crate) fn text(text: impl Into<String>) -> Node {
    Node::new(Mark::START, Kind::Scalar(text.into(), Style::Block))
}

/// A text that stands in quotes even where it needn't, as cells do.
pub(crate) fn quoted(text: impl Into<String>) -> Node {
    Node::new(Mark::START, Kind::Scalar(text.into(), Style::Quoted))
}

/// A scalar that means what it says bare: a number, `true`, `null`.
pub(crate) fn bare(text: impl ToString) -> Node {
    Node::new(Mark::START, Kind::Scalar(text.to_string(), Style::Plain))
}

pub(crate) fn sequence(items: impl IntoIterator<Item = Node>) -> Node {
    Node::new(Mark::START, Kind::Sequence(items.into_iter().collect()))
}

pub(crate) fn mapping(entries: impl IntoIterator<Item = (Node, Node)>) -> Node {
    Node::new(Mark::START, Kind::Mapping(entries.into_iter().collect()))
}

/// An entry of a mapping.
pub(crate) fn entry(key: &str, value: Node) -> (Node, Node) {
    (text(key), value)
}
