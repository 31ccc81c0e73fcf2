//! Exact numbers: IEEE 754 decimal128, as FEEL has them (34 digits, half even).

use std::{cmp::Ordering, fmt, str::FromStr};

use dec::{Context, Decimal, Decimal128, Status};

/// Most significant digits of a [`Number`].
pub const MAX_DIGITS: usize = 34;

/// Most bytes of a number's text: leading zeros and an exponent included.
const MAX_TEXT: usize = 128;

/// Enough working digits for a power to be rounded once, at the end.
const POWER_DIGITS: usize = 72;

/// The largest exponent while a power is worked out.
const POWER_EXPONENT: isize = 999_999;

/// A finite decimal number of at most 34 significant digits.
///
/// Compares and hashes by value (`1.0 == 1`); keeps its trailing zeros in text.
#[derive(Clone, Copy)]
pub struct Number(Decimal128);

/// Why a text is no [`Number`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not a decimal number in plain or scientific notation.
    #[error("not a decimal number such as `18450.00`, `-0.5` or `1E+3`")]
    Syntax,
    /// More than [`MAX_DIGITS`] significant digits.
    #[error("number has {0} significant digits, at most {MAX_DIGITS} are exact")]
    TooLong(usize),
    /// Beyond the range of decimal128.
    #[error("number is out of the range of decimal128")]
    OutOfRange,
}

/// Why an operation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum ArithmeticError {
    /// The result is too large.
    #[error("the result is too large for decimal128")]
    Overflow,
    /// The result is too small to keep its digits.
    #[error("the result is too small for decimal128")]
    Underflow,
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// No such number, such as a root of a negative one.
    #[error("the result is not a number")]
    Undefined,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self(Decimal128::ZERO);
    /// One.
    pub const ONE: Self = Self(Decimal128::ONE);

    /// The sum.
    ///
    /// # Errors
    /// On overflow.
    pub fn checked_add(self, other: Self) -> Result<Self, ArithmeticError> {
        checked(|context| context.add(self.0, other.0))
    }

    /// The difference.
    ///
    /// # Errors
    /// On overflow.
    pub fn checked_sub(self, other: Self) -> Result<Self, ArithmeticError> {
        checked(|context| context.sub(self.0, other.0))
    }

    /// The product, rounded half even to 34 digits.
    ///
    /// # Errors
    /// On overflow or underflow.
    pub fn checked_mul(self, other: Self) -> Result<Self, ArithmeticError> {
        checked(|context| context.mul(self.0, other.0))
    }

    /// The quotient, rounded half even to 34 digits.
    ///
    /// # Errors
    /// On division by zero, overflow or underflow.
    pub fn checked_div(self, other: Self) -> Result<Self, ArithmeticError> {
        if other.is_zero() {
            return Err(ArithmeticError::DivisionByZero);
        }
        checked(|context| context.div(self.0, other.0))
    }

    /// The power, rounded half even to 34 digits.
    ///
    /// # Errors
    /// On overflow, underflow, or where no real power exists.
    pub fn checked_pow(self, exponent: Self) -> Result<Self, ArithmeticError> {
        if self.is_zero() && exponent.0.is_negative() {
            return Err(ArithmeticError::DivisionByZero);
        }
        let mut context = Context::<Decimal<24>>::default();
        // Can't fail: 24 units hold 72 digits. libdecnumber's roots and logarithms are
        // defined for exponents within a million only, which decimal128's lie far within.
        let _ = context.set_precision(POWER_DIGITS);
        let _ = context.set_max_exponent(POWER_EXPONENT);
        let _ = context.set_min_exponent(-POWER_EXPONENT);
        let mut result = Decimal::<24>::from(self.0);
        context.pow(&mut result, &Decimal::<24>::from(exponent.0));
        if let Some(error) = failure(context.status()) {
            return Err(error);
        }
        checked(|quad| quad.from_decimal(&result))
    }

    /// The negation.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(Context::<Decimal128>::default().minus(self.0))
    }

    /// Whether this is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Whether this is less than zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// The same value without trailing zeros, `-0` as `0`: one text for one value.
    #[must_use]
    pub fn normalized(self) -> Self {
        if self.is_zero() {
            return Self::ZERO;
        }
        Self(Context::<Decimal128>::default().reduce(self.0))
    }

    /// The next smaller number there is, if any.
    #[must_use]
    pub fn predecessor(self) -> Option<Self> {
        let next = Context::<Decimal128>::default().next_minus(self.0);
        next.is_finite().then_some(Self(next))
    }

    /// The next larger number there is, if any.
    #[must_use]
    pub fn successor(self) -> Option<Self> {
        let next = Context::<Decimal128>::default().next_plus(self.0);
        next.is_finite().then_some(Self(next))
    }

    /// The value as `i64`, if it is a whole number in range.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        let exact = i128::try_from(self.integer_digits()?).ok()?;
        i64::try_from(if self.is_negative() { -exact } else { exact }).ok()
    }

    /// The magnitude as an integer, if this is a whole number below 10^19.
    fn integer_digits(self) -> Option<u128> {
        let normal = self.normalized().0;
        let exponent = u32::try_from(normal.exponent()).ok()?;
        if exponent > 19 {
            return None;
        }
        let coefficient = normal.coefficient().unsigned_abs();
        coefficient.checked_mul(10_u128.checked_pow(exponent)?)
    }
}

