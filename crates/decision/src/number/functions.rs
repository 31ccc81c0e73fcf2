//! Roots, logarithms, remainders and rounding.

use dec::{Context, Decimal};

use super::{
    ArithmeticError, MIN_EXPONENT, Number, POWER_DIGITS, POWER_EXPONENT, POWERS, failure, rounded,
};

/// Which of the two nearest numbers a rounding takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// The nearest, of two equally near the even one.
    HalfEven,
    /// The nearest, of two equally near the one farther from zero.
    HalfUp,
    /// The nearest, of two equally near the one nearer to zero.
    HalfDown,
    /// The one farther from zero.
    Up,
    /// The one nearer to zero.
    Down,
    /// The greater one.
    Ceiling,
    /// The lesser one.
    Floor,
}

type Wide = Decimal<24>;

impl Number {
    /// The square root, rounded half even to 34 digits.
    ///
    /// # Errors
    /// For a number below zero.
    pub fn checked_sqrt(self) -> Result<Self, ArithmeticError> {
        self.worked_out(|context, number| context.sqrt(number))
    }

    /// The exponential function, rounded half even to 34 digits.
    ///
    /// # Errors
    /// On overflow or underflow.
    pub fn checked_exp(self) -> Result<Self, ArithmeticError> {
        self.worked_out(|context, number| context.exp(number))
    }

    /// The natural logarithm, rounded half even to 34 digits.
    ///
    /// # Errors
    /// For a number that isn't above zero.
    pub fn checked_ln(self) -> Result<Self, ArithmeticError> {
        if self.is_zero() {
            return Err(ArithmeticError::Undefined);
        }
        self.worked_out(|context, number| context.ln(number))
    }

    /// The remainder of the division that rounds towards negative infinity: it has the sign
    /// of the divisor.
    ///
    /// # Errors
    /// On division by zero, or where the quotient has more than 34 digits.
    pub fn checked_modulo(self, divisor: Self) -> Result<Self, ArithmeticError> {
        if divisor.is_zero() {
            return Err(ArithmeticError::DivisionByZero);
        }
        let remainder = rounded(|context| context.rem(self.to_dec(), divisor.to_dec()))?;
        if remainder.is_zero() || remainder.is_negative() == divisor.is_negative() {
            return Ok(remainder);
        }
        remainder.checked_add(divisor)
    }

    /// The magnitude.
    #[must_use]
    pub fn magnitude(self) -> Self {
        if self.is_negative() {
            self.negated()
        } else {
            self
        }
    }

    /// The nearest number with at most `scale` digits behind the point; of a negative scale,
    /// a multiple of that power of ten. `None` where there is none in range.
    #[must_use]
    pub fn rounded_to(self, scale: i32, rounding: Rounding) -> Option<Self> {
        let dropped = -scale - self.exponent();
        if dropped <= 0 {
            return Some(self);
        }
        let coefficient = self.coefficient();
        // Beyond all digits only the sign is left to say which way to round.
        let (kept, rest, unit) = match usize::try_from(dropped).ok().and_then(|d| POWERS.get(d)) {
            Some(power) => (coefficient / power, coefficient % power, *power),
            None => (0, coefficient.signum(), i128::MAX),
        };
        let away = coefficient.signum();
        let half = rest
            .unsigned_abs()
            .cmp(&(unit.unsigned_abs() - rest.unsigned_abs()));
        let steps = match rounding {
            _ if rest == 0 => false,
            Rounding::Down => false,
            Rounding::Up => true,
            Rounding::Ceiling => away > 0,
            Rounding::Floor => away < 0,
            Rounding::HalfUp => half.is_ge(),
            Rounding::HalfDown => half.is_gt(),
            Rounding::HalfEven => half.is_gt() || (half.is_eq() && kept % 2 != 0),
        };
        let rounded = if steps { kept + away } else { kept };
        if rounded == 0 {
            return Self::checked(0, (-scale).clamp(MIN_EXPONENT, 0));
        }
        Self::checked(rounded, -scale)
    }

