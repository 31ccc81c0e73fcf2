#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use chrono::{DateTime, TimeDelta, Utc};
use governance::Scope;
use proptest::prelude::*;

use super::*;

fn time(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
}

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

fn person(name: &str, grants: &[&str]) -> Approver {
    Approver {
        who: Subject {
            issuer: "idp".to_owned(),
            subject: name.to_owned(),
        },
        kind: Kind::Person,
        grants: grants
            .iter()
            .map(|grant| {
                let (role, at) = grant.split_once('@').unwrap();
                Grant {
                    role: role.to_owned(),
                    at: scope(at),
                }
            })
            .collect(),
    }
}

fn approval(approver: Approver, minute: i64) -> Approval {
    Approval {
        approver,
        given: time(minute),
        expires: time(1_000),
        digest: "d".to_owned(),
        revoked: false,
    }
}

fn requirement(role: &str, at: &str, count: u32) -> Requirement {
    Requirement {
        role: role.to_owned(),
        at: scope(at),
        count,
    }
}

fn case(requirements: Vec<Requirement>) -> Case {
    Case {
        requirements,
        excluded: vec![Exclusion {
            who: Somebody::of("idp", "requester"),
            part: Part::Requester,
        }],
        digest: "d".to_owned(),
        ordered: false,
    }
}

fn credit_and_compliance() -> Case {
    case(vec![
        requirement("credit-manager", "acme/medical", 1),
        requirement("compliance-officer", "acme/medical", 1),
    ])
}

#[test]
fn one_person_with_both_roles_fills_one_place_and_moves_for_another() {
    let case = credit_and_compliance();
    let both = person(
        "both",
        &["credit-manager@acme", "compliance-officer@acme/medical"],
    );
    let given = vec![approval(both, 1)];
    let status = case.status(&given, time(2));
    assert_eq!(status.missing.iter().map(|r| r.count).sum::<u32>(), 1);
    // The credit manager's place is taken first, but whoever held both roles moves.
    let credit = person("credit", &["credit-manager@acme/medical"]);
    assert_eq!(case.may_approve(&credit, &given, time(2)), Ok(()));
    let given = [given, vec![approval(credit, 2)]].concat();
    assert!(case.status(&given, time(3)).is_met());
}

#[test]
fn a_grant_counts_at_its_scope_and_below_only() {
    let case = case(vec![requirement("credit-manager", "acme/medical", 1)]);
    let may = |grant| case.may_approve(&person("p", &[grant]), &[], time(0));
    assert_eq!(may("credit-manager@acme"), Ok(()));
    assert_eq!(may("credit-manager@acme/medical"), Ok(()));
    assert_eq!(
        may("credit-manager@acme/medical/basel"),
        Err(Refusal::NotAnApprover)
    );
    assert_eq!(
        may("credit-manager@acme/industrial"),
        Err(Refusal::NotAnApprover)
    );
    assert_eq!(may("finance-director@acme"), Err(Refusal::NotAnApprover));
}

#[test]
fn who_has_a_part_in_it_does_not_approve() {
    let mut case = credit_and_compliance();
    for (subject, part) in [
        ("owner", Part::ModelOwner),
        ("editor", Part::Editor),
        ("delegate", Part::Delegate),
    ] {
        case.excluded.push(Exclusion {
            who: Somebody::of("", subject),
            part,
        });
    }
    let refusal = |name| {
        case.may_approve(&person(name, &["credit-manager@acme"]), &[], time(0))
            .unwrap_err()
    };
    assert_eq!(refusal("requester").code(), "SOD_REQUESTER");
    assert_eq!(refusal("owner").code(), "SOD_MODEL_OWNER");
    assert_eq!(refusal("editor").code(), "SOD_EDITOR");
    assert_eq!(refusal("delegate").code(), "SOD_REQUESTER");
    let mut machine = person("bot", &["credit-manager@acme"]);
    machine.kind = Kind::Service;
    let refusal = case.may_approve(&machine, &[], time(0)).unwrap_err();
    assert_eq!(refusal.code(), "REQUESTER_UNKNOWN");
}

#[test]
fn the_same_subject_of_another_issuer_is_another_person() {
    let case = credit_and_compliance();
    let mut other = person("requester", &["credit-manager@acme"]);
    other.who.issuer = "elsewhere".to_owned();
    assert_eq!(case.may_approve(&other, &[], time(0)), Ok(()));
}

#[test]
fn void_approvals_are_named_and_do_not_count() {
    let case = case(vec![requirement("credit-manager", "acme", 5)]);
    let grants = &["credit-manager@acme"];
    let good = approval(person("a", grants), 1);
    let again = approval(person("a", grants), 2);
    let mut expired = approval(person("b", grants), 1);
    expired.expires = time(10);
    let mut revoked = approval(person("c", grants), 1);
    revoked.revoked = true;
    let mut other = approval(person("d", grants), 1);
    other.digest = "e".to_owned();
    let own = approval(person("requester", grants), 1);
    let status = case.status(&[again, good, expired, revoked, other, own], time(10));
    assert_eq!(status.missing, [requirement("credit-manager", "acme", 4)]);
    assert_eq!(
        status.void,
        [
            (0, VoidReason::Repeated),
            (2, VoidReason::Expired),
            (3, VoidReason::Revoked),
            (4, VoidReason::Digest),
            (5, VoidReason::Excluded(Refusal::Requester)),
        ]
    );
}

