//! From the tree to text that people read and edit: blocks where they help, one line where
//! it fits. What is written is read back as the same tree.

use std::fmt::Write as _;

use super::{Kind, Node, Style};

/// Columns that a line written in flow form may take.
const WIDTH: usize = 100;

/// Writes one document. A bare scalar stands as it is, one in quotes keeps them; every other
/// one is a text, written bare where it can't be taken for anything else.
#[must_use]
pub fn write(node: &Node) -> String {
    let mut out = String::new();
    match &node.kind {
        Kind::Mapping(entries) if !entries.is_empty() => mapping(&mut out, entries, 0),
        Kind::Sequence(items) if !items.is_empty() => sequence(&mut out, items, 0),
        _ => {
            out.push_str(&flow(node));
            out.push('\n');
        }
    }
    out
}

/// Writes a node on one line, as the fields of a CSV file hold it.
#[must_use]
pub fn flow(node: &Node) -> String {
    let mut out = String::new();
    flow_into(&mut out, node);
    out
}

fn flow_into(out: &mut String, node: &Node) {
    match &node.kind {
        Kind::Scalar(text, style) => out.push_str(&scalar(text, *style)),
        Kind::Sequence(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                flow_into(out, item);
            }
            out.push(']');
        }
        Kind::Mapping(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                flow_into(out, key);
                out.push_str(": ");
                flow_into(out, value);
            }
            out.push('}');
        }
    }
}

fn mapping(out: &mut String, entries: &[(Node, Node)], indent: usize) {
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            pad(out, indent);
        }
        let start = out.len();
        flow_into(out, key);
        out.push(':');
        let used = indent + out[start..].chars().count();
        entry(out, value, indent, used);
    }
}

/// What stands behind `key:`, with the end of its line.
fn entry(out: &mut String, value: &Node, indent: usize, used: usize) {
    let nested = indent + 2;
    match &value.kind {
        Kind::Scalar(text, Style::Block) if as_block(text) => block_text(out, text, nested),
        Kind::Mapping(entries) if !entries.is_empty() && !on_one_line(value, used) => {
            out.push('\n');
            pad(out, nested);
            mapping(out, entries, nested);
        }
        Kind::Sequence(items) if !items.is_empty() && !on_one_line(value, used) => {
            out.push('\n');
            pad(out, nested);
            sequence(out, items, nested);
        }
        _ => {
            out.push(' ');
            flow_into(out, value);
            out.push('\n');
        }
    }
}

fn sequence(out: &mut String, items: &[Node], indent: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            pad(out, indent);
        }
        out.push_str("- ");
        let nested = indent + 2;
        match &item.kind {
            Kind::Mapping(entries) if !entries.is_empty() && !on_one_line(item, nested) => {
                mapping(out, entries, nested);
            }
            Kind::Sequence(items) if !items.is_empty() && !on_one_line(item, nested) => {
                sequence(out, items, nested);
            }
            _ => {
                flow_into(out, item);
                out.push('\n');
            }
        }
    }
}

/// Whether a container reads well on the rest of a line that has `used` columns already:
/// scalars by name, scalars in order, and at most two mappings of scalars in order.
fn on_one_line(node: &Node, used: usize) -> bool {
    let few = match &node.kind {
        Kind::Sequence(items) => {
            items.len() <= 2
                || items
                    .iter()
                    .all(|item| matches!(item.kind, Kind::Scalar(..)))
        }
        _ => true,
    };
    let height = match &node.kind {
        Kind::Mapping(_) => 1,
        _ => 2,
    };
    few && flat(node, height) && used + flow(node).chars().count() < WIDTH
}

