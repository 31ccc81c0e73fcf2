//! Random sequences of calls by random people never bring a change into force without the
//! approvals that are demanded, of people who neither wrote nor activate it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::cell::Cell;

use approval::{Approver, Grant, Kind, Requirement, Subject};
use chrono::{DateTime, TimeDelta, Utc};
use governance::Scope;
use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};
use uuid::Uuid;

use super::{Activated, Backtest, Change, Demand, Given, Review, RollbackStep, State, Tests};

const PEOPLE: [&str; 5] = ["ann", "ben", "cem", "dan", "eva"];

/// A call that somebody makes.
#[derive(Debug, Clone)]
enum Call {
    Edit,
    Check {
        digest: u8,
        sound: bool,
    },
    Test {
        passes: bool,
    },
    Backtest,
    Approve {
        role: usize,
        digest: u8,
        service: bool,
    },
    Reject {
        role: usize,
    },
    Schedule,
    Activate {
        digest: u8,
        service: bool,
    },
    Due {
        digest: u8,
    },
    Withdraw,
    RollBack {
        loosens: bool,
    },
    Revoke,
    Wait {
        hours: i64,
    },
}

fn calls() -> impl Strategy<Value = Vec<(usize, Call)>> {
    let digest = || prop_oneof![6 => Just(0_u8), 1 => Just(1)];
    let role = || prop_oneof![4 => Just(0_usize), 3 => Just(1), 1 => Just(2)];
    let call = prop_oneof![
        1 => Just(Call::Edit),
        3 => (digest(), prop::bool::weighted(0.9)).prop_map(|(digest, sound)| Call::Check { digest, sound }),
        3 => prop::bool::weighted(0.9).prop_map(|passes| Call::Test { passes }),
        3 => Just(Call::Backtest),
        16 => (role(), digest(), prop::bool::weighted(0.1))
            .prop_map(|(role, digest, service)| Call::Approve { role, digest, service }),
        1 => (0..3_usize).prop_map(|role| Call::Reject { role }),
        2 => Just(Call::Schedule),
        8 => (digest(), prop::bool::weighted(0.1))
            .prop_map(|(digest, service)| Call::Activate { digest, service }),
        2 => digest().prop_map(|digest| Call::Due { digest }),
        1 => Just(Call::Withdraw),
        1 => any::<bool>().prop_map(|loosens| Call::RollBack { loosens }),
        1 => Just(Call::Revoke),
        2 => (1..200_i64).prop_map(|hours| Call::Wait { hours }),
    ];
    prop::collection::vec((0..PEOPLE.len(), call), 1..60)
}

fn subject(person: usize) -> Subject {
    Subject {
        issuer: "idp".into(),
        subject: PEOPLE[person].into(),
    }
}

const ROLES: [&str; 3] = ["council", "policy-editor", "nobody"];

