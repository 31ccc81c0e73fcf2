//! Sources of events: whose they are.

use std::collections::BTreeMap;

/// What sources of the suite's own events begin with; they come over the event stream.
const SUITE: &str = "/bylaw/";

/// The service of the suite that a source names, as a subject such as
/// `bylaw-masterdata`; `None` for the sources of everybody else.
#[must_use]
pub fn of_suite(source: &str) -> Option<String> {
    let service = source.strip_prefix(SUITE)?;
    Some(format!("bylaw-{service}"))
}

/// Who may bring the events of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bringers {
    /// `iss` of their tokens; none: any that the suite trusts.
    pub issuer: Option<String>,
    /// `sub` of their tokens.
    pub subjects: Vec<String>,
}

/// Whose sources are, as far as the settings say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Who may bring the events of a source.
    pub declared: BTreeMap<String, Bringers>,
    /// Whether a source that isn't declared belongs to whoever brings it first. Anybody who
    /// may bring events at all could take another's so, and be whose word its facts are.
    pub first_use: bool,
}

impl Bringers {
    /// Whether a principal is one of them.
    #[must_use]
    pub fn include(&self, issuer: &str, subject: &str) -> bool {
        self.issuer.as_deref().is_none_or(|own| own == issuer)
            && self.subjects.iter().any(|own| own == subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suites_sources_name_their_service() {
        let own = of_suite("/bylaw/masterdata");
        assert_eq!(own.as_deref(), Some("bylaw-masterdata"));
        assert_eq!(of_suite("/examples/erp"), None);
        let bringers = Bringers {
            issuer: Some("https://id".to_owned()),
            subjects: vec!["erp".to_owned()],
        };
        assert!(bringers.include("https://id", "erp"));
        assert!(!bringers.include("https://other", "erp"));
        assert!(!bringers.include("https://id", "wms"));
    }
}
