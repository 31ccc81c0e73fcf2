//! Numbers as ECMAScript writes them (RFC 8785 section 3.2.2.3).

/// The canonical form of a JSON number. None where a double doesn't hold it exactly,
/// in the sense that its shortest form is another decimal.
#[must_use]
pub fn canonical(text: &str) -> Option<String> {
    let value: f64 = text.parse().ok().filter(|v: &f64| v.is_finite())?;
    // the fewest digits that read back as the same double
    let shortest = format!("{value:e}");
    let written = Decimal::parse(text)?;
    let held = Decimal::parse(&shortest)?;
    (written == held).then(|| held.ecmascript())
}

/// `0.digits × 10^point`, without zeros at either end; nothing for zero.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    point: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let zeros = all.len() - significant.len();
        let digits = significant.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits: String::new(),
                point: 0,
            });
        }
        let shift = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
        Some(Self {
            negative,
            digits: digits.to_owned(),
            point: exponent.checked_add(shift)?,
        })
    }

    /// `Number::toString` of ECMA-262.
    fn ecmascript(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let digits = self.digits.as_str();
        if digits.is_empty() {
            return "0".to_owned();
        }
        let (count, point) = (i64::try_from(digits.len()).unwrap_or(i64::MAX), self.point);
        let zeros = |n: i64| "0".repeat(usize::try_from(n).unwrap_or(0));
        if count <= point && point <= 21 {
            format!("{sign}{digits}{}", zeros(point - count))
        } else if 0 < point && point <= 21 {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
            format!("{sign}{whole}.{fraction}")
        } else if -6 < point && point <= 0 {
            format!("{sign}0.{}{digits}", zeros(-point))
        } else {
            let exponent = point - 1;
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            let plus = if exponent > 0 { "+" } else { "" };
            format!("{sign}{first}{dot}{rest}e{plus}{exponent}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn numbers_are_written_as_ecmascript_does() {
        // RFC 8785 appendix B, as decimals that a double holds
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0e5", "0"),
            ("5e-324", "5e-324"),
            ("-5e-324", "-5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("9007199254740992", "9007199254740992"),
            ("-9007199254740992", "-9007199254740992"),
            ("295147905179352830000", "295147905179352830000"),
            ("1e23", "1e+23"),
            ("1E21", "1e+21"),
            ("100000000000000000000", "100000000000000000000"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("333333333.3333332", "333333333.3333332"),
            ("-0.0000033333333333333333", "-0.0000033333333333333333"),
            ("1.50", "1.5"),
            ("120e-1", "12"),
            ("0012", "12"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_a_double_cant_hold_is_refused() {
        for text in [
            "9007199254740993",
            "1e309",
            "1e-400",
            "0.30000000000000001",
            "12345678901234567890.123",
            "1e99999999999999999999",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }
}