/// Whether containers nest at most `height` deep, and no text needs lines of its own.
fn flat(node: &Node, height: usize) -> bool {
    match &node.kind {
        Kind::Scalar(text, style) => *style != Style::Block || !as_block(text),
        Kind::Sequence(items) if items.is_empty() => true,
        Kind::Mapping(entries) if entries.is_empty() => true,
        _ if height == 0 => false,
        Kind::Sequence(items) => items.iter().all(|item| flat(item, height - 1)),
        Kind::Mapping(entries) => entries.iter().all(|(_, value)| flat(value, height - 1)),
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Whether a text can stand as a literal block and be read back as it is.
fn as_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.chars().any(|c| c != '\n' && !is_printable(c))
        && !text.ends_with("\n\n")
        && text.lines().all(|line| line.trim_end() == line)
}

fn block_text(out: &mut String, text: &str, indent: usize) {
    out.push_str(if text.ends_with('\n') {
        " |\n"
    } else {
        " |-\n"
    });
    for line in text.lines() {
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn scalar(text: &str, style: Style) -> String {
    if style == Style::Plain || style == Style::Block && is_bare(text) {
        return text.to_owned();
    }
    if text.chars().all(is_printable) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// Whether a character stands in a line of YAML as it is. Line and paragraph separators
/// and the byte order mark don't.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Whether a bare text is read as this text by every reader of YAML, in flow form too.
fn is_bare(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let inner = |c: char| c.is_alphanumeric() || " _-./+*=<>()!?%;'^~".contains(c);
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(inner)
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::super::{Mark, parse};
    use super::*;

    fn node(kind: Kind) -> Node {
        Node::new(Mark::START, kind)
    }

    fn text(text: &str) -> Node {
        node(Kind::Scalar(text.to_owned(), Style::Block))
    }

    #[test]
    fn what_is_short_stands_on_a_line_and_the_rest_in_blocks() {
        let source = "\
name: t
inputs: [order.total, 'a, b']
rows:
  - id: small
    when: {order.total: '<= 10'}
    then:
      effect: ALLOW
      approvals: [{role: credit-manager, count: 1}]
quoted: 'ALLOW'
note: |-
  first
  second
";
        let read = parse(source).unwrap();
        assert_eq!(write(&read[0]), source);
    }

    #[test]
    fn texts_that_could_be_something_else_are_quoted() {
        for (given, wanted) in [
            ("yes", "'yes'"),
            ("No", "'No'"),
            ("12", "'12'"),
            ("it's", "it's"),
            ("'t is", "'''t is'"),
            ("", "''"),
            ("a\tb", "\"a\\tb\""),
            ("a: b", "'a: b'"),
            ("Monthly fee", "Monthly fee"),
        ] {
            assert_eq!(flow(&text(given)), wanted);
        }
    }

    fn nodes() -> impl Strategy<Value = Node> {
        let words = prop_oneof![
            "\\PC{0,12}",
            "[ a-z0-9'\":#,{}\\[\\]&*!|>%@`~?-]{0,12}",
            "[a-z \n\t]{0,12}",
            Just("null".to_owned()),
        ];
        let leaf = prop_oneof![
            (words.clone(), any::<bool>()).prop_map(|(text, block)| {
                let style = if block { Style::Block } else { Style::Quoted };
                node(Kind::Scalar(text, style))
            }),
            (any::<i32>()).prop_map(|n| node(Kind::Scalar(n.to_string(), Style::Plain))),
        ];
        leaf.prop_recursive(4, 24, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(|v| node(Kind::Sequence(v))),
                prop::collection::btree_map(words.clone(), inner, 0..5).prop_map(|map| {
                    let entries = map.into_iter().map(|(key, value)| (text(&key), value));
                    node(Kind::Mapping(entries.collect()))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(node in nodes()) {
            let text = write(&node);
            let read = parse(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
            // A lone null counts as no document.
            let empty = node.is_null() || matches!(&node.kind, Kind::Scalar(..));
            if !empty {
                prop_assert_eq!(read.len(), 1, "{}", text);
                prop_assert_eq!(read[0].to_value(), node.to_value(), "{}", text);
            }
        }
    }
}
