//! Characters to tokens. Names are left to the parser, which knows the facts.

use super::Error;

/// A place in the characters of one text.
pub(super) struct Cursor {
    chars: Vec<char>,
    at: usize,
}

impl Cursor {
    pub(super) fn new(text: &str) -> Self {
        Self {
            chars: text.chars().collect(),
            at: 0,
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The character `ahead` of the place.
    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Skips space and comments; the next character.
    pub(super) fn peek(&mut self) -> Option<char> {
        loop {
            match (self.peek_at(0)?, self.peek_at(1)) {
                (c, _) if c.is_whitespace() => self.at += 1,
                ('/', Some('/')) => self.skip_to(&['\n']),
                ('/', Some('*')) => {
                    self.at += 2;
                    self.skip_to(&['*', '/']);
                }
                (c, _) => return Some(c),
            }
        }
    }

    /// Goes behind the characters, or to the end where they don't come.
    fn skip_to(&mut self, end: &[char]) {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let found = rest.windows(end.len()).position(|window| window == end);
        self.at = found.map_or(self.chars.len(), |place| self.at + place + end.len());
    }

    /// Takes the symbol if it comes next, behind space.
    pub(super) fn eat(&mut self, symbol: &str) -> bool {
        self.peek();
        let found = symbol
            .chars()
            .enumerate()
            .all(|(i, c)| self.peek_at(i) == Some(c));
        if found {
            self.at += symbol.chars().count();
        }
        found
    }

    /// Takes a word if it comes next and ends there. Runs of space count as one.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        self.peek();
        let end = self.end_of(word);
        self.at = end.unwrap_or(self.at);
        end.is_some()
    }

    /// Where a word ends, if it stands here and ends there.
    pub(super) fn end_of(&self, word: &str) -> Option<usize> {
        self.after(word)
            .filter(|&end| !self.chars.get(end).copied().is_some_and(is_name_part))
    }

    /// The characters from the place on.
    pub(super) fn rest(&self) -> &[char] {
        self.chars.get(self.at..).unwrap_or_default()
    }

    /// The first character behind a place that is no space.
    pub(super) fn beyond(&self, at: usize) -> Option<char> {
        let rest = self.chars.get(at..)?;
        rest.iter().copied().find(|c| !c.is_whitespace())
    }

    /// Where `word` ends if it stands here; a space in it matches any run of space.
    fn after(&self, word: &str) -> Option<usize> {
        let mut at = self.at;
        for wanted in word.chars() {
            if wanted == ' ' {
                let start = at;
                while self.chars.get(at).copied().is_some_and(char::is_whitespace) {
                    at += 1;
                }
                if at == start {
                    return None;
                }
            } else if self.chars.get(at) == Some(&wanted) {
                at += 1;
            } else {
                return None;
            }
        }
        Some(at)
    }

    /// What comes next, for messages.
    pub(super) fn found(&mut self) -> String {
        match self.peek() {
            None => "the end".to_owned(),
            Some(_) => {
                let rest = &self.chars[self.at..];
                let word: String = rest
                    .iter()
                    .take_while(|c| !c.is_whitespace())
                    .take(20)
                    .collect();
                format!("`{word}`")
            }
        }
    }

    pub(super) fn unexpected<T>(&mut self, wanted: &str) -> Result<T, Error> {
        let found = self.found();
        Err(Error::new(
            self.at,
            format!("found {found}, expected {wanted}"),
        ))
    }

    /// Takes the text of a number, if one starts here: digits, a fraction, an exponent.
    pub(super) fn number(&mut self) -> Option<String> {
        self.peek();
        let start = self.at;
        let digits = |cursor: &mut Self| {
            let from = cursor.at;
            while cursor.peek_at(0).is_some_and(|c| c.is_ascii_digit()) {
                cursor.at += 1;
            }
            cursor.at > from
        };
        let digit_at =
            |cursor: &Self, ahead| cursor.peek_at(ahead).is_some_and(|c| c.is_ascii_digit());
        let whole = digits(self);
        // `1..5` is an interval's end: a point belongs to the number only before a digit.
        if self.peek_at(0) == Some('.') && digit_at(self, 1) {
            self.at += 1;
            digits(self);
        } else if !whole {
            return None;
        }
        if matches!(self.peek_at(0), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.peek_at(1), Some('+' | '-')));
            if digit_at(self, 1 + sign) {
                self.at += 1 + sign;
                digits(self);
            }
        }
        Some(self.chars[start..self.at].iter().collect())
    }

    /// Takes a string in double quotes; stands at the opening one. A backslash that escapes
    /// nothing is itself, if `lenient`: so patterns are written in other tools.
    pub(super) fn string(&mut self, lenient: bool) -> Result<String, Error> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            match self.peek_at(0) {
                None => return Err(Error::new(start, "string without a closing quote")),
                Some('"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some('\\') if lenient && !self.peek_at(1).is_some_and(is_escape) => {
                    out.push('\\');
                    self.at += 1;
                }
                Some('\\') => out.push(self.escape()?),
                Some(c) => {
                    out.push(c);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let start = self.at;
        let escaped = self.peek_at(1);
        self.at += 2;
        match escaped {
            Some(c @ ('"' | '\\' | '\'')) => Ok(c),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.hex(4, start),
            Some('U') => self.hex(6, start),
            _ => Err(Error::new(start, "unknown escape in a string")),
        }
    }

    fn hex(&mut self, count: usize, start: usize) -> Result<char, Error> {
        let digits: String = (0..count).map_while(|i| self.peek_at(i)).collect();
        let hexadecimal = digits.len() == count && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let code = u32::from_str_radix(&digits, 16)
            .ok()
            .filter(|_| hexadecimal);
        self.at += count;
        code.and_then(char::from_u32)
            .ok_or_else(|| Error::new(start, "malformed escape of a character in a string"))
    }

    /// Takes a name that no fact is known by: words of letters and digits, with dots.
    pub(super) fn strange_name(&mut self) -> Option<String> {
        if !self.peek().is_some_and(|c| c.is_alphabetic() || c == '_') {
            return None;
        }
        let start = self.at;
        while self.peek_at(0).is_some_and(is_name_part)
            || (self.peek_at(0) == Some('.') && self.peek_at(1).is_some_and(is_name_part))
        {
            self.at += 1;
        }
        Some(self.chars[start..self.at].iter().collect())
    }
}

/// Whether a character goes on a name; a name that ends before one isn't that name.
pub(crate) fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a character behind a backslash makes an escape of it.
fn is_escape(c: char) -> bool {
    matches!(c, '"' | '\\' | '\'' | 'n' | 'r' | 't' | 'u' | 'U')
}
