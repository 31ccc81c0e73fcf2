//! The XML text: bounded, without DTDs and entities of its own, and with places.

use roxmltree::{Document, Node as Element, ParsingOptions};

use crate::{
    diagnostic::{Diagnostic, Mark, full},
    limits,
    yaml::{Kind, Node, Style},
};

/// The namespaces of DMN's model, 1.1 to 1.6.
pub(super) const NAMESPACES: [&str; 6] = [
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
    "https://www.omg.org/spec/DMN/20240513/MODEL/",
];

/// Reads the text as XML.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Diagnostic> {
    if text.len() > limits::TEXT_BYTES {
        let message = format!("text is longer than {} bytes", limits::TEXT_BYTES);
        return Err(Diagnostic::new(Mark::START, message));
    }
    check_depth(text)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(limits::NODES).unwrap_or(u32::MAX),
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| {
        let message = match &error {
            roxmltree::Error::DtdDetected => {
                "found a document type declaration, which isn't read".to_owned()
            }
            roxmltree::Error::NodesLimitReached => "too many elements in one text".to_owned(),
            other => {
                // The library ends its messages with the place.
                let text = other.to_string();
                let said = text
                    .rsplit_once(" at ")
                    .map_or(text.as_str(), |(said, _)| said);
                format!("malformed XML: {said}")
            }
        };
        let place = error.pos();
        let mark = Mark {
            line: usize::try_from(place.row).unwrap_or(usize::MAX),
            column: usize::try_from(place.col).unwrap_or(usize::MAX),
        };
        Diagnostic::new(mark, message)
    })
}

/// Refuses elements that nest too deeply before anything follows them down. A tag within a
/// comment or text counts too, which no real file comes near.
fn check_depth(text: &str) -> Result<(), Diagnostic> {
    let (mut depth, mut rest) = (0_usize, text);
    while let Some(open) = rest.find('<') {
        rest = &rest[open + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if let Some(data) = rest.strip_prefix("![CDATA[") {
            rest = data.split_once("]]>").map_or("", |(_, after)| after);
        } else if rest.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !rest.starts_with(['?', '!']) {
            let end = tag_end(rest);
            depth += usize::from(!rest[..end].ends_with('/'));
            rest = &rest[end..];
        }
        if depth > limits::ELEMENT_DEPTH {
            let at = text.len() - rest.len();
            let source = Lines::new(text);
            return Err(Diagnostic::new(source.mark(at), "elements nest too deeply"));
        }
    }
    Ok(())
}

/// Where a tag ends: at the first `>` outside quotes.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// Where the lines of a text begin, and how many characters stand before each piece of it:
/// a file may be one long line.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    counts: Vec<usize>,
}

/// How many bytes a piece has.
const PIECE: usize = 1_024;

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(newlines).collect();
        let mut counts = vec![0];
        for piece in text.as_bytes().chunks(PIECE) {
            let before = counts.last().copied().unwrap_or(0);
            counts.push(before + characters(piece));
        }
        Self {
            text,
            starts,
            counts,
        }
    }

    /// How many characters stand before a byte.
    fn characters_before(&self, at: usize) -> usize {
        let piece = at / PIECE;
        let rest = self
            .text
            .as_bytes()
            .get(piece * PIECE..at)
            .unwrap_or_default();
        self.counts.get(piece).copied().unwrap_or(0) + characters(rest)
    }

    /// The place of a byte.
    pub(super) fn mark(&self, at: usize) -> Mark {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        Mark {
            line: line.max(1),
            column: self.characters_before(at) - self.characters_before(start) + 1,
        }
    }
}

/// How many characters begin in some bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// An XML text being read into nodes of the project's own form.
pub(super) struct Source<'x> {
    lines: Lines<'x>,
    /// The namespace of the model's elements.
    namespace: &'x str,
    /// Where texts of expressions begin, by the place they are known by.
    texts: Vec<(Mark, usize)>,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) notes: Vec<Diagnostic>,
}

impl<'x> Source<'x> {
    pub(super) fn new(text: &'x str, namespace: &'x str) -> Self {
        Self {
            lines: Lines::new(text),
            namespace,
            texts: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn mark(&self, element: Element<'_, '_>) -> Mark {
        self.lines.mark(element.range().start)
    }

    /// What can't be carried over.
    pub(super) fn refuse(&mut self, element: Element<'_, '_>, message: impl Into<String>) {
        if !full(&self.problems) {
            let mark = self.mark(element);
            self.problems.push(Diagnostic::new(mark, message));
        }
    }

    /// What is left out since it decides nothing.
    pub(super) fn note(&mut self, element: Element<'_, '_>, message: impl Into<String>) {
        if !full(&self.notes) {
            let mark = self.mark(element);
            self.notes.push(Diagnostic::new(mark, message));
        }
    }

    /// Whether an element is DMN's own, of this name.
    pub(super) fn is(&self, element: Element<'_, '_>, name: &str) -> bool {
        self.name(element) == Some(name)
    }

    /// The name of an element of DMN's own.
    pub(super) fn name<'e>(&self, element: Element<'e, '_>) -> Option<&'e str> {
        (element.tag_name().namespace() == Some(self.namespace)).then(|| element.tag_name().name())
    }

    /// The child elements of DMN's own; extensions of others become a note.
    pub(super) fn children<'e>(&mut self, parent: Element<'e, 'x>) -> Vec<Element<'e, 'x>> {
        let mut found = Vec::new();
        for child in parent.children().filter(Element::is_element) {
            match self.name(child) {
                Some("extensionElements") => {
                    if child.has_children() && child.children().any(|c| c.is_element()) {
                        self.note(child, "extension elements are left out");
                    }
                }
                Some(_) => found.push(child),
                None => {
                    let name = child.tag_name().name().to_owned();
                    self.note(
                        child,
                        format!("`{name}` is no element of DMN and is left out"),
                    );
                }
            }
        }
        found
    }

    /// The one child of a name.
    pub(super) fn child<'e>(&self, parent: Element<'e, 'x>, name: &str) -> Option<Element<'e, 'x>> {
        let mut children = parent.children().filter(|child| self.is(*child, name));
        children.next()
    }

