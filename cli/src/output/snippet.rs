//! A problem drawn with the line of the file that it is in, as compilers do it.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

/// Most characters of a line that are shown.
const MAX_LINE: usize = 200;

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
    let shown = text.lines().nth(line.saturating_sub(1));
    let renderer = Renderer::plain();
    let title = level.primary_title(message);
    let Some(shown) = shown.filter(|shown| shown.chars().count() <= MAX_LINE) else {
        let origin = Origin::path(path).line(line).char_column(column);
        return renderer.render(&[title.element(origin)]);
    };
    let byte = |characters: usize| {
        shown
            .char_indices()
            .nth(characters)
            .map_or(shown.len(), |(byte, _)| byte)
    };
    let begin = byte(column.saturating_sub(1));
    let end = end_of(shown, begin);
    let snippet = Snippet::source(shown)
        .line_start(line)
        .path(path)
        .annotation(AnnotationKind::Primary.span(begin..end));
    renderer.render(&[title.element(snippet)])
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
}
