//! Tables and models made of choices, as files have them: every type of column, hit policy,
//! aggregator and kind of logic.

mod feel;
mod logic;
mod model;
mod sorts;
mod table;

pub use model::model;
pub use table::{lone_facts, lone_table};

use decision::json;

/// Choices that a property test makes; once they run out, the first is taken. Fewer and
/// smaller numbers make simpler things.
pub struct Choices(std::vec::IntoIter<u16>);

impl Choices {
    pub fn new(choices: Vec<u16>) -> Self {
        Self(choices.into_iter())
    }

    /// A number below another.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % count.max(1)
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// True once in so many times.
    pub fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    /// Takes one out of what is left.
    pub fn take<T>(&mut self, from: &mut Vec<T>) -> T {
        let at = self.below(from.len());
        from.remove(at)
    }
}

/// A tree as YAML has it, keys in an order of their own.
#[derive(Debug, Clone)]
pub enum Doc {
    /// As it stands: a number, `true`, `null`, or flow YAML.
    Bare(String),
    Text(String),
    List(Vec<Doc>),
    Map(Vec<(String, Doc)>),
}

impl Doc {
    pub fn bare(text: &str) -> Self {
        Self::Bare(text.to_owned())
    }

    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// As YAML in flow form.
    pub fn flow(&self) -> String {
        match self {
            Self::Bare(text) => text.clone(),
            Self::Text(text) => json::write(&text.as_str().into()),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::flow).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| {
                        format!("{}: {}", json::write(&key.as_str().into()), value.flow())
                    })
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }
}

/// Adds an entry to those of a mapping.
pub fn put(entries: &mut Vec<(String, Doc)>, key: &str, value: Doc) {
    entries.push((key.to_owned(), value));
}

/// Texts that people write beside what decides.
pub const NOTES: &[&str] = &[
    "plain",
    "two\nlines",
    "<b>&amp; \"quotes\" 'n' ]]> #: {x}",
    "Zürich ☃ 𝄞",
    "null",
    "- item\n\n  indented\n",
    " around ",
    "a\r\nb\tc",
    "",
];