    /// A text node at an element: known by the place of its first character.
    pub(super) fn text_of(&mut self, element: Element<'_, '_>) -> Option<Node> {
        let mut text = String::new();
        let mut start = None;
        for part in element.children() {
            if part.is_text() {
                let content = part.text().unwrap_or_default();
                if start.is_none() && !content.trim().is_empty() {
                    start = Some(self.content_start(part.range(), content));
                }
                text.push_str(content);
            }
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return None;
        }
        let at = start.unwrap_or(element.range().start);
        let mark = self.lines.mark(at);
        self.texts.push((mark, at));
        Some(scalar(mark, trimmed))
    }

    /// Where the first character that isn't space stands in the file.
    fn content_start(&self, range: std::ops::Range<usize>, content: &str) -> usize {
        let raw = self.lines.text.get(range.clone()).unwrap_or_default();
        let skipped = raw.strip_prefix("<![CDATA[").map_or(0, |_| 9);
        let space = raw[skipped..].len() - raw[skipped..].trim_start().len();
        // Space written as a character reference is found by its meaning only.
        let escaped = content.len() - content.trim_start().len() > space;
        range.start + skipped + if escaped { 0 } else { space }
    }

    /// The text of a child such as `description`.
    pub(super) fn child_text(&mut self, parent: Element<'_, 'x>, name: &str) -> Option<Node> {
        let child = self.child(parent, name)?;
        self.text_of(child)
    }

    /// An attribute as a text node.
    pub(super) fn attribute(&self, element: Element<'_, '_>, name: &str) -> Option<Node> {
        let attribute = element
            .attributes()
            .find(|attribute| attribute.name() == name && attribute.namespace().is_none())?;
        let mark = self.lines.mark(attribute.range_value().start);
        let value = attribute
            .value()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        (!value.is_empty()).then(|| scalar(mark, &value))
    }

    /// A problem within an expression, at its place in the file: character references are
    /// longer there, and an expression may go over lines.
    pub(super) fn settle(&self, problem: Diagnostic) -> Diagnostic {
        let wanted = problem.mark;
        let start = self
            .texts
            .iter()
            .filter(|(mark, _)| mark.line == wanted.line && mark.column <= wanted.column)
            .max_by_key(|(mark, _)| *mark);
        let Some((mark, at)) = start else {
            return problem;
        };
        let mut rest = self.lines.text.get(*at..).unwrap_or_default();
        for _ in 0..wanted.column - mark.column {
            let Some(c) = rest.chars().next() else {
                break;
            };
            let reference = (c == '&').then(|| rest.find(';')).flatten();
            rest = &rest[reference.map_or(c.len_utf8(), |end| end + 1)..];
        }
        Diagnostic {
            mark: self.lines.mark(self.lines.text.len() - rest.len()),
            ..problem
        }
    }
}

/// A text as a node; never a number or null, whatever it looks like.
pub(super) fn scalar(mark: Mark, text: &str) -> Node {
    Node::new(mark, Kind::Scalar(text.to_owned(), Style::Block))
}

/// A bare scalar.
pub(super) fn bare(mark: Mark, text: &str) -> Node {
    Node::new(mark, Kind::Scalar(text.to_owned(), Style::Plain))
}

/// A mapping of what is there.
pub(super) fn mapping<'n>(
    mark: Mark,
    entries: impl IntoIterator<Item = (&'n str, Option<Node>)>,
) -> Node {
    let entries = entries.into_iter();
    let present = entries.filter_map(|(key, node)| Some((scalar(mark, key), node?)));
    Node::new(mark, Kind::Mapping(present.collect()))
}

/// A sequence, if it holds anything.
pub(super) fn sequence(mark: Mark, items: Vec<Node>) -> Option<Node> {
    (!items.is_empty()).then(|| Node::new(mark, Kind::Sequence(items)))
}

/// A mapping from names, if it holds anything.
pub(super) fn named(mark: Mark, entries: Vec<(Node, Node)>) -> Option<Node> {
    (!entries.is_empty()).then(|| Node::new(mark, Kind::Mapping(entries)))
}