/// Runs one operation and refuses a result that isn't a finite number.
fn checked(
    operation: impl FnOnce(&mut Context<Decimal128>) -> Decimal128,
) -> Result<Number, ArithmeticError> {
    let mut context = Context::<Decimal128>::default();
    let result = operation(&mut context);
    match failure(context.status()) {
        Some(error) => Err(error),
        None if result.is_finite() => Ok(Number(result)),
        None => Err(ArithmeticError::Undefined),
    }
}

fn failure(status: Status) -> Option<ArithmeticError> {
    if status.division_by_zero() {
        Some(ArithmeticError::DivisionByZero)
    } else if status.overflow() {
        Some(ArithmeticError::Overflow)
    } else if status.underflow() {
        Some(ArithmeticError::Underflow)
    } else if status.invalid_operation()
        || status.invalid_context()
        || status.division_undefined()
        || status.division_impossible()
    {
        Some(ArithmeticError::Undefined)
    } else {
        None
    }
}

/// The number of significant digits, or `None` where the text is no number.
fn significant_digits(text: &str) -> Option<usize> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let exponent_ok = exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)));
    if !digits(fraction) || !exponent_ok || !(whole.is_empty() || digits(whole)) {
        return None;
    }
    if whole.is_empty() && !mantissa.starts_with('.') {
        return None;
    }
    let all = mantissa.bytes().filter(u8::is_ascii_digit);
    Some(all.skip_while(|&b| b == b'0').count())
}

impl FromStr for Number {
    type Err = ParseError;

    /// Reads plain or scientific notation, exactly or not at all.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let digits = significant_digits(text).ok_or(ParseError::Syntax)?;
        if digits > MAX_DIGITS {
            return Err(ParseError::TooLong(digits));
        }
        if text.len() > MAX_TEXT {
            return Err(ParseError::OutOfRange);
        }
        let mut context = Context::<Decimal128>::default();
        let value = context.parse(text).map_err(|_| ParseError::Syntax)?;
        let status = context.status();
        if status.inexact() || status.overflow() || status.underflow() || !value.is_finite() {
            return Err(ParseError::OutOfRange);
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({})", self.0)
    }
}

