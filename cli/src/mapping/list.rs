//! Lists of strings as Python prints them.

/// Reads `['a', "b"]`; escapes are those Python's `repr` writes for quotes, backslashes
/// and control characters.
///
/// # Errors
/// What was found where something else was expected, with the position in characters.
pub fn python(text: &str) -> Result<Vec<String>, String> {
    let mut chars = text.trim().char_indices().peekable();
    let mut items = Vec::new();
    expect(&mut chars, '[')?;
    loop {
        skip_space(&mut chars);
        match chars.next() {
            Some((_, ']')) => break,
            Some((_, quote @ ('\'' | '"'))) => items.push(quoted(&mut chars, quote)?),
            Some((at, found)) => {
                return Err(format!(
                    "found {found:?} at {at}, expected a quoted text or ']'"
                ));
            }
            None => return Err("the list doesn't end".to_owned()),
        }
        skip_space(&mut chars);
        match chars.next() {
            Some((_, ',')) => {}
            Some((_, ']')) => break,
            Some((at, found)) => {
                return Err(format!("found {found:?} at {at}, expected ',' or ']'"));
            }
            None => return Err("the list doesn't end".to_owned()),
        }
    }
    match chars.next() {
        None => Ok(items),
        Some((at, found)) => Err(format!("found {found:?} at {at}, after the list's end")),
    }
}

type Chars<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn skip_space(chars: &mut Chars<'_>) {
    while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
}

fn expect(chars: &mut Chars<'_>, wanted: char) -> Result<(), String> {
    match chars.next() {
        Some((_, found)) if found == wanted => Ok(()),
        Some((at, found)) => Err(format!("found {found:?} at {at}, expected {wanted:?}")),
        None => Err(format!("found nothing, expected {wanted:?}")),
    }
}

fn quoted(chars: &mut Chars<'_>, quote: char) -> Result<String, String> {
    let mut text = String::new();
    loop {
        match chars.next() {
            Some((_, c)) if c == quote => return Ok(text),
            Some((_, '\\')) => match chars.next() {
                Some((_, c @ ('\\' | '\'' | '"'))) => text.push(c),
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((at, other)) => return Err(format!("unknown escape \\{other} at {at}")),
                None => return Err("the list doesn't end".to_owned()),
            },
            Some((_, c)) => text.push(c),
            None => return Err("the list doesn't end".to_owned()),
        }
    }
}
