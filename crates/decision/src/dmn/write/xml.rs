//! Elements and attributes as text.

use std::fmt::Write as _;

/// An XML text being written, an element a line.
#[derive(Default)]
pub(super) struct Xml {
    out: String,
    depth: usize,
    /// The first character that no XML file can hold, and the element it was to stand in.
    lost: Option<(String, char)>,
}

impl Xml {
    pub(super) fn at(depth: usize) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn document(self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", self.out)
    }

    /// What was met since it was last asked for that no XML file can hold.
    pub(super) fn take_lost(&mut self) -> Option<String> {
        let (element, c) = self.lost.take()?;
        let code = u32::from(c);
        Some(format!("`{element}` holds U+{code:04X}, which XML can't"))
    }

    /// A text without the characters that mean something else.
    fn escape(&mut self, element: &str, text: &str, attribute: bool) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' if attribute => self.out.push_str("&quot;"),
                '\n' | '\t' if !attribute => self.out.push(c),
                '\n' | '\t' | '\r' => {
                    let _ = write!(self.out, "&#{};", u32::from(c));
                }
                c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                    self.lost.get_or_insert_with(|| (element.to_owned(), c));
                }
                c => self.out.push(c),
            }
        }
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
        let _ = write!(self.out, "<{name}");
        for (key, value) in attributes {
            let _ = write!(self.out, " {key}=\"");
            self.escape(name, value, true);
            self.out.push('"');
        }
    }

    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
        self.depth += 1;
    }

    pub(super) fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.out.extend(std::iter::repeat_n("  ", self.depth));
        let _ = writeln!(self.out, "</{name}>");
    }

    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.out.push_str("/>\n");
    }

    /// An element that holds nothing but a text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.tag(name, &[]);
        self.out.push('>');
        self.escape(name, text, false);
        let _ = writeln!(self.out, "</{name}>");
    }

    pub(super) fn texts(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An element with a `text` in it, as expressions have them.
    pub(super) fn expression(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        self.text("text", text);
        self.close(name);
    }
}
