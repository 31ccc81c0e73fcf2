//! What holds for every number.

use identifiers::{Kind, ProblemKind, check, gs1};
use proptest::prelude::*;

/// A valid key of the given length.
fn key(length: usize) -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(0u32..10, length - 1)
        .prop_filter("zeros only", |body| body.iter().any(|d| *d != 0))
        .prop_map(|mut body| {
            body.push(gs1::check_digit(&body));
            body
        })
}

fn gtin() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![key(8), key(12), key(13), key(14)]
}

fn text(digits: &[u32]) -> String {
    digits.iter().map(ToString::to_string).collect()
}

/// The check digit as GS1's guide for people has it: pad to 14, add odd places times three.
fn naive_check_digit(body: &[u32]) -> u32 {
    let mut padded = vec![0; 13 - body.len()];
    padded.extend(body);
    let mut sum = 0;
    for (i, d) in padded.into_iter().enumerate() {
        sum += if i % 2 == 0 { d * 3 } else { d };
    }
    let mut check = 0;
    while (sum + check) % 10 != 0 {
        check += 1;
    }
    check
}

proptest! {
    #[test]
    fn a_gtin_with_its_check_digit_passes(digits in gtin()) {
        prop_assert_eq!(check(Kind::Gtin, &text(&digits)).unwrap().value, text(&digits));
        let (last, body) = digits.split_last().unwrap();
        prop_assert_eq!(*last, naive_check_digit(body));
    }

    #[test]
    fn any_single_wrong_digit_of_a_gtin_is_found(digits in gtin(), at in any::<prop::sample::Index>(), by in 1u32..10) {
        let mut wrong = digits;
        let at = at.index(wrong.len());
        wrong[at] = (wrong[at] + by) % 10;
        prop_assert_eq!(check(Kind::Gtin, &text(&wrong)).unwrap_err().kind, ProblemKind::Checksum);
    }

    #[test]
    fn any_single_wrong_digit_of_a_german_vat_number_is_found(body in proptest::collection::vec(0u32..10, 8), at in 1usize..9, by in 1u32..10) {
        prop_assume!(body[0] != 0);
        // naive twin: the one last digit that passes
        let valid: Vec<_> = (0..10)
            .map(|d| format!("DE{}{d}", text(&body)))
            .filter(|v| check(Kind::Vat, v).is_ok())
            .collect();
        prop_assert_eq!(valid.len(), 1);
        let mut wrong: Vec<u32> = valid[0][2..].chars().map(|c| c.to_digit(10).unwrap()).collect();
        wrong[at] = (wrong[at] + by) % 10;
        prop_assert_eq!(
            check(Kind::Vat, &format!("DE{}", text(&wrong))).unwrap_err().kind,
            ProblemKind::Checksum
        );
    }

    #[test]
    fn no_text_panics_and_a_normal_form_is_its_own(value in ".{0,40}") {
        for kind in Kind::ALL {
            if let Ok(normal) = check(kind, &value) {
                prop_assert_eq!(check(kind, &normal.value), Ok(normal), "{}", kind);
            }
        }
    }

    #[test]
    fn no_text_near_a_vat_number_panics(value in "(AT|BE|BG|CHE|CY|CZ|DE|EL|ES|FR|GB|IE|LT|LV|NL|NO|RO|SE|SK|XI)[0-9A-Z+*]{0,13}(MVA)?") {
        let _ = check(Kind::Vat, &value);
    }

    #[test]
    fn no_postal_code_panics(country in "[A-Z]{2}|GB|CA|ES|SE", value in "[A-Z0-9 äß-]{0,10}") {
        if let Ok(normal) = identifiers::postal::check(&country, &value) {
            prop_assert_eq!(identifiers::postal::check(&country, &normal.value), Ok(normal));
        }
    }

    #[test]
    fn iban_check_digits_agree_with_long_division(body in "[0-9]{18}") {
        // naive twin: ISO 7064 by decimal text
        let moved = format!("{body}131400");
        let rest = moved.bytes().fold(0u32, |r, b| (r * 10 + u32::from(b - b'0')) % 97);
        let iban = format!("DE{:02}{body}", 98 - rest);
        prop_assert!(check(Kind::Iban, &iban).is_ok(), "{}", iban);
    }
}
