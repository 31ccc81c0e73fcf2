//! Numbers as text, and in data formats.

use std::{fmt, str::FromStr};

use super::{LIMIT, MAX_DIGITS, MAX_EXPONENT, MIN_EXPONENT, Number, ParseError};

/// Most bytes of a number's text: leading zeros and an exponent included.
const MAX_TEXT: usize = 128;

/// A text taken apart: sign, the digits around the point, and the exponent's text.
struct Parts<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
    exponent: &'t str,
}

impl<'t> Parts<'t> {
    /// `None` where the text is no number.
    fn of(text: &'t str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent),
            None => (unsigned, "0"),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let unsigned_exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let well_formed = digits(whole)
            && digits(fraction)
            && (whole.len() + fraction.len() > 0)
            && digits(unsigned_exponent)
            && !unsigned_exponent.is_empty();
        well_formed.then_some(Self {
            negative: text.starts_with('-'),
            whole,
            fraction,
            exponent,
        })
    }

    /// The digits from the first that isn't zero.
    fn significant(&self) -> impl Iterator<Item = u8> {
        let all = self.whole.bytes().chain(self.fraction.bytes());
        all.skip_while(|&digit| digit == b'0')
    }
}

impl FromStr for Number {
    type Err = ParseError;

    /// Reads plain or scientific notation, exactly or not at all.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parts = Parts::of(text).ok_or(ParseError::Syntax)?;
        let digits = parts.significant().count();
        if digits > MAX_DIGITS {
            return Err(ParseError::TooLong(digits));
        }
        if text.len() > MAX_TEXT {
            return Err(ParseError::OutOfRange);
        }
        let magnitude = parts
            .significant()
            .fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        // At most 128 digits stand behind the point.
        let behind = parts.fraction.len() as i64;
        let exponent = match parts.exponent.parse::<i64>() {
            Ok(exponent) => exponent.saturating_sub(behind),
            Err(_) if parts.exponent.starts_with('-') => i64::MIN,
            Err(_) => i64::MAX,
        };
        let coefficient = if parts.negative {
            -magnitude
        } else {
            magnitude
        };
        in_range(coefficient, exponent).ok_or(ParseError::OutOfRange)
    }
}

/// The number, with zeros moved between coefficient and exponent where those must be in
/// range.
fn in_range(mut coefficient: i128, mut exponent: i64) -> Option<Number> {
    let (least, most) = (i64::from(MIN_EXPONENT), i64::from(MAX_EXPONENT));
    if coefficient == 0 {
        exponent = exponent.clamp(least, most);
    }
    while exponent > most && coefficient.unsigned_abs() < LIMIT {
        (coefficient, exponent) = (coefficient * 10, exponent - 1);
    }
    while exponent < least && coefficient % 10 == 0 {
        (coefficient, exponent) = (coefficient / 10, exponent + 1);
    }
    Number::checked(coefficient, i32::try_from(exponent).ok()?)
}

impl fmt::Display for Number {
    /// Plain notation, or scientific where the exponent would make that long: the
    /// `to-scientific-string` of the General Decimal Arithmetic specification.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let coefficient = self.coefficient();
        let digits = match u64::try_from(coefficient.unsigned_abs()) {
            Ok(short) => short.to_string(),
            Err(_) => coefficient.unsigned_abs().to_string(),
        };
        let (exponent, count) = (self.exponent(), digits.len() as i32);
        let adjusted = exponent + count - 1;
        let mut text = String::with_capacity(MAX_DIGITS + 10);
        if coefficient < 0 {
            text.push('-');
        }
        if exponent > 0 || adjusted < -6 {
            text.push_str(&digits[..1]);
            if count > 1 {
                text.push('.');
                text.push_str(&digits[1..]);
            }
            text.push_str(if adjusted < 0 { "E-" } else { "E+" });
            text.push_str(&adjusted.unsigned_abs().to_string());
        } else if adjusted < 0 {
            text.push_str("0.");
            (1..-adjusted).for_each(|_| text.push('0'));
            text.push_str(&digits);
        } else {
            let (whole, fraction) = digits.split_at((count + exponent) as usize);
            text.push_str(whole);
            if !fraction.is_empty() {
                text.push('.');
                text.push_str(fraction);
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({self})")
    }
}

impl serde::Serialize for Number {
    /// As text, since no other form of a data format is exact.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Number {
    /// From text, or from an integer; a binary float is refused.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number as text, or an integer")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Number, E> {
                Ok(value.into())
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Number, E> {
                Ok(value.into())
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
