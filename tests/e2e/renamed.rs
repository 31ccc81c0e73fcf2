//! A company that the example doesn't know: its own name, its own names of roles, and a
//! fourth unit with rules, people, a calendar and a model of its own.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::suite::example;

/// The unit that no example has.
pub const UNIT: &str = "nordlys/europe/dyrehelse";

/// What the example and the shipped access table call things, and what this company does.
const NAMES: [(&str, &str); 20] = [
    ("acme", "nordlys"),
    ("event-source", "kilde"),
    ("recommender", "raadgiver"),
    ("operator", "saksbehandler"),
    ("reviewer", "kontrollant"),
    ("credit-manager", "kreditleitung"),
    ("compliance-officer", "regelverk"),
    ("pricing-manager", "prissjef"),
    ("logistics-manager", "logistikk"),
    ("finance-director", "finansdirektor"),
    ("customer-service-supervisor", "kundesjef"),
    ("policy-editor", "regelforfatter"),
    ("activator", "iverksetter"),
    ("integration-architect", "integrator"),
    ("security-officer", "sikkerhet"),
    ("data-steward", "dataforvalter"),
    ("unit-leader", "enhetsleder"),
    ("council", "raad"),
    ("auditor", "revisor"),
    ("model-owner", "modelleier"),
];

const ACCESS: &str = include_str!("../../crates/service-kit/src/access/default.yaml");

const PRINCIPALS: &str = "\
principals:
  bro:          {kind: service, grants: [kilde@nordlys], asserts: [ERP]}
  agent.dyr:    {kind: model, grants: [raadgiver@nordlys/europe/dyrehelse], owner: eva}
  eva:          {kind: person, grants: [modelleier@nordlys/europe/dyrehelse]}
  # reviews, and could approve what others ask for
  anne:         {kind: person, grants: [kontrollant@nordlys/europe/dyrehelse, kreditleitung@nordlys/europe/dyrehelse]}
  bjorn:        {kind: person, grants: [kreditleitung@nordlys/europe]}
  carla:        {kind: person, grants: [dyrlege@nordlys/europe/dyrehelse]}
  dag:          {kind: person, grants: [revisor@nordlys]}
  frida:        {kind: person, grants: [regelforfatter@nordlys]}
  gunnar:       {kind: person, grants: [raad@nordlys]}
  heidi:        {kind: person, grants: [iverksetter@nordlys]}
";

const EXCEPTIONS: &str = r#"kind: Calendar
name: dyrehelse
time_zone: Europe/Oslo
shifts:
  mon: ['06:00-22:00']
  tue: ['06:00-22:00']
  wed: ['06:00-22:00']
  thu: ['06:00-22:00']
  fri: ['06:00-22:00']
  sat: ['08:00-12:00']
---
kind: Routing
name: routing.dyrehelse
scope: nordlys/europe/dyrehelse
calendar: dyrehelse
inputs: [exception.type]
hit_policy: FIRST
rows:
  - id: kreditt
    when: {exception.type: '"credit_hold"'}
    then: {queue: dyr-kreditt, severity: CRITICAL, response: PT1H, resolution: PT6H, first_action: release_partial}
"#;

const POLICY: &str = "\
kind: Policy
name: order_release.dyrehelse
workflow: order_release
scope: nordlys/europe/dyrehelse
mode: GUARDRAIL
audit_level: FULL
inputs: [item.regulated]
hit_policy: UNIQUE
rows:
  - id: reseptpliktig
    when: {item.regulated: 'true'}
    then: {effect: REQUIRE_APPROVAL, approvals: [{role: dyrlege, count: 1}], obligations: [oppbevar_resept]}
";

const MODEL: &str = "\
kind: Model
name: lagervelger
version: '1'
description: Picks the warehouse of an order for animals
artifact_digest: sha256:2c624232cdd221771294dfbb310aca000a0df6ac8b66b696d90ef06fdefb64a3
risk_tier: LOW
owner: eva
subjects: [agent.dyr]
autonomy:
  alternate_fulfilment: AUTO_WITHIN_POLICY
evaluation: {accuracy: '0.91', cases: '410'}
released: true
";

/// The company's folder.
pub struct Company {
    dir: TempDir,
}

impl Company {
    /// Writes the example under this company's names, and the fourth unit beside it.
    pub fn found() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("bylaw-company-")
            .tempdir()
            .unwrap();
        let company = Self { dir };
        let folder = company.bootstrap();
        copy(&example(), &folder);
        let scopes = std::fs::read_to_string(folder.join("scopes.yaml")).unwrap();
        let unit = format!("  {UNIT}: {{level: BUSINESS_UNIT, display_name: Animal health}}\n");
        std::fs::write(folder.join("scopes.yaml"), scopes + &unit).unwrap();
        std::fs::write(folder.join("exceptions/dyrehelse.yaml"), EXCEPTIONS).unwrap();
        let policy = folder.join("policies/order_release.dyrehelse.yaml");
        std::fs::write(policy, POLICY).unwrap();
        std::fs::write(folder.join("ai/dyrehelse.yaml"), MODEL).unwrap();
        std::fs::write(folder.join("principals.yaml"), PRINCIPALS).unwrap();
        let role = "roles:\n  dyrlege:\n    description: approves what animals are given\n    \
                    sets: [approver]\n";
        let access = renamed(ACCESS).replacen("roles:\n", role, 1);
        std::fs::write(company.access(), access).unwrap();
        company
    }

    /// The documents that empty stores are filled with.
    pub fn bootstrap(&self) -> PathBuf {
        self.dir.path().join("example")
    }

    /// Who acts.
    pub fn principals(&self) -> PathBuf {
        self.bootstrap().join("principals.yaml")
    }

    /// Which role may do what.
    pub fn access(&self) -> PathBuf {
        self.dir.path().join("access.yaml")
    }

    /// A data directory to be used with the command line.
    pub fn data_dir(&self) -> PathBuf {
        let path = self.dir.path().join("data");
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// A file beside the rest.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            std::fs::write(target, renamed(&text)).unwrap();
        }
    }
}

/// The text under the company's names; only whole words count.
fn renamed(text: &str) -> String {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(inner) {
        let (before, word) = rest.split_at(start);
        let (word, after) = word.split_at(word.find(|c| !inner(c)).unwrap_or(word.len()));
        let name = NAMES.iter().find(|(old, _)| *old == word);
        result.push_str(before);
        result.push_str(name.map_or(word, |(_, new)| new));
        rest = after;
    }
    result + rest
}
