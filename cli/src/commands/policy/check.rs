//! `bylaw policy check`.

use std::path::Path;

use decision::{
    Table,
    analyse::{self, Finding, FindingKind, Options, Reason, Report, Undecided},
};
use governance::{
    Bundle, Mode,
    analysis::{Variation, variation},
    files::Source,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Check, found,
    load::Loaded,
    lone::{self, Lone},
};
use crate::{
    args::Output,
    failure::{Exit, Failure},
    output,
};

const NO_LONE_INPUT: &str = "standard input holds no table and no model by itself; a policy is \
    checked as a file, with the workflow that it belongs to";

/// A table with what was found in it.
struct Checked {
    path: String,
    name: String,
    table: Table,
    report: Report,
}

pub fn run(form: Output, args: &Check) -> Result<(), Failure> {
    let (mut checked, mut wrong, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    // Models of expressions alone have nothing to analyse: that they read is all.
    let mut plain = Vec::new();
    for path in &args.paths {
        match lone::file(path)? {
            Some(Ok(lone)) => alone(&lone, &mut checked, &mut plain),
            Some(Err(drawn)) => wrong.extend(drawn),
            None if path == Path::new("-") => return Err(Failure::usage(NO_LONE_INPUT)),
            None => paths.push(path.clone()),
        }
    }
    let mut variations = Vec::new();
    if !paths.is_empty() {
        let loaded = Loaded::open(&paths)?;
        let (lone, problems) = lone::documents(&loaded);
        let bundle = match loaded.bundle() {
            Ok(bundle) => bundle,
            Err(found) => {
                loaded.say_alone();
                wrong.extend(found.iter().map(|problem| loaded.draw(problem)));
                Bundle::default()
            }
        };
        wrong.extend(problems);
        if wrong.is_empty() {
            checked.extend(policies(&loaded, &bundle));
            for lone in &lone {
                alone(lone, &mut checked, &mut plain);
            }
            let asked = |variation: &Variation| {
                checked.iter().any(|c| {
                    c.name == *variation.default.name || c.name == *variation.guardrail.name
                })
            };
            variations = variation(&bundle).into_iter().filter(asked).collect();
        }
    }
    if !wrong.is_empty() {
        return unsound(form, &wrong);
    }
    if checked.is_empty() && plain.is_empty() {
        return Err(Failure::usage(
            "found no policy, table or model in these paths",
        ));
    }
    // Those that are too many to be listed count as well.
    let of = |kind: FindingKind| {
        let count = |c: &Checked| c.report.of(kind).count() as u64 + c.report.unlisted(kind);
        checked.iter().map(count).sum::<u64>()
    };
    // Where columns depend on each other or a division fails, the guardrail holds whatever
    // the default says; what wasn't compared at all leaves open whether it is looser.
    let unsettled = |u: &&Undecided| matches!(u.reason, Reason::Budget | Reason::Types);
    let untightened = variations
        .iter()
        .flat_map(|v| &v.undecided)
        .filter(unsettled)
        .count() as u64;
    let errors = of(FindingKind::Conflict) + untightened;
    let masked = variations.iter().map(masked).sum::<u64>();
    let warnings =
        of(FindingKind::Gap) + of(FindingKind::DeadRow) + of(FindingKind::RedundantRow) + masked;
    if form == Output::Json {
        output::json(&Printed::of(&checked, &variations, errors, warnings))?;
    } else {
        text(&checked, &plain, &variations)?;
        output::line(&format!(
            "{} checked: {}, {}",
            output::count(checked.len() as u64, "table"),
            output::count(errors, "error"),
            output::count(warnings, "warning")
        ))?;
    }
    if errors > 0 {
        return Err(Failure::said(Exit::Unsound));
    }
    Ok(())
}

fn masked(variation: &Variation) -> u64 {
    let unlisted = variation.undecided.iter();
    let unlisted = unlisted.filter(|open| open.reason == Reason::Unlisted);
    variation.masked.len() as u64 + unlisted.map(|open| open.count).sum::<u64>()
}

/// Files that aren't sound in themselves: nothing more is looked for.
fn unsound(form: Output, drawn: &[String]) -> Result<(), Failure> {
    if form == Output::Json {
        #[derive(Serialize)]
        struct Unsound<'d> {
            errors: usize,
            problems: &'d [String],
        }
        output::json(&Unsound {
            errors: drawn.len(),
            problems: drawn,
        })?;
    } else {
        for problem in drawn {
            output::line(&format!("{problem}\n"))?;
        }
    }
    Err(Failure::said(Exit::Unsound))
}

fn check(path: String, name: String, table: &Table, gaps: bool) -> Checked {
    let options = Options {
        gaps,
        ..Options::default()
    };
    Checked {
        path,
        name,
        table: table.clone(),
        report: analyse::check(table, options),
    }
}

/// Checks the tables of a table or model that stands by itself.
fn alone(lone: &Lone, checked: &mut Vec<Checked>, plain: &mut Vec<String>) {
    let tables = lone.tables();
    if tables.is_empty() {
        plain.push(format!("{} ({})", lone.name(), lone.path));
    }
    for (name, table) in tables {
        checked.push(check(lone.path.clone(), name, table, true));
    }
}

/// The policies that were asked for. A guardrail says nothing where none of its rows hits.
fn policies(loaded: &Loaded, bundle: &Bundle) -> Vec<Checked> {
    let asked = loaded
        .sources
        .iter()
        .filter(|source| loaded.asked.contains_key(&source.path));
    let named = |source: &Source| {
        let head = governance::files::head(source).ok()?;
        let policy = bundle.policies().get(head.name.as_str())?;
        (head.kind == governance::files::POLICY).then_some((source.path.clone(), policy))
    };
    asked
        .filter_map(named)
        .map(|(path, policy)| {
            check(
                path,
                policy.name.to_string(),
                &policy.table,
                policy.mode == Mode::Default,
            )
        })
        .collect()
}