fn approver(person: usize, role: usize, service: bool) -> Approver {
    Approver {
        who: subject(person),
        kind: if service { Kind::Service } else { Kind::Person },
        grants: vec![Grant {
            role: ROLES[role].into(),
            at: Scope::parse("corp").unwrap(),
        }],
    }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn change(activate: Option<DateTime<Utc>>) -> Change {
    let mut change = Change {
        id: Uuid::nil(),
        title: "t".into(),
        reason: "r".into(),
        state: State::Draft,
        items: Vec::new(),
        activate,
        editors: Vec::new(),
        scopes: Vec::new(),
        review: None,
        tests: None,
        backtest: None,
        demand: None,
        approvals: Vec::new(),
        scheduled_by: None,
        history: Vec::new(),
        revision: None,
        rollback: None,
        created: start(),
        updated: start(),
        version: 0,
    };
    change.edit(&subject(0), None, activate, start()).unwrap();
    change
}

fn digest(of: u8) -> String {
    format!("sha256:{of}")
}

fn demand(counts: (u32, u32)) -> Demand {
    let at = Scope::parse("corp").unwrap();
    let needed = [("council", counts.0), ("policy-editor", counts.1)];
    let approvals = needed.into_iter().filter(|(_, count)| *count > 0);
    Demand {
        denied: false,
        approvals: approvals
            .map(|(role, count)| Requirement {
                role: role.into(),
                at: at.clone(),
                count,
            })
            .collect(),
        reasons: Vec::new(),
    }
}

/// What must hold of a change that comes into force: counted by hand.
fn lawful(
    change: &Change,
    demanded: (u32, u32),
    activator: Option<usize>,
    revoked: &[usize],
    digest: &str,
    now: DateTime<Utc>,
) {
    assert!(change.review.is_some() && change.tests.is_some() && change.backtest.is_some());
    let counts = |given: &&Given| {
        let approver = &given.approval.approver;
        approver.kind == Kind::Person
            && given.approval.digest == digest
            && now < given.approval.expires
            && !change.editors.contains(&approver.who)
            && !revoked
                .iter()
                .any(|person| subject(*person) == approver.who)
    };
    let valid: Vec<_> = change.approvals.iter().filter(counts).collect();
    let of = |role: &str| {
        let holds = |given: &&&Given| {
            given
                .approval
                .approver
                .grants
                .iter()
                .any(|g| g.role == role)
        };
        let mut who: Vec<_> = valid
            .iter()
            .filter(holds)
            .map(|g| &g.approval.approver.who)
            .collect();
        who.sort();
        who.dedup();
        u32::try_from(who.len()).unwrap()
    };
    // Each person has one role here, so that counting each role is enough.
    assert!(
        of("council") >= demanded.0 && of("policy-editor") >= demanded.1,
        "{change:#?}"
    );
    let activator = match activator {
        Some(person) => Some(subject(person)),
        None => change.scheduled_by.clone(),
    };
    let activator = activator.expect("somebody activates or scheduled");
    assert!(!change.editors.contains(&activator));
    assert!(
        change
            .approvals
            .iter()
            .all(|given| given.approval.approver.who != activator)
    );
}

/// How a run begins, and what it is demanded of.
type Run = (Vec<(usize, Call)>, (u32, u32), (u32, u32), bool, bool);

#[test]
fn nothing_comes_into_force_unapproved() {
    let demanded = || (0..2_u32, 0..2_u32);
    let runs = (
        calls(),
        demanded(),
        demanded(),
        any::<bool>(),
        any::<bool>(),
    );
    let in_force = Cell::new(0);
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let config = ProptestConfig {
        cases: cases.unwrap_or(2_000),
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    runner.run(&runs, |run| one(run, &in_force)).unwrap();
    println!("{} came into force", in_force.get());
    // Else the test says nothing.
    assert!(in_force.get() > 20, "{} came into force", in_force.get());
}

fn one(run: Run, in_force: &Cell<u32>) -> Result<(), TestCaseError> {
    let (mut calls, then, later, scheduled, reviewed) = run;
    if reviewed {
        let review = [
            Call::Check {
                digest: 0,
                sound: true,
            },
            Call::Test { passes: true },
            Call::Backtest,
        ];
        calls.splice(0..0, review.map(|call| (0, call)));
    }
    let mut now = start();
    let at = scheduled.then(|| start() + TimeDelta::hours(50));
    let mut change = change(at);
    let mut revoked: Vec<usize> = Vec::new();
    for (person, call) in calls {
        let before = change.clone();
        let who = subject(person);
        let is_revoked = |given: &Given| {
            revoked
                .iter()
                .any(|person| subject(*person) == given.approval.approver.who)
        };
        let refused = match call {
            Call::Edit => change.edit(&who, None, at, now).is_err(),
            Call::Check { digest: of, sound } => {
                let mut review = Review {
                    digest: digest(of),
                    ..Review::default()
                };
                if !sound {
                    review.digest.clear();
                    review.problems.push(super::Problem {
                        path: String::new(),
                        line: 0,
                        column: 0,
                        message: String::new(),
                    });
                }
                change.checked(&who, review, now).is_err()
            }
            Call::Test { passes } => {
                let mut tests = Tests::default();
                if !passes {
                    tests.failures.push(super::Problem {
                        path: String::new(),
                        line: 0,
                        column: 0,
                        message: String::new(),
                    });
                }
                change.tested(&who, tests, now).is_err()
            }
            Call::Backtest => change
                .backtested(&who, Backtest::default(), demand(then), now)
                .is_err(),
            Call::Approve {
                role,
                digest: of,
                service,
            } => {
                let approver = approver(person, role, service);
                let expires = now + TimeDelta::hours(100);
                change
                    .approve(
                        approver,
                        String::new(),
                        (&digest(of), ""),
                        &is_revoked,
                        (now, expires),
                    )
                    .is_err()
            }
            Call::Reject { role } => change
                .reject(&approver(person, role, false), "no", now)
                .is_err(),
            Call::Schedule => change.schedule(&approver(person, 2, false), now).is_err(),
            Call::Activate {
                digest: of,
                service,
            } => {
                let activator = approver(person, 2, service);
                let stood = change.clone();
                match change.activate(
                    Some(&activator),
                    &digest(of),
                    demand(later),
                    &is_revoked,
                    now,
                ) {
                    Ok(Activated::Now) => {
                        prop_assert!(!service && stood.state == State::Approved);
                        prop_assert!(at.is_none_or(|time| time <= now));
                        let demanded = (then.0.max(later.0), then.1.max(later.1));
                        in_force.set(in_force.get() + 1);
                        lawful(&stood, demanded, Some(person), &revoked, &digest(of), now);
                        change.activated(Some(&activator.who), 2, now);
                        false
                    }
                    Ok(Activated::Outdated | Activated::Lapsed(_)) => {
                        prop_assert!(matches!(change.state, State::Draft | State::Backtested));
                        false
                    }
                    Err(_) => {
                        change.demand.clone_from(&before.demand);
                        true
                    }
                }
            }
            Call::Due { digest: of } => {
                let stood = change.clone();
                match change.activate(None, &digest(of), demand(later), &is_revoked, now) {
                    Ok(Activated::Now) => {
                        prop_assert!(at.is_some_and(|time| time <= now));
                        let demanded = (then.0.max(later.0), then.1.max(later.1));
                        in_force.set(in_force.get() + 1);
                        lawful(&stood, demanded, None, &revoked, &digest(of), now);
                        change.activated(None, 2, now);
                        false
                    }
                    Ok(_) => false,
                    Err(_) => {
                        change.demand.clone_from(&before.demand);
                        true
                    }
                }
            }
            Call::Withdraw => change.withdraw(&who, now).is_err(),
            Call::RollBack { loosens } => {
                let asked = change.rollback.clone();
                match change.roll_back(&approver(person, 2, false), "no", loosens, "d", now) {
                    Ok(RollbackStep::Due) => {
                        let two = asked.is_some_and(|asked| asked.requester != who);
                        prop_assert!(!loosens || two, "one person loosened");
                        change.rolled_back((&who, "no"), 3, now);
                        false
                    }
                    Ok(RollbackStep::Asked) => false,
                    Err(_) => true,
                }
            }
            Call::Revoke => {
                revoked.push(person);
                false
            }
            Call::Wait { hours } => {
                now += TimeDelta::hours(hours);
                false
            }
        };
        if refused {
            prop_assert_eq!(&change, &before, "a refused step leaves nothing behind");
        }
        let was_over = !before.state.is_open();
        prop_assert!(
            !was_over || !change.state.is_open(),
            "what is over isn't open again"
        );
    }
    Ok(())
}
