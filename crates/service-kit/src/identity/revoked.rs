//! The operator's file of revocations, read again when it changes.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{RevocationSet, Revocations};

/// Largest file.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// How often the file is looked at. Its content is compared, not its time: a mounted
/// config map is replaced by renaming, and a clock may jump.
const LOOK: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    revocations: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    issuer: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    token: Option<String>,
}

/// Where the revocations come from.
pub(super) struct RevocationFile {
    path: PathBuf,
    /// Issuers that there are: a revocation of another's subject would revoke nobody.
    issuers: Vec<String>,
    /// What was read last, good or bad.
    seen: Mutex<Option<Result<Vec<u8>, String>>>,
}

impl RevocationFile {
    /// Reads the file for the first time.
    pub(super) fn open(
        path: &Path,
        issuers: Vec<String>,
        revocations: &Revocations,
    ) -> Result<Self, String> {
        let file = Self {
            path: path.to_owned(),
            issuers,
            seen: Mutex::new(None),
        };
        if let Some(set) = file.changed() {
            revocations.replace(set?);
        }
        Ok(file)
    }

    /// Takes over every change, until the shutdown. A file that can't be taken over
    /// leaves in force what was revoked before.
    pub(super) async fn follow(&self, revocations: &Revocations, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            self.look(revocations);
        }
    }

    pub(super) fn look(&self, revocations: &Revocations) {
        match self.changed() {
            None => {}
            Some(Ok(set)) => {
                let (subjects, tokens) = (set.subjects.len(), set.tokens.len());
                tracing::warn!(subjects, tokens, "revocations changed");
                revocations.replace(set);
            }
            Some(Err(problem)) => {
                tracing::error!(problem, "revocations can't be read, those before hold");
            }
        }
    }

    /// What the file says, if that is something new.
    fn changed(&self) -> Option<Result<RevocationSet, String>> {
        let now = std::fs::read(&self.path).map_err(|e| e.to_string());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref() == Some(&now) {
            return None;
        }
        let set = match &now {
            Ok(bytes) => self.parse(bytes),
            Err(problem) => Err(problem.clone()),
        };
        *seen = Some(now);
        Some(set.map_err(|e| format!("{}: {e}", self.path.display())))
    }

    fn parse(&self, bytes: &[u8]) -> Result<RevocationSet, String> {
        if bytes.len() > MAX_FILE {
            let found = bytes.len();
            return Err(format!("{found} bytes, at most {MAX_FILE} are allowed"));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
        let file: File = serde_saphyr::from_str(text).map_err(|e| e.to_string())?;
        let mut set = RevocationSet::default();
        for (place, item) in file.revocations.into_iter().enumerate() {
            let wrong = |problem: &str| Err(format!("revocations[{place}]: {problem}"));
            if !self.issuers.contains(&item.issuer) {
                return wrong("issuer is none whose tokens are accepted");
            }
            match (item.subject, item.token) {
                (Some(subject), None) if !subject.is_empty() => {
                    set.subjects.insert((item.issuer, subject));
                }
                (None, Some(token)) if !token.is_empty() => {
                    set.tokens.insert((item.issuer, token));
                }
                _ => return wrong("expected a subject or a token, one of them"),
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("revocations.yaml");
        for (bad, why) in [
            ("revocations: [{issuer: i}]", "revocations[0]"),
            (
                "revocations: [{issuer: i, subject: a, token: b}]",
                "one of them",
            ),
            ("revocations: [{issuer: i, subject: ''}]", "one of them"),
            ("revocations: [{issuer: j, subject: a}]", "issuer is none"),
            ("revocations: [{subject: a}]", "issuer"),
            ("revocations: [{issuer: i, person: a}]", "person"),
            ("people: []", "people"),
            ("", "revocations"),
        ] {
            std::fs::write(&path, bad).unwrap();
            let revocations = Revocations::default();
            let error = RevocationFile::open(&path, vec!["i".into()], &revocations)
                .err()
                .unwrap();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn what_cannot_be_read_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("revocations.yaml");
        std::fs::write(&path, "revocations: [{issuer: i, subject: a}]").unwrap();
        let revocations = Revocations::default();
        let file = RevocationFile::open(&path, vec!["i".into()], &revocations).unwrap();
        let ann = super::super::Principal {
            issuer: "i".into(),
            subject: "a".into(),
            ..super::super::Principal::own("test")
        };
        assert!(revocations.contains(&ann));
        std::fs::write(&path, "revocations: [{issuer: j, subject: a}]").unwrap();
        file.look(&revocations);
        assert!(revocations.contains(&ann));
        std::fs::remove_file(&path).unwrap();
        file.look(&revocations);
        assert!(revocations.contains(&ann));
        std::fs::write(&path, "revocations: []").unwrap();
        file.look(&revocations);
        assert!(!revocations.contains(&ann));
    }
}