    /// Works with more digits, and rounds once at the end.
    fn worked_out(
        self,
        operation: impl FnOnce(&mut Context<Wide>, &mut Wide),
    ) -> Result<Self, ArithmeticError> {
        let mut context = Context::<Wide>::default();
        // As for powers.
        let _ = context.set_precision(POWER_DIGITS);
        let _ = context.set_max_exponent(POWER_EXPONENT);
        let _ = context.set_min_exponent(-POWER_EXPONENT);
        let mut number = Wide::from(self.to_dec());
        operation(&mut context, &mut number);
        if let Some(error) = failure(context.status()) {
            return Err(error);
        }
        rounded(|quad| quad.from_decimal(&number))
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
    fn roundings() {
        let all = [
            Rounding::HalfEven,
            Rounding::HalfUp,
            Rounding::HalfDown,
            Rounding::Up,
            Rounding::Down,
            Rounding::Ceiling,
            Rounding::Floor,
        ];
        let rounded = |text: &str, scale| {
            all.map(|rounding| n(text).rounded_to(scale, rounding).unwrap().to_string())
                .join(" ")
        };
        assert_eq!(rounded("2.5", 0), "2 3 2 3 2 3 2");
        assert_eq!(rounded("-2.5", 0), "-2 -3 -2 -3 -2 -2 -3");
        assert_eq!(rounded("1.256", 2), "1.26 1.26 1.26 1.26 1.25 1.26 1.25");
        assert_eq!(rounded("0.001", 0), "0 0 0 1 0 1 0");
        assert_eq!(rounded("1.5", 5), ["1.5"; 7].join(" "));
        assert_eq!(
            n("1250").rounded_to(-2, Rounding::HalfEven),
            Some(n("1200"))
        );
        assert_eq!(n("1E-6000").rounded_to(0, Rounding::Up), Some(n("1")));
        assert_eq!(n("1E-6000").rounded_to(0, Rounding::HalfUp), Some(n("0")));
        assert_eq!(n("7").rounded_to(-6_200, Rounding::Up), None);
    }

    #[test]
    fn functions_of_one_number() {
        assert_eq!(n("16").checked_sqrt(), Ok(n("4")));
        assert_eq!(n("-1").checked_sqrt(), Err(ArithmeticError::Undefined));
        assert_eq!(n("0").checked_exp(), Ok(n("1")));
        assert_eq!(n("1").checked_ln(), Ok(n("0")));
        assert_eq!(n("0").checked_ln(), Err(ArithmeticError::Undefined));
        assert_eq!(n("1E+6000").checked_exp(), Err(ArithmeticError::Overflow));
        assert_eq!(
            n("1").checked_exp().unwrap().to_string(),
            "2.718281828459045235360287471352662"
        );
    }

    #[test]
    fn remainders_have_the_sign_of_the_divisor() {
        for (a, b, wanted) in [
            ("12", "5", "2"),
            ("-12", "5", "3"),
            ("12", "-5", "-3"),
            ("-12", "-5", "-2"),
            ("10.1", "4.5", "1.1"),
        ] {
            assert_eq!(n(a).checked_modulo(n(b)), Ok(n(wanted)), "{a} {b}");
        }
        assert_eq!(
            n("1").checked_modulo(n("0")),
            Err(ArithmeticError::DivisionByZero)
        );
    }

    proptest! {
        #[test]
        fn rounding_agrees_with_integers(thousandths in -10_000_i64..10_000) {
            let number = n(&format!("{thousandths}E-3"));
            let floor = number.rounded_to(0, Rounding::Floor).unwrap();
            prop_assert_eq!(floor.to_i64(), Some(thousandths.div_euclid(1_000)));
            let down = number.rounded_to(0, Rounding::Down).unwrap();
            prop_assert_eq!(down.to_i64(), Some(thousandths / 1_000));
        }

        #[test]
        fn squares_have_exact_roots(root in 0_i64..1_000_000_000) {
            let square = Number::from(root).checked_mul(Number::from(root)).unwrap();
            prop_assert_eq!(square.checked_sqrt(), Ok(Number::from(root)));
        }
    }
}
