//! Verdicts, checks, and how they come together: the strictest wins.

use serde::{Deserialize, Serialize};

/// What may become of a recommendation, in rising strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It may act by itself.
    Auto,
    /// A person must look.
    Review,
    /// It is refused.
    Reject,
}

impl Verdict {
    /// As files and records have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "AUTO",
            Self::Review => "REVIEW",
            Self::Reject => "REJECT",
        }
    }
}

/// One check of the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// `registry`, `autonomy`, `gate_table`, `facts`, `actions` or `policy`.
    pub check: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Reason code in upper case, then what was found.
    pub reason: String,
}

impl Check {
    /// A check with its reason.
    pub fn new(check: &str, verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            verdict,
            reason: reason.into(),
        }
    }
}

/// The effect of a decision of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Effect {
    /// The step may happen.
    Allow,
    /// Once the approvals are given.
    RequireApproval,
    /// It may not happen.
    Deny,
}

/// A decision of the policy, as far as the gate reads it. The whole of it is kept beside,
/// as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// UUID.
    pub id: String,
    /// The answer.
    pub effect: Effect,
    /// Whether unknown facts can't change it.
    pub settled: bool,
    /// Reasons.
    pub reasons: Vec<String>,
    /// Unknown facts that matter.
    pub unknown_facts: Vec<String>,
    /// Revision of the policies.
    pub revision: i64,
    /// The whole answer, encoded as it came.
    pub encoded: Vec<u8>,
}

impl Decision {
    /// What the decision means for a recommendation. What a person must approve, a person
    /// must look at; a denial that only unknown facts cause is for a person too.
    #[must_use]
    pub fn check(&self) -> Check {
        let listed = |code: &str| {
            let found: Vec<_> = self.reasons.iter().map(String::as_str).collect();
            if found.is_empty() {
                code.to_owned()
            } else {
                format!("{code}: {}", found.join("; "))
            }
        };
        let (verdict, reason) = match self.effect {
            _ if !self.settled => {
                let names = self.unknown_facts.join(", ");
                (Verdict::Review, format!("UNKNOWN_FACTS: {names}"))
            }
            Effect::Allow => (Verdict::Auto, "ALLOW".to_owned()),
            Effect::RequireApproval => (Verdict::Review, listed("REQUIRE_APPROVAL")),
            Effect::Deny => (Verdict::Reject, listed("POLICY_DENIED")),
        };
        Check::new("policy", verdict, reason)
    }
}

/// A receipt of the policy service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// `jti`.
    pub id: String,
    /// Compact JWS.
    pub jws: String,
    /// When it stops being valid.
    pub expires: chrono::DateTime<chrono::Utc>,
    /// The executing system.
    pub audience: String,
}

/// What the gate answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateResult {
    /// Each check, in the order they were made.
    pub checks: Vec<Check>,
    /// All roles that reviewers are named by; empty: whoever has the permission.
    pub reviewer_roles: Vec<String>,
    /// The same for each way the facts could turn out. What was kept before there was more
    /// than one has none.
    #[serde(default)]
    pub reviewers: Vec<Vec<String>>,
    /// The policy's decision; absent where the gate ended before.
    pub decision: Option<Decision>,
    /// Receipt bound to the exact arguments; only with AUTO.
    pub receipt: Option<Receipt>,
}

impl GateResult {
    /// The strictest of all checks. A gate that checked nothing lets nothing through.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let strictest = self.checks.iter().map(|check| check.verdict).max();
        strictest.unwrap_or(Verdict::Reject)
    }

    /// Adds a check.
    pub fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Whether a check has ended the gate.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.checks
            .iter()
            .any(|check| check.verdict == Verdict::Reject)
    }

    /// Sets of roles, of each of which a reviewer holds one.
    #[must_use]
    pub fn reviewers(&self) -> Vec<&[String]> {
        if self.reviewers.is_empty() && !self.reviewer_roles.is_empty() {
            return vec![&self.reviewer_roles];
        }
        self.reviewers.iter().map(Vec::as_slice).collect()
    }

    /// The reasons of the strictest checks.
    #[must_use]
    pub fn reasons(&self) -> Vec<&str> {
        let verdict = self.verdict();
        let strictest = self.checks.iter().filter(|check| check.verdict == verdict);
        strictest.map(|check| check.reason.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(effect: Effect, settled: bool, reasons: &[&str]) -> Decision {
        Decision {
            id: String::new(),
            effect,
            settled,
            reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
            unknown_facts: vec!["order.total".to_owned()],
            revision: 1,
            encoded: Vec::new(),
        }
    }

    #[test]
    fn only_a_settled_allow_acts_by_itself() {
        for effect in [Effect::Allow, Effect::RequireApproval, Effect::Deny] {
            for settled in [true, false] {
                let verdict = decision(effect, settled, &[]).check().verdict;
                let auto = effect == Effect::Allow && settled;
                assert_eq!(verdict == Verdict::Auto, auto, "{effect:?} {settled}");
            }
        }
        let denied = decision(Effect::Deny, true, &["NO_POLICY"]).check();
        assert_eq!(denied.verdict, Verdict::Reject);
        assert_eq!(denied.reason, "POLICY_DENIED: NO_POLICY");
        let missing = decision(Effect::Deny, false, &["FACTS_MISSING"]).check();
        assert_eq!(missing.verdict, Verdict::Review);
        let anyway = decision(Effect::Deny, true, &["BLOCKED", "FACTS_MISSING"]).check();
        assert_eq!(anyway.verdict, Verdict::Reject);
    }

    #[test]
    fn the_strictest_check_wins() {
        let mut result = GateResult::default();
        assert_eq!(result.verdict(), Verdict::Reject);
        result.add(Check::new("registry", Verdict::Auto, "RELEASED"));
        assert_eq!(result.verdict(), Verdict::Auto);
        result.add(Check::new("policy", Verdict::Review, "REQUIRE_APPROVAL"));
        result.add(Check::new("facts", Verdict::Auto, "KNOWN"));
        assert_eq!(result.verdict(), Verdict::Review);
        assert_eq!(result.reasons(), ["REQUIRE_APPROVAL"]);
    }
}