impl From<i32> for Number {
    fn from(value: i32) -> Self {
        Self(Decimal128::from(value))
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self(Decimal128::from(value))
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Context::<Decimal128>::default().from_i128(i128::from(value)))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(Context::<Decimal128>::default().from_u128(u128::from(value)))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        // Finite numbers always compare.
        Context::<Decimal128>::default()
            .partial_cmp(self.0, other.0)
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.normalized().0.to_le_bytes().hash(state);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    fn n(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn reads_exactly_or_not_at_all() {
        assert_eq!(n("18450.00").to_string(), "18450.00");
        assert_eq!(
            n("12345678901234567890.123").to_string(),
            "12345678901234567890.123"
        );
        assert_eq!(n("1E+3"), n("1000"));
        assert_eq!(n("0000000000000000000000000000000000000000001"), n("1"));
        for bad in [
            "", "-", ".", "1.", "e5", "1e", "NaN", "Infinity", "0x10", "1 000", "1_0", "--1",
        ] {
            assert_eq!(bad.parse::<Number>(), Err(ParseError::Syntax), "{bad:?}");
        }
        let long = "1".repeat(35);
        assert_eq!(long.parse::<Number>(), Err(ParseError::TooLong(35)));
        for far in ["1E+7000", "1E-7000", "1E+99999999999"] {
            assert_eq!(
                far.parse::<Number>(),
                Err(ParseError::OutOfRange),
                "{far:?}"
            );
        }
    }

    #[test]
    fn arithmetic_reports_what_has_no_result() {
        assert_eq!(n("0.1").checked_add(n("0.2")), Ok(n("0.3")));
        assert_eq!(
            n("1").checked_div(n("0")),
            Err(ArithmeticError::DivisionByZero)
        );
        assert_eq!(
            n("0").checked_div(n("0")),
            Err(ArithmeticError::DivisionByZero)
        );
        assert_eq!(
            n("9E+6144").checked_mul(n("10")),
            Err(ArithmeticError::Overflow)
        );
        assert_eq!(
            n("1E-6000").checked_mul(n("1E-1000")),
            Err(ArithmeticError::Underflow)
        );
        assert_eq!(n("2").checked_pow(n("10")), Ok(n("1024")));
        assert_eq!(
            n("0").checked_pow(n("-1")),
            Err(ArithmeticError::DivisionByZero)
        );
        assert_eq!(
            n("-8").checked_pow(n("0.5")),
            Err(ArithmeticError::Undefined)
        );
        assert_eq!(
            n("10").checked_pow(n("99999")),
            Err(ArithmeticError::Overflow)
        );
        assert_eq!(
            n("1").checked_div(n("3")).unwrap().to_string(),
            format!("0.{}", "3".repeat(34))
        );
    }

    #[test]
    fn powers_are_exact_where_they_can_be_and_always_end() {
        assert_eq!(n("4").checked_pow(n("0.5")), Ok(n("2")));
        assert_eq!(n("2").checked_pow(n("-2")), Ok(n("0.25")));
        assert_eq!(n("1.1").checked_pow(n("2")), Ok(n("1.21")));
        let root = n("2").checked_pow(n("0.5")).unwrap();
        assert_eq!(root, n("1.414213562373095048801688724209698"));
        let one = n("1.000000000000000000000000000000001");
        for (base, exponent) in [
            (one, n("9E+6144")),
            (n("9E+6144"), n("9E-6143")),
            (n("9E+6144"), n("9E+6144")),
            (n("1E-6000"), n("123456789.123456789")),
            (n("-1"), n("999999999999")),
            (n("0"), n("0")),
        ] {
            let _ = base.checked_pow(exponent);
        }
    }

    #[test]
    fn whole_numbers_convert() {
        assert_eq!(n("1E+3").to_i64(), Some(1000));
        assert_eq!(n("-7.0").to_i64(), Some(-7));
        assert_eq!(n("0.5").to_i64(), None);
        assert_eq!(n("1E+30").to_i64(), None);
        assert_eq!(n("-0").to_i64(), Some(0));
    }

    proptest! {
        #[test]
        fn text_round_trips(coefficient in any::<i64>(), exponent in -40_i32..40) {
            let text = format!("{coefficient}E{exponent}");
            let number: Number = text.parse().unwrap();
            let again: Number = number.to_string().parse().unwrap();
            prop_assert_eq!(number, again);
            prop_assert_eq!(number.to_string(), again.to_string());
        }

        #[test]
        fn order_and_hash_go_by_value(a in -1_000_i64..1_000, b in -1_000_i64..1_000, zeros in 0_usize..20) {
            let padded = n(&format!("{a}.{}", "0".repeat(zeros + 1)));
            prop_assert_eq!(padded.cmp(&n(&b.to_string())), a.cmp(&b));
            prop_assert_eq!(padded.normalized().to_string(), n(&a.to_string()).normalized().to_string());
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,60}") {
            let _ = text.parse::<Number>();
        }
    }
}
