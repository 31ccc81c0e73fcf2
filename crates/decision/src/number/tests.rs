//! Numbers against libdecnumber, operation by operation.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

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

/// Coefficients and exponents: short and long, near each other and at the ends.
fn numbers() -> impl Strategy<Value = Number> {
    let all = LIMIT as i128;
    let coefficient = prop_oneof![
        4 => -1_000_i128..1_000,
        2 => any::<i64>().prop_map(i128::from),
        2 => -all + 1..all,
        1 => (all - 20)..all,
        1 => (1_i128..1_000, 0_u32..31).prop_map(|(c, zeros)| c * 10_i128.pow(zeros)),
        1 => Just(0),
    ];
    let exponent = prop_oneof![
        6 => -6..6_i32,
        2 => -80..80_i32,
        1 => MIN_EXPONENT..=MAX_EXPONENT,
        1 => MIN_EXPONENT..MIN_EXPONENT + 40,
        1 => MAX_EXPONENT - 40..=MAX_EXPONENT,
    ];
    (coefficient, exponent).prop_map(|(c, e)| Number::pack(c, e))
}

/// What libdecnumber makes of it, as text; without the sign of a zero.
fn text(result: Result<Decimal128, ArithmeticError>) -> Result<String, ArithmeticError> {
    result.map(|number| {
        let text = number.to_string();
        if number.is_zero() {
            text.trim_start_matches('-').to_owned()
        } else {
            text
        }
    })
}

fn peer(
    operation: impl FnOnce(&mut Context<Decimal128>) -> Decimal128,
) -> Result<String, ArithmeticError> {
    let mut context = Context::<Decimal128>::default();
    let result = operation(&mut context);
    text(match failure(context.status()) {
        Some(error) => Err(error),
        None => Ok(result),
    })
}

fn own(result: Result<Number, ArithmeticError>) -> Result<String, ArithmeticError> {
    result.map(|number| number.to_string())
}

/// So many cases, or as many as PROPTEST_CASES asks for.
fn cases(usual: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if asked { config.cases } else { usual },
        ..config
    }
}

proptest! {
    #![proptest_config(cases(4_096))]

    #[test]
    fn arithmetic_is_libdecnumbers(a in numbers(), b in numbers()) {
        let (x, y) = (a.to_dec(), b.to_dec());
        prop_assert_eq!(x.to_string(), a.to_string());
        prop_assert_eq!(own(a.checked_add(b)), peer(|context| context.add(x, y)));
        prop_assert_eq!(own(a.checked_sub(b)), peer(|context| context.sub(x, y)));
        prop_assert_eq!(own(a.checked_mul(b)), peer(|context| context.mul(x, y)));
        if !b.is_zero() {
            prop_assert_eq!(own(a.checked_div(b)), peer(|context| context.div(x, y)));
        }
        prop_assert_eq!(own(Ok(a.negated())), peer(|context| context.minus(x)));
    }

    #[test]
    fn order_is_libdecnumbers(a in numbers(), b in numbers(), zeros in 0_i32..34) {
        let mut context = Context::<Decimal128>::default();
        prop_assert_eq!(Some(a.cmp(&b)), context.partial_cmp(a.to_dec(), b.to_dec()));
        prop_assert_eq!(a.is_negative(), !a.is_zero() && a.to_dec().is_negative());
        // The same value with other zeros.
        let power = POWERS[zeros as usize];
        if let Some(c) = a.coefficient().checked_mul(power)
            && let Some(padded) = Number::checked(c, a.exponent() - zeros)
        {
            prop_assert_eq!(padded.cmp(&b), a.cmp(&b));
            prop_assert_eq!(padded, a);
            prop_assert_eq!(padded.normalized().packed(), a.normalized().packed());
        }
    }

    #[test]
    fn normal_forms_and_neighbours_are_libdecnumbers(a in numbers()) {
        let mut context = Context::<Decimal128>::default();
        let x = a.to_dec();
        if !a.is_zero() {
            prop_assert_eq!(a.normalized().to_string(), context.reduce(x).to_string());
        }
        prop_assert_eq!(Number::from_dec(x).packed(), a.packed());
        for (next, theirs) in [(a.successor(), context.next_plus(x)), (a.predecessor(), context.next_minus(x))] {
            prop_assert_eq!(next.is_some(), theirs.is_finite());
            if let Some(next) = next {
                prop_assert_eq!(Ok(next.to_string()), text(Ok(theirs)));
            }
        }
    }

    #[test]
    fn texts_are_read_as_libdecnumber_reads_them(
        input in prop_oneof![
            "[+-]?[0-9]{0,36}(\\.[0-9]{0,36})?([eE][+-]?[0-9]{1,5})?",
            "[+-]?[0-9]{1,3}0{0,33}[eE][+-]?6[0-9]{3}",
            "[-+.eE0-9]{0,12}",
        ],
    ) {
        let mut context = Context::<Decimal128>::default();
        let theirs = context.parse(input.as_str());
        let status = context.status();
        match input.parse::<Number>() {
            Ok(number) => {
                prop_assert!(!status.inexact());
                prop_assert_eq!(Ok(number.to_string()), text(Ok(theirs.unwrap())));
            }
            // `1.` is no number here.
            Err(ParseError::Syntax) => {
                prop_assert!(theirs.is_err() || input.contains(".e") || input.contains(".E") || input.ends_with('.'));
            }
            Err(ParseError::TooLong(_)) => {}
            Err(ParseError::OutOfRange) => {
                prop_assert!(status.inexact() || status.overflow() || status.underflow(), "{}", input);
            }
        }
    }
}
