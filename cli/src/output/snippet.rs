//! A problem drawn with the line of the file that it is in, as compilers do it.

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

/// Most characters of a line that are shown: of a longer one those around the place.
const MAX_LINE: usize = 120;
/// How many of them stand before the place.
const BEFORE: usize = 40;

/// An error at a place of a text, line and column from 1; without the line where the text
/// doesn't have it.
pub fn error(path: &str, text: &str, line: usize, column: usize, message: &str) -> String {
    draw(Level::ERROR, path, text, line, column, message)
}

fn draw(
    level: Level<'static>,
    path: &str,
    text: &str,
    line: usize,
    column: usize,
    message: &str,
) -> String {
    let whole = text.lines().nth(line.saturating_sub(1));
    let renderer = Renderer::plain();
    let title = level.primary_title(message);
    let Some(whole) = whole else {
        let origin = Origin::path(path).line(line).char_column(column);
        return renderer.render(&[title.element(origin)]);
    };
    let (shown, at) = window(whole, column.saturating_sub(1));
    let begin = shown
        .char_indices()
        .nth(at)
        .map_or(shown.len(), |(byte, _)| byte);
    let end = end_of(&shown, begin);
    let snippet = Snippet::source(shown.as_ref())
        .line_start(line)
        .path(path)
        .annotation(AnnotationKind::Primary.span(begin..end));
    let drawn = renderer.render(&[title.element(snippet)]);
    match shown {
        Cow::Borrowed(_) => drawn,
        // The renderer counts in what it is given; the place is that in the file.
        Cow::Owned(_) => {
            let place = |column: usize| format!("--> {path}:{line}:{column}\n");
            drawn.replacen(&place(at + 1), &place(column), 1)
        }
    }
}

/// What is shown of a line, with the place in it, in characters from 0.
fn window(line: &str, column: usize) -> (Cow<'_, str>, usize) {
    if line.chars().nth(MAX_LINE).is_none() {
        return (Cow::Borrowed(line), column);
    }
    let length = line.chars().count();
    let from = column
        .saturating_sub(BEFORE)
        .min(length.saturating_sub(MAX_LINE));
    let mut shown: String = line.chars().skip(from).take(MAX_LINE).collect();
    let mut column = column - from;
    if from > 0 {
        shown.insert(0, '…');
        column += 1;
    }
    if from + MAX_LINE < length {
        shown.push('…');
    }
    (Cow::Owned(shown), column)
}

/// Where what begins here ends: a quoted text with its quotes, or a run without space.
fn end_of(line: &str, begin: usize) -> usize {
    let rest = &line[begin..];
    let length = match rest.chars().next() {
        Some(quote @ ('\'' | '"')) => rest[1..].find(quote).map(|end| end + 2),
        _ => rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']')),
    };
    let length = length.unwrap_or(rest.len());
    begin + length.max(rest.chars().next().map_or(0, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_marked() {
        let text = "a: 1\nb: {total: '<= x', days: 1}\n";
        let drawn = error("p.yaml", text, 2, 12, "found `x`, expected a value");
        assert!(drawn.contains("p.yaml:2:12"), "{drawn}");
        assert!(drawn.contains("^^^^^^"), "{drawn}");
        assert!(drawn.contains("error: found `x`"), "{drawn}");
        let beyond = error("p.yaml", text, 9, 1, "nothing here");
        assert!(beyond.contains("p.yaml:9:1"), "{beyond}");
    }

    #[test]
    fn of_a_long_line_what_is_around_the_place_is_shown() {
        let (before, after) = ("a ".repeat(300), " b".repeat(300));
        for (line, column, cut) in [
            (format!("{before}'ü here'{after}"), 601, (true, true)),
            (format!("'ü here'{after}"), 1, (false, true)),
            (format!("{before}'ü here'"), 601, (true, false)),
        ] {
            let drawn = error("p.yaml", &format!("\n{line}\n"), 2, column, "found it");
            assert!(drawn.contains(&format!("p.yaml:2:{column}")), "{drawn}");
            let lines: Vec<&str> = drawn.lines().collect();
            let source = lines.iter().position(|line| line.starts_with("2 |"));
            let source = source.unwrap_or_default();
            let marked = lines[source + 1].chars().zip(lines[source].chars());
            let marked = marked.filter(|(mark, _)| *mark == '^').map(|(_, c)| c);
            assert_eq!(marked.collect::<String>(), "'ü here'", "{drawn}");
            assert!(
                lines.iter().all(|line| line.chars().count() < 140),
                "{drawn}"
            );
            assert_eq!(lines[source].starts_with("2 | …"), cut.0, "{drawn}");
            assert_eq!(lines[source].ends_with('…'), cut.1, "{drawn}");
        }
        let (shown, column) = window(&before, 10_000);
        assert!(column > shown.chars().count(), "beyond the line: {column}");
    }
}
