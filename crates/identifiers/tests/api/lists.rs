//! The code lists: complete, in order, and known by the names people use.

use identifiers::{country, currency, phone, unit};

#[test]
fn lists_are_sorted_so_that_every_code_is_found() {
    assert_eq!(country::all().len(), 249);
    for c in country::all() {
        assert_eq!(country::by_alpha2(c.alpha2), Some(c));
        assert_eq!(country::find(c.alpha3).map(|f| f.alpha2), Some(c.alpha2));
        assert_eq!(
            country::find(c.name).map(|f| f.alpha2),
            Some(c.alpha2),
            "{}",
            c.name
        );
    }
    for c in currency::all() {
        assert_eq!(currency::find(c.code), Some(c));
    }
    assert!(unit::all().len() > 400);
    for (code, name) in unit::all() {
        assert_eq!(unit::name(code), Some(*name), "{code}");
    }
}

#[test]
fn names_of_business_records_mean_their_country() {
    for (text, code) in [
        ("UK", "GB"),
        ("USA", "US"),
        ("u.s.a.", "US"),
        ("Germany", "DE"),
        ("Sweden ", "SE"),
        ("Holland", "NL"),
        ("EL", "GR"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
        ("Venezuela", "VE"),
        ("Czech Republic", "CZ"),
        ("South Korea", "KR"),
        ("Singapore", "SG"),
    ] {
        assert_eq!(country::find(text).map(|c| c.alpha2), Some(code), "{text}");
    }
    assert_eq!(country::find("IT Department"), None);
    assert!(
        country::check_alpha2("UK")
            .unwrap_err()
            .message
            .contains("GB")
    );
}

#[test]
fn every_plan_belongs_to_a_country() {
    for c in country::all() {
        if let Some(plan) = phone::plan(c.alpha2) {
            assert!(
                !plan.lengths.is_empty() && !plan.code.is_empty(),
                "{}",
                c.alpha2
            );
        }
    }
    assert_eq!(phone::plan("FR").map(|p| p.lengths), Some(&[9][..]));
    assert_eq!(currency::find("JPY").and_then(|c| c.minor_units), Some(0));
    assert_eq!(currency::find("BHD").and_then(|c| c.minor_units), Some(3));
}
