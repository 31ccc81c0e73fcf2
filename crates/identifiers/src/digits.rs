//! Check digit arithmetic that several identifiers share.

/// The digits of a text that holds nothing else.
pub(crate) fn of(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

/// Sum of digits times weights, as far as the shorter goes.
pub(crate) fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

/// The number that digits write; at most 19 digits.
pub(crate) fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |n, d| n * 10 + u64::from(*d))
}

/// Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1 annex B).
pub(crate) fn luhn(digits: &[u32]) -> bool {
    luhn_sum(digits).is_multiple_of(10)
}

/// Luhn sum over digits whose last is the check digit.
pub(crate) fn luhn_sum(digits: &[u32]) -> u32 {
    let doubled = |d: u32| if d > 4 { 2 * d - 9 } else { 2 * d };
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &d)| if i % 2 == 1 { doubled(d) } else { d })
        .sum()
}

/// Whether the last digit is the ISO 7064 MOD 11,10 check digit of the others.
pub(crate) fn mod_11_10(digits: &[u32]) -> bool {
    let Some((check, rest)) = digits.split_last() else {
        return false;
    };
    let product = rest.iter().fold(10, |product, d| {
        let sum = (product + d) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == *check
}

/// Remainder by 97 of the number that digits and letters (A = 10 … Z = 35) write, as ISO
/// 7064 MOD 97-10 reads them. None where anything else stands in it.
pub(crate) fn mod_97(text: impl Iterator<Item = char>) -> Option<u32> {
    let mut rest = 0;
    for c in text {
        let value = c.to_digit(36)?;
        rest = if value < 10 {
            (rest * 10 + value) % 97
        } else {
            (rest * 100 + value) % 97
        };
    }
    Some(rest)
}

/// The text without the separators that printed forms have between groups, and in upper
/// case.
pub(crate) fn compact(value: &str, separators: &[char]) -> String {
    value
        .trim()
        .chars()
        .filter(|c| !separators.contains(c))
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// Position, counted from 1, and value of the first character that isn't allowed.
pub(crate) fn stranger(text: &str, allowed: impl Fn(char) -> bool) -> Option<(usize, char)> {
    text.chars()
        .enumerate()
        .find(|(_, c)| !allowed(*c))
        .map(|(i, c)| (i + 1, c))
}
