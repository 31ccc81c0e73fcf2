//! Models, use cases, recommendations, and the gate between them: rules alone.

pub mod catalog;
pub mod gate;
pub mod model;
pub mod recommendation;
pub mod use_case;

/// `sha256:` and 64 hexadecimal digits.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// Lower-case letters, digits, `_` and `-`, 1 to 64 characters: what models, use cases and
/// operations are called.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}
