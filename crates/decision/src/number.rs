//! Exact numbers: IEEE 754 decimal128, as FEEL has them (34 digits, half even).
//!
//! A number is a whole coefficient and a power of ten, packed into 16 bytes. Order,
//! equality, hashes and whatever comes out exactly are plain integer arithmetic here;
//! libdecnumber does what has to be rounded, divisions and powers.

mod functions;
mod text;

use std::cmp::Ordering;

pub use functions::Rounding;

use dec::{Context, Decimal, Decimal128, Status};

/// Most significant digits of a [`Number`].
pub const MAX_DIGITS: usize = 34;

/// The smallest and the largest exponent of a decimal128's coefficient.
const MIN_EXPONENT: i32 = -6_176;
const MAX_EXPONENT: i32 = 6_111;

/// The bits that an exponent takes: the 12,288 there are fit 14.
const EXPONENT_BITS: u32 = 14;

/// The magnitude that no coefficient reaches.
const LIMIT: u128 = 10_u128.pow(34);

/// The powers of ten that an `i128` holds.
pub(crate) const POWERS: [i128; 39] = {
    let mut powers = [1_i128; 39];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// Enough working digits for a power to be rounded once, at the end.
const POWER_DIGITS: usize = 72;

/// The largest exponent while a power is worked out.
const POWER_EXPONENT: isize = 999_999;

/// A finite decimal number of at most 34 significant digits.
///
/// Compares and hashes by value (`1.0 == 1`); keeps its trailing zeros in text. There is
/// one zero: it has no sign.
#[derive(Clone, Copy)]
pub struct Number {
    /// The coefficient (114 bits with its sign) above the biased exponent (14 bits), as two
    /// words so that values which hold a number need no wider alignment.
    high: i64,
    low: u64,
}

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
    pub const ZERO: Self = Self::pack(0, 0);
    /// One.
    pub const ONE: Self = Self::pack(1, 0);

    /// The number of a coefficient below [`LIMIT`] and an exponent in range.
    const fn pack(coefficient: i128, exponent: i32) -> Self {
        let biased = (exponent - MIN_EXPONENT) as i128;
        let packed = (coefficient << EXPONENT_BITS) | biased;
        Self {
            high: (packed >> 64) as i64,
            low: packed as u64,
        }
    }

    /// The number, where coefficient and exponent are a decimal128's.
    fn checked(coefficient: i128, exponent: i32) -> Option<Self> {
        let fits =
            coefficient.unsigned_abs() < LIMIT && (MIN_EXPONENT..=MAX_EXPONENT).contains(&exponent);
        fits.then(|| Self::pack(coefficient, exponent))
    }

    const fn packed(self) -> i128 {
        ((self.high as i128) << 64) | self.low as i128
    }

    /// The whole number that, times ten to the power of [`Self::exponent`], is the value.
    pub(crate) const fn coefficient(self) -> i128 {
        self.packed() >> EXPONENT_BITS
    }

    /// The power of ten of the coefficient.
    pub(crate) const fn exponent(self) -> i32 {
        (self.low & ((1 << EXPONENT_BITS) - 1)) as i32 + MIN_EXPONENT
    }

    /// The sum.
    ///
    /// # Errors
    /// On overflow.
    pub fn checked_add(self, other: Self) -> Result<Self, ArithmeticError> {
        if let Some((a, b, exponent)) = aligned(self, other)
            && let Some(sum) = a.checked_add(b)
            && let Some(sum) = Self::checked(sum, exponent)
        {
            return Ok(sum);
        }
        rounded(|context| context.add(self.to_dec(), other.to_dec()))
    }

    /// The difference.
    ///
    /// # Errors
    /// On overflow.
    pub fn checked_sub(self, other: Self) -> Result<Self, ArithmeticError> {
        self.checked_add(other.negated())
    }

    /// The product, rounded half even to 34 digits.
    ///
    /// # Errors
    /// On overflow or underflow.
    pub fn checked_mul(self, other: Self) -> Result<Self, ArithmeticError> {
        let exponent = self.exponent() + other.exponent();
        if let Some(product) = self.coefficient().checked_mul(other.coefficient())
            && let Some(product) = Self::checked(product, exponent)
        {
            return Ok(product);
        }
        rounded(|context| context.mul(self.to_dec(), other.to_dec()))
    }

    /// The quotient, rounded half even to 34 digits.
    ///
    /// # Errors
    /// On division by zero, overflow or underflow.
    pub fn checked_div(self, other: Self) -> Result<Self, ArithmeticError> {
        if other.is_zero() {
            return Err(ArithmeticError::DivisionByZero);
        }
        rounded(|context| context.div(self.to_dec(), other.to_dec()))
    }

    /// The power, rounded half even to 34 digits.
    ///
    /// # Errors
    /// On overflow, underflow, or where no real power exists.
    pub fn checked_pow(self, exponent: Self) -> Result<Self, ArithmeticError> {
        if self.is_zero() && exponent.is_negative() {
            return Err(ArithmeticError::DivisionByZero);
        }
        let mut context = Context::<Decimal<24>>::default();
        // Can't fail: 24 units hold 72 digits. libdecnumber's roots and logarithms are
        // defined for exponents within a million only, which decimal128's lie far within.
        let _ = context.set_precision(POWER_DIGITS);
        let _ = context.set_max_exponent(POWER_EXPONENT);
        let _ = context.set_min_exponent(-POWER_EXPONENT);
        let mut result = Decimal::<24>::from(self.to_dec());
        context.pow(&mut result, &Decimal::<24>::from(exponent.to_dec()));
        if let Some(error) = failure(context.status()) {
            return Err(error);
        }
        rounded(|quad| quad.from_decimal(&result))
    }

    /// The negation.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::pack(-self.coefficient(), self.exponent())
    }

    /// Whether this is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.coefficient() == 0
    }

    /// Whether this is less than zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.high < 0
    }

    /// The same value without trailing zeros: one text for one value.
    #[must_use]
    pub fn normalized(self) -> Self {
        let (mut coefficient, mut exponent) = (self.coefficient(), self.exponent());
        if coefficient == 0 {
            return Self::ZERO;
        }
        for step in [16, 8, 4, 2, 1] {
            let power = POWERS[step];
            let step = step as i32;
            while exponent + step <= MAX_EXPONENT && coefficient % power == 0 {
                coefficient /= power;
                exponent += step;
            }
        }
        Self::pack(coefficient, exponent)
    }

    /// The next smaller number there is, if any.
    #[must_use]
    pub fn predecessor(self) -> Option<Self> {
        let next = Context::<Decimal128>::default().next_minus(self.to_dec());
        next.is_finite().then(|| Self::from_dec(next))
    }

    /// The next larger number there is, if any.
    #[must_use]
    pub fn successor(self) -> Option<Self> {
        let next = Context::<Decimal128>::default().next_plus(self.to_dec());
        next.is_finite().then(|| Self::from_dec(next))
    }

    /// The value as `i64`, if it is a whole number in range.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        let normal = self.normalized();
        let power = POWERS.get(usize::try_from(normal.exponent()).ok()?)?;
        i64::try_from(normal.coefficient().checked_mul(*power)?).ok()
    }

    fn to_dec(self) -> Decimal128 {
        let mut context = Context::<Decimal128>::default();
        let mut number = context.from_i128(self.coefficient());
        context.set_exponent(&mut number, self.exponent());
        number
    }

    /// The number of a finite decimal128.
    fn from_dec(number: Decimal128) -> Self {
        Self::pack(number.coefficient(), number.exponent())
    }
}

