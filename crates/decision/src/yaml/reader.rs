//! From parser events to the tree.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::{Kind, Node, Style};
use crate::{
    diagnostic::{Diagnostic, Mark},
    limits,
};

type Events<'t> = dyn Iterator<Item = Result<(Event<'t>, Span), ScanError>> + 't;

pub(super) fn read(text: &str, first_line: usize) -> Result<Vec<Node>, Diagnostic> {
    if text.len() > limits::TEXT_BYTES {
        let message = format!("text is longer than {} bytes", limits::TEXT_BYTES);
        return Err(Diagnostic::new(Mark::START, message));
    }
    let options = granit_parser::options! { emit_comments: false };
    let mut reader = Reader {
        events: Box::new(Parser::new_from_str_with_options(text, options)),
        nodes: 0,
        lines_before: first_line.saturating_sub(1),
        last: Mark::START,
    };
    let mut documents = Vec::new();
    while let Some((event, mark)) = reader.next()? {
        if !matches!(
            event,
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd
        ) {
            documents.push(reader.node(event, mark, 0)?);
        }
    }
    // A file that ends with `---` holds no further document.
    documents.retain(|document| !document.is_null());
    Ok(documents)
}

struct Reader<'t> {
    events: Box<Events<'t>>,
    nodes: usize,
    lines_before: usize,
    last: Mark,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Mark)>, Diagnostic> {
        match self.events.next() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                self.last = self.mark(&span.start);
                Ok(Some((event, self.last)))
            }
            Some(Err(error)) => Err(Diagnostic::new(
                self.mark(error.marker()),
                format!("malformed YAML: {}", error.info()),
            )),
        }
    }

    fn mark(&self, marker: &granit_parser::Marker) -> Mark {
        Mark {
            line: marker.line().max(1) + self.lines_before,
            column: marker.col() + 1,
        }
    }

    fn must_next(&mut self) -> Result<(Event<'t>, Mark), Diagnostic> {
        let last = self.last;
        self.next()?
            .ok_or_else(|| Diagnostic::new(last, "the text ends within a value"))
    }

    fn node(&mut self, event: Event<'t>, mark: Mark, depth: usize) -> Result<Node, Diagnostic> {
        let refuse = |message: &str| Err(Diagnostic::new(mark, message));
        self.nodes += 1;
        if depth > limits::VALUE_DEPTH {
            return refuse("values nest too deeply");
        }
        if self.nodes > limits::NODES {
            return refuse("too many values in one text");
        }
        match event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(_, anchor, _)
            | Event::MappingStart(_, anchor, _)
                if anchor != 0 =>
            {
                refuse("anchors are not supported")
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, _, Some(_))
            | Event::MappingStart(_, _, Some(_)) => refuse("tags are not supported"),
            Event::Scalar(text, style, _, _) => Ok(Node::new(
                mark,
                Kind::Scalar(text.into_owned(), style_of(style)),
            )),
            Event::SequenceStart(..) => self.sequence(mark, depth),
            Event::MappingStart(..) => self.mapping(mark, depth),
            Event::Alias(_) => refuse("aliases are not supported"),
            _ => refuse("expected a value"),
        }
    }

    fn sequence(&mut self, start: Mark, depth: usize) -> Result<Node, Diagnostic> {
        let mut items = Vec::new();
        loop {
            match self.must_next()? {
                (Event::SequenceEnd, _) => return Ok(Node::new(start, Kind::Sequence(items))),
                (event, mark) => items.push(self.node(event, mark, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, start: Mark, depth: usize) -> Result<Node, Diagnostic> {
        let mut entries = Vec::new();
        let mut seen: HashMap<String, Mark> = HashMap::new();
        loop {
            let (event, mark) = self.must_next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Node::new(start, Kind::Mapping(entries)));
            }
            let key = self.node(event, mark, depth + 1)?;
            let Some(text) = key.as_str() else {
                let message = format!("found {} as a key, expected a text", key.describe());
                return Err(key.problem(message));
            };
            if let Some(first) = seen.insert(text.to_owned(), mark) {
                let message = format!("key `{text}` stands twice, first at {first}");
                return Err(key.problem(message));
            }
            let (event, mark) = self.must_next()?;
            let value = self.node(event, mark, depth + 1)?;
            entries.push((key, value));
        }
    }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}