fn text(checked: &[Checked], plain: &[String], variations: &[Variation]) -> Result<(), Failure> {
    for found in checked {
        let quiet = found.report.findings.is_empty() && found.report.undecided.is_empty();
        if quiet {
            output::line(&format!("ok    {} ({})", found.name, found.path))?;
            continue;
        }
        output::line(&format!("      {} ({})", found.name, found.path))?;
        for kind in [
            FindingKind::Conflict,
            FindingKind::Gap,
            FindingKind::DeadRow,
            FindingKind::RedundantRow,
            FindingKind::NullInput,
        ] {
            findings(found, kind)?;
        }
        found::open_lines(&found.report.undecided, Some(&found.table))?;
        output::line("")?;
    }
    for model in plain {
        output::line(&format!("ok    {model}: no table in it"))?;
    }
    for variation in variations {
        output::line(&format!(
            "      {} under {}",
            variation.default.name, variation.guardrail.name
        ))?;
        if !variation.masked.is_empty() {
            output::line("  warning: looser than the guardrail, which holds here")?;
            let rows: Vec<_> = variation
                .masked
                .iter()
                .map(|masked| {
                    let columns = vec![masked.default.to_string(), masked.guardrail.to_string()];
                    (&masked.region, columns)
                })
                .collect();
            let inputs = found::inputs([&variation.default.table, &variation.guardrail.table]);
            found::region_table(&inputs, &["| default", "| guardrail"], &rows)?;
        }
        found::open_lines(&variation.undecided, None)?;
        output::line("")?;
    }
    Ok(())
}

fn findings(checked: &Checked, kind: FindingKind) -> Result<(), Failure> {
    let all: Vec<&Finding> = checked.report.of(kind).collect();
    if all.is_empty() {
        return Ok(());
    }
    let policy = checked.table.hit_policy().name();
    let said = match kind {
        FindingKind::Conflict => format!("error: rows contradict each other under {policy}"),
        FindingKind::Gap => "warning: no row covers this; a row with these cells would".to_owned(),
        FindingKind::DeadRow => "warning: rows that never answer".to_owned(),
        FindingKind::RedundantRow => {
            "warning: rows without which every answer is the same".to_owned()
        }
        FindingKind::NullInput => "note: no row covers some cases where this is null".to_owned(),
    };
    output::line(&format!("  {said}"))?;
    let rows: Vec<_> = all
        .iter()
        .map(|finding| {
            let mut columns = Vec::new();
            if !finding.rows.is_empty() {
                columns.push(found::ids(&checked.table, &finding.rows).join(" / "));
            }
            if matches!(kind, FindingKind::DeadRow | FindingKind::RedundantRow) {
                columns.push(found::ids(&checked.table, &finding.instead).join(", "));
            }
            columns.push(
                finding
                    .witness
                    .as_ref()
                    .map(found::facts_text)
                    .unwrap_or_default(),
            );
            (&finding.region, columns)
        })
        .collect();
    let headings: &[&str] = match kind {
        FindingKind::Conflict => &["| rows", "| such as"],
        FindingKind::DeadRow | FindingKind::RedundantRow => &["| row", "| answers", "| such as"],
        _ => &["| such as"],
    };
    found::region_table(&found::inputs([&checked.table]), headings, &rows)
}

#[derive(Serialize)]
struct Printed {
    errors: u64,
    warnings: u64,
    tables: Vec<PrintedTable>,
    variations: Vec<PrintedVariation>,
}

#[derive(Serialize)]
struct PrintedTable {
    file: String,
    name: String,
    hit_policy: &'static str,
    findings: Vec<found::Printed>,
    undecided: Vec<found::Open>,
}

#[derive(Serialize)]
struct PrintedVariation {
    default: String,
    guardrail: String,
    masked: Vec<PrintedMasked>,
    undecided: Vec<found::Open>,
}

#[derive(Serialize)]
struct PrintedMasked {
    region: Vec<found::Cell>,
    witness: Option<Box<RawValue>>,
    default: found::Given,
    guardrail: found::Given,
}

impl Printed {
    fn of(checked: &[Checked], variations: &[Variation], errors: u64, warnings: u64) -> Self {
        let table = |checked: &Checked| PrintedTable {
            file: checked.path.clone(),
            name: checked.name.clone(),
            hit_policy: checked.table.hit_policy().name(),
            findings: checked
                .report
                .findings
                .iter()
                .map(|f| found::Printed::of(f, &checked.table))
                .collect(),
            undecided: checked
                .report
                .undecided
                .iter()
                .map(|u| found::Open::of(u, Some(&checked.table)))
                .collect(),
        };
        let variation = |variation: &Variation| PrintedVariation {
            default: variation.default.name.to_string(),
            guardrail: variation.guardrail.name.to_string(),
            masked: variation
                .masked
                .iter()
                .map(|masked| PrintedMasked {
                    region: found::region(&masked.region),
                    witness: found::facts(&masked.witness),
                    default: found::Given::of(&masked.default),
                    guardrail: found::Given::of(&masked.guardrail),
                })
                .collect(),
            undecided: variation
                .undecided
                .iter()
                .map(|u| found::Open::of(u, None))
                .collect(),
        };
        Self {
            errors,
            warnings,
            tables: checked.iter().map(table).collect(),
            variations: variations.iter().map(variation).collect(),
        }
    }
}