/// Two coefficients of one exponent, the lesser of both, where they fit.
fn aligned(a: Number, b: Number) -> Option<(i128, i128, i32)> {
    let (x, y) = (a.exponent(), b.exponent());
    let scaled = |number: Number, by: i32| {
        let power = POWERS.get(usize::try_from(by).ok()?)?;
        number.coefficient().checked_mul(*power)
    };
    Some(match x.cmp(&y) {
        Ordering::Equal => (a.coefficient(), b.coefficient(), x),
        Ordering::Greater => (scaled(a, x - y)?, b.coefficient(), y),
        Ordering::Less => (a.coefficient(), scaled(b, y - x)?, x),
    })
}

/// Runs one operation and refuses a result that isn't a finite number.
fn rounded(
    operation: impl FnOnce(&mut Context<Decimal128>) -> Decimal128,
) -> Result<Number, ArithmeticError> {
    let mut context = Context::<Decimal128>::default();
    let result = operation(&mut context);
    match failure(context.status()) {
        Some(error) => Err(error),
        None if result.is_finite() => Ok(Number::from_dec(result)),
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

impl From<i32> for Number {
    fn from(value: i32) -> Self {
        Self::pack(value.into(), 0)
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self::pack(value.into(), 0)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::pack(value.into(), 0)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::pack(value.into(), 0)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.coefficient(), other.coefficient());
        if self.exponent() == other.exponent() {
            return a.cmp(&b);
        }
        let signs = a.signum().cmp(&b.signum());
        if signs.is_ne() || a == 0 {
            return signs;
        }
        match aligned(*self, *other) {
            Some((a, b, _)) => a.cmp(&b),
            // Too large to align means larger than any coefficient is.
            None if (self.exponent() > other.exponent()) == (a > 0) => Ordering::Greater,
            None => Ordering::Less,
        }
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
        self.normalized().packed().hash(state);
    }
}

#[cfg(test)]
mod tests;
