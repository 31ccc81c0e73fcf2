//! Answers and their lattice.
//!
//! An [`Answer`] is a point of a product of lattices: the chain of [`Effect`]s, the
//! counts of approvals per (role, scope), the sets of obligations and of required facts.
//! [`Answer::join`] is its least upper bound, the strictest that contains both;
//! [`Answer::meet`] the greatest lower bound. Chains, maps into chains and sets are
//! distributive, so the product is too; `decide` relies on that.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::Scope;

/// The possible answers, in rising strictness.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Effect {
    /// The step may happen.
    #[default]
    Allow,
    /// The step may happen once the approvals are given.
    RequireApproval,
    /// The step may not happen.
    Deny,
}

impl Effect {
    /// The name in files and answers, such as `REQUIRE_APPROVAL`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::RequireApproval => "REQUIRE_APPROVAL",
            Self::Deny => "DENY",
        }
    }

    /// The effect of a name that [`Self::as_str`] gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Allow, Self::RequireApproval, Self::Deny]
            .into_iter()
            .find(|effect| effect.as_str() == name)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A number of different people of a role at a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// Role, such as `credit-manager`.
    pub role: Arc<str>,
    /// The scope that an approver's grant must cover.
    pub at: Scope,
    /// How many different people.
    pub count: u32,
}

/// How many people of which role must approve, at which scope. Counts are at least 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Approvals(BTreeMap<(Arc<str>, Scope), u32>);

impl Approvals {
    /// Demands at least `count` people of a role at a scope. A count of 0 demands nothing.
    pub fn demand(&mut self, role: Arc<str>, at: Scope, count: u32) {
        if count > 0 {
            let held = self.0.entry((role, at)).or_default();
            *held = (*held).max(count);
        }
    }

    /// The requirements, by role and scope.
    pub fn iter(&self) -> impl Iterator<Item = Requirement> {
        self.0.iter().map(|((role, at), count)| Requirement {
            role: role.clone(),
            at: at.clone(),
            count: *count,
        })
    }

    /// Whether nobody must approve.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn join(&mut self, other: &Self) {
        for ((role, at), count) in &other.0 {
            self.demand(role.clone(), at.clone(), *count);
        }
    }

    fn meet(&mut self, other: &Self) {
        self.0.retain(|key, count| {
            *count = (*count).min(other.0.get(key).copied().unwrap_or(0));
            *count > 0
        });
    }
}

/// What a row, a layer or all layers together demand. The default is the loosest:
/// allowed, with nothing demanded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Answer {
    /// Whether the step may happen.
    pub effect: Effect,
    /// Who must approve.
    pub approvals: Approvals,
    /// What the caller must also do.
    pub obligations: BTreeSet<Arc<str>>,
    /// Facts that must be there.
    pub required_facts: BTreeSet<Arc<str>>,
}

impl Answer {
    /// The answer that denies and demands nothing else.
    #[must_use]
    pub fn deny() -> Self {
        Self {
            effect: Effect::Deny,
            ..Self::default()
        }
    }

    /// Becomes the strictest that contains both.
    pub fn join(&mut self, other: &Self) {
        self.effect = self.effect.max(other.effect);
        self.approvals.join(&other.approvals);
        self.obligations.extend(other.obligations.iter().cloned());
        self.required_facts
            .extend(other.required_facts.iter().cloned());
    }

    /// Becomes what both have in common.
    pub fn meet(&mut self, other: &Self) {
        self.effect = self.effect.min(other.effect);
        self.approvals.meet(&other.approvals);
        self.obligations
            .retain(|obligation| other.obligations.contains(obligation));
        self.required_facts
            .retain(|fact| other.required_facts.contains(fact));
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
pub(crate) mod tests {
    use proptest::{collection, prelude::*};

    use super::*;

    /// Answers over a few roles, scopes, obligations and facts, so that they meet often.
    pub(crate) fn answers() -> impl Strategy<Value = Answer> {
        let effect = prop_oneof![
            Just(Effect::Allow),
            Just(Effect::RequireApproval),
            Just(Effect::Deny)
        ];
        let approval = (
            prop::sample::select(vec!["a", "b"]),
            prop::sample::select(vec!["x", "x/y"]),
            1_u32..4,
        );
        let names = || collection::btree_set(prop::sample::select(vec!["o", "p", "q"]), 0..3);
        (effect, collection::vec(approval, 0..4), names(), names()).prop_map(
            |(effect, approvals, obligations, required)| {
                let mut answer = Answer {
                    effect,
                    obligations: obligations.into_iter().map(Into::into).collect(),
                    required_facts: required.into_iter().map(Into::into).collect(),
                    ..Answer::default()
                };
                for (role, at, count) in approvals {
                    answer
                        .approvals
                        .demand(role.into(), at.parse().unwrap(), count);
                }
                answer
            },
        )
    }

    fn join(a: &Answer, b: &Answer) -> Answer {
        let mut joined = a.clone();
        joined.join(b);
        joined
    }

    fn meet(a: &Answer, b: &Answer) -> Answer {
        let mut met = a.clone();
        met.meet(b);
        met
    }

    proptest! {
        #[test]
        fn answers_form_a_distributive_lattice(a in answers(), b in answers(), c in answers()) {
            prop_assert_eq!(join(&a, &a), a.clone());
            prop_assert_eq!(meet(&a, &a), a.clone());
            prop_assert_eq!(join(&a, &b), join(&b, &a));
            prop_assert_eq!(meet(&a, &b), meet(&b, &a));
            prop_assert_eq!(join(&a, &join(&b, &c)), join(&join(&a, &b), &c));
            prop_assert_eq!(meet(&a, &meet(&b, &c)), meet(&meet(&a, &b), &c));
            prop_assert_eq!(join(&a, &meet(&a, &b)), a.clone());
            prop_assert_eq!(meet(&a, &join(&a, &b)), a.clone());
            prop_assert_eq!(join(&a, &meet(&b, &c)), meet(&join(&a, &b), &join(&a, &c)));
            prop_assert_eq!(join(&a, &Answer::default()), a);
        }
    }

    #[test]
    fn the_higher_count_of_a_role_at_a_scope_wins() {
        let scope = |text: &str| text.parse::<Scope>().unwrap();
        let mut approvals = Approvals::default();
        approvals.demand("credit-manager".into(), scope("acme/europe"), 2);
        approvals.demand("credit-manager".into(), scope("acme/europe"), 1);
        approvals.demand("credit-manager".into(), scope("acme"), 1);
        let found: Vec<_> = approvals
            .iter()
            .map(|r| format!("{} {} {}", r.role, r.at, r.count))
            .collect();
        assert_eq!(
            found,
            ["credit-manager acme 1", "credit-manager acme/europe 2"]
        );
    }

    #[test]
    fn names_of_effects_survive_the_round_trip() {
        for effect in [Effect::Allow, Effect::RequireApproval, Effect::Deny] {
            assert_eq!(Effect::from_name(effect.as_str()), Some(effect));
        }
        assert_eq!(Effect::from_name("allow"), None);
    }
}