#[test]
fn an_approval_that_lapsed_can_be_given_again() {
    let case = case(vec![requirement("credit-manager", "acme", 1)]);
    let who = person("a", &["credit-manager@acme"]);
    let mut lapsed = approval(who.clone(), 1);
    lapsed.expires = time(5);
    assert_eq!(
        case.may_approve(&who, std::slice::from_ref(&lapsed), time(4)),
        Err(Refusal::AlreadyApproved)
    );
    assert_eq!(case.may_approve(&who, &[lapsed], time(5)), Ok(()));
}

#[test]
fn in_order_each_waits_for_the_turn() {
    let mut case = credit_and_compliance();
    case.ordered = true;
    let credit = person("credit", &["credit-manager@acme"]);
    let compliance = person("compliance", &["compliance-officer@acme"]);
    assert_eq!(
        case.may_approve(&compliance, &[], time(0)),
        Err(Refusal::NotYet)
    );
    let first = approval(credit, 1);
    assert_eq!(
        case.may_approve(&compliance, std::slice::from_ref(&first), time(2)),
        Ok(())
    );
    let early = approval(compliance, 0);
    assert!(
        !case
            .status(&[early.clone(), first.clone()], time(3))
            .is_met()
    );
    let late = Approval {
        given: time(2),
        ..early
    };
    assert!(case.status(&[first, late], time(3)).is_met());
}

#[test]
fn nothing_required_is_met_and_needs_nobody() {
    let case = case(Vec::new());
    assert!(case.status(&[], time(0)).is_met());
    let anybody = person("a", &["credit-manager@acme"]);
    assert_eq!(
        case.may_approve(&anybody, &[], time(0)),
        Err(Refusal::NotAnApprover)
    );
}

#[test]
fn a_huge_count_costs_nothing() {
    let case = case(vec![requirement("r", "acme", u32::MAX)]);
    let given = [approval(person("a", &["r@acme"]), 1)];
    assert_eq!(
        case.status(&given, time(2)).missing,
        [requirement("r", "acme", u32::MAX - 1)]
    );
}

const ROLES: [&str; 3] = ["x", "y", "z"];

fn some_case() -> impl Strategy<Value = (Case, Vec<Approver>)> {
    let requirements = prop::collection::vec((0..3usize, 0..3u32), 0..4);
    let people = prop::collection::vec(prop::collection::vec(0..3usize, 0..4), 0..6);
    (requirements, people).prop_map(|(requirements, people)| {
        let requirements = requirements
            .into_iter()
            .map(|(role, count)| requirement(ROLES[role], "acme", count))
            .collect();
        let people = people
            .into_iter()
            .enumerate()
            .map(|(index, roles)| {
                let grants = roles
                    .into_iter()
                    .map(|role| format!("{}@acme", ROLES[role]))
                    .collect::<Vec<_>>();
                let grants = grants.iter().map(String::as_str).collect::<Vec<_>>();
                person(&format!("p{index}"), &grants)
            })
            .collect();
        (case(requirements), people)
    })
}

/// The most places that can be filled, by trying every assignment of people to places.
fn brute_force(requirements: &[Requirement], people: &[Approver]) -> u32 {
    let Some((first, rest)) = people.split_first() else {
        return 0;
    };
    let mut best = brute_force(requirements, rest);
    for index in 0..requirements.len() {
        if requirements[index].count > 0 && first.fills(&requirements[index]) {
            let mut left = requirements.to_vec();
            left[index].count -= 1;
            best = best.max(1 + brute_force(&left, rest));
        }
    }
    best
}

proptest! {
    #[test]
    fn what_is_missing_is_what_no_assignment_could_fill((case, people) in some_case()) {
        let given = people.iter().cloned().zip(0..).map(|(p, m)| approval(p, m)).collect::<Vec<_>>();
        let wanted: u32 = case.requirements.iter().map(|r| r.count).sum();
        let missing: u32 = case.status(&given, time(100)).missing.iter().map(|r| r.count).sum();
        prop_assert_eq!(wanted - missing, brute_force(&case.requirements, &people));
    }

    #[test]
    fn the_order_of_approvals_does_not_matter((case, people) in some_case()) {
        let given = |people: Vec<Approver>| people.into_iter().zip(0..).map(|(p, m)| approval(p, m)).collect::<Vec<_>>();
        let forth = case.status(&given(people.clone()), time(100));
        let back = case.status(&given(people.into_iter().rev().collect()), time(100));
        prop_assert_eq!(forth.is_met(), back.is_met());
    }

    #[test]
    fn who_may_approve_is_who_brings_the_quorum_nearer((case, people) in some_case()) {
        let Some((candidate, people)) = people.split_first() else { return Ok(()) };
        let given = people.iter().cloned().zip(0..).map(|(p, m)| approval(p, m)).collect::<Vec<_>>();
        let all = [std::slice::from_ref(candidate), people].concat();
        let nearer = brute_force(&case.requirements, &all) > brute_force(&case.requirements, people);
        prop_assert_eq!(case.may_approve(candidate, &given, time(100)).is_ok(), nearer);
    }

    #[test]
    fn in_order_never_needs_less_than_out_of_order((case, people) in some_case()) {
        let given = people.into_iter().zip(0..).map(|(p, m)| approval(p, m)).collect::<Vec<_>>();
        let ordered = Case { ordered: true, ..case.clone() };
        if ordered.status(&given, time(100)).is_met() {
            prop_assert!(case.status(&given, time(100)).is_met());
        }
    }
}
