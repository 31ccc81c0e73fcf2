//! `bylaw policy diff`.

use std::{collections::BTreeMap, path::Path};

use decision::{Output as Given, Table, Value, analyse::Difference};
use governance::{
    Bundle,
    analysis::{self, BundleDifference, ScopeDifference},
};

use super::{
    Diff, found,
    load::Loaded,
    lone::{self, Lone},
    printed,
    source::{self, Content},
    versions::{self, Versions},
};
use crate::{
    args::Output,
    commands::input,
    failure::{Exit, Failure},
    output,
};

/// What stands behind a region.
const HEADINGS: [&str; 4] = ["| change", "| old", "| new", "| such as"];

/// What a path stands for.
enum Side {
    /// A table or model by itself.
    Lone(Box<Lone>),
    /// Documents.
    Files(Box<Loaded>),
}

pub fn run(form: Output, args: &Diff) -> Result<(), Failure> {
    if args.old == Path::new("-") && args.new == Path::new("-") {
        return Err(Failure::usage("only one of the two can be standard input"));
    }
    let same = match (side(&args.old)?, side(&args.new)?) {
        (Side::Lone(old), Side::Lone(new)) => alone(form, &old.content, &new.content)?,
        (Side::Files(old), Side::Files(new)) => documents(form, args, *old, *new)?,
        (Side::Lone(_), Side::Files(_)) => return Err(unlike(&args.old, &args.new)),
        (Side::Files(_), Side::Lone(_)) => return Err(unlike(&args.new, &args.old)),
    };
    if same {
        Ok(())
    } else {
        Err(Failure::said(Exit::Different))
    }
}

fn unlike(lone: &Path, other: &Path) -> Failure {
    Failure::usage(format!(
        "{} is a table or model by itself, and {} isn't",
        input::shown(lone),
        input::shown(other)
    ))
}

fn side(path: &Path) -> Result<Side, Failure> {
    let piped = path == Path::new("-");
    let read = match piped || path.is_file() {
        true => {
            let text = source::text(path)?;
            (lone::of_text(path, &text), text)
        }
        false => (None, String::new()),
    };
    Ok(match read {
        (Some(Ok(lone)), _) => Side::Lone(Box::new(lone)),
        (Some(Err(drawn)), _) => return Err(source::unusable(&drawn)),
        (None, text) if piped => Side::Files(Box::new(Loaded::piped(&text)?)),
        (None, _) => Side::Files(Box::new(Loaded::open(&[path.to_owned()])?)),
    })
}

fn bundle(loaded: &Loaded) -> Result<Bundle, Failure> {
    loaded
        .bundle()
        .map_err(|problems| loaded.unusable(&problems))
}

/// Compares two files that are a table or model by themselves; whether they are the same.
fn alone(form: Output, old: &Content, new: &Content) -> Result<bool, Failure> {
    if let (Content::Table(old), Content::Table(new)) = (old, new) {
        return tables(form, old, new);
    }
    let mut versions = Versions::default();
    versions.pair("", old, new);
    print(form, None, &versions)
}

/// Compares what files and folders hold; whether it is the same.
fn documents(form: Output, args: &Diff, mut old: Loaded, mut new: Loaded) -> Result<bool, Failure> {
    let mut sides = [(&args.old, &old), (&args.new, &new)].map(|(path, loaded)| {
        let (found, wrong) = lone::documents(loaded);
        (path, loaded.governs(), found, wrong)
    });
    let mut all = Vec::new();
    for (path, governs, found, wrong) in &mut sides {
        all.append(wrong);
        if !*governs && found.is_empty() && all.is_empty() {
            let path = input::shown(path);
            return Err(Failure::usage(format!(
                "{path}: found no policy, table or model to compare"
            )));
        }
    }
    if !all.is_empty() {
        return Err(source::unusable(&all));
    }
    let [(_, _, mut before, _), (_, _, mut after, _)] = sides;
    if old.asked.len() == 1 && new.asked.len() == 1 {
        by_name(&mut before, &mut after);
    }
    let mut versions = Versions::default();
    versions.all(&before, &after);
    if !old.governs() && !new.governs() {
        return print(form, None, &versions);
    }
    let alone = before.is_empty() && after.is_empty();
    let two = old.only_policy().zip(new.only_policy());
    let two = two.filter(|_| alone);
    if let Some((one, other)) = two.filter(|(one, other)| one != other && old.root == new.root) {
        let bundle = bundle(&old)?;
        let policies =
            (bundle.policies().get(one.as_str())).zip(bundle.policies().get(other.as_str()));
        if let Some((one, other)) = policies {
            return tables(form, &one.table, &other.table);
        }
    }
    old.versions(&mut new)?;
    let whole = |loaded: &Loaded| match loaded.governs() {
        true => bundle(loaded),
        // What belongs to a folder above wasn't asked for.
        false => Ok(Bundle::default()),
    };
    let (old, new) = (whole(&old)?, whole(&new)?);
    print(form, Some((&old, &new)), &versions)
}

/// Of two files, what stands in them is compared by its own name, or as the only thing.
fn by_name(old: &mut [Lone], new: &mut [Lone]) {
    if let ([old], [new]) = (&mut *old, &mut *new) {
        old.below.clone_from(&new.below);
        return;
    }
    for lone in old.iter_mut().chain(new.iter_mut()) {
        lone.below = lone.name().to_owned();
    }
    lone::tell_apart(old);
    lone::tell_apart(new);
}

/// Compares two tables; whether they are the same.
fn tables(form: Output, old: &Table, new: &Table) -> Result<bool, Failure> {
    let difference = versions::difference(old, new);
    if form == Output::Json {
        output::json(&printed::Tables::of(&difference, old, new))?;
    } else {
        table(&difference, Some((old, new)))?;
        summary(difference.changes.len(), difference.undecided.len())?;
    }
    Ok(difference.changes.is_empty() && difference.undecided.is_empty())
}

/// What differs, and between which tables where it is tables.
fn table(difference: &Difference, tables: Option<(&Table, &Table)>) -> Result<(), Failure> {
    let rows: Vec<_> = difference
        .changes
        .iter()
        .map(|change| {
            let columns = vec![
                change.change.as_str().to_owned(),
                outputs_text(&change.old.0),
                outputs_text(&change.new.0),
                found::facts_text(&change.witness),
            ];
            (&change.region, columns)
        })
        .collect();
    if let Some((old, new)) = tables.filter(|_| !rows.is_empty()) {
        let inputs = found::inputs([old, new]);
        found::region_table(&inputs, &HEADINGS, &rows)?;
    }
    found::open_lines(&difference.undecided, None)
}

fn summary(regions: usize, undecided: usize) -> Result<(), Failure> {
    if regions == 0 && undecided == 0 {
        return output::line("no difference: every answer is the same");
    }
    let regions = output::count(regions as u64, "region");
    output::line(&format!(
        "{regions} with another answer, {undecided} undecided"
    ))
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn outputs_text(given: &Given) -> String {
    let one = |outputs: &BTreeMap<String, Value>| {
        let texts = outputs
            .iter()
            .map(|(name, value)| format!("{name}: {}", value_text(value)));
        texts.collect::<Vec<_>>().join(", ")
    };
    match given {
        Given::None => "nothing".to_owned(),
        Given::One(outputs) => one(outputs),
        Given::Many(all) if all.is_empty() => "nothing".to_owned(),
        Given::Many(all) => all.iter().map(one).collect::<Vec<_>>().join("; "),
        Given::Conflict(_) => "conflict".to_owned(),
        Given::Failed(failure) => failure.to_string(),
    }
}

/// Prints how bundles, where there are some, and what stands by itself differ; whether they
/// are the same.
fn print(
    form: Output,
    bundles: Option<(&Bundle, &Bundle)>,
    versions: &Versions<'_>,
) -> Result<bool, Failure> {
    let governed = bundles.map(|(old, new)| analysis::difference(old, new));
    let same = governed.as_ref().is_none_or(BundleDifference::is_none)
        && versions.definitions.is_empty()
        && versions.parts.is_empty();
    if form == Output::Json {
        output::json(&printed::Versions::of(!same, governed.as_ref(), versions))?;
        return Ok(same);
    }
    let definitions = governed.iter().flat_map(|found| &found.definitions);
    let mut defined = 0;
    for text in definitions.chain(&versions.definitions) {
        output::line(&format!("  {text}"))?;
        defined += 1;
    }
    let (mut regions, mut undecided) = (0, 0);
    if let (Some((old, new)), Some(governed)) = (bundles, &governed) {
        for found in &governed.scopes {
            regions += found.difference.changes.len();
            undecided += found.difference.undecided.len();
            scope(old, new, found)?;
        }
    }
    for part in &versions.parts {
        regions += part.difference.changes.len();
        undecided += part.difference.undecided.len();
        output::line(&part.name)?;
        table(&part.difference, part.tables)?;
        output::line("")?;
    }
    if defined == 0 || regions + undecided > 0 {
        summary(regions, undecided)?;
    }
    Ok(same)
}

fn scope(old: &Bundle, new: &Bundle, found: &ScopeDifference) -> Result<(), Failure> {
    let scopes: Vec<_> = found.scopes.iter().map(ToString::to_string).collect();
    output::line(&format!("{} at {}", found.workflow, scopes.join(", ")))?;
    let first = found.scopes.first();
    let sides =
        [old, new].map(|bundle| first.and_then(|scope| bundle.effective(&found.workflow, scope)));
    let layers = sides
        .iter()
        .flatten()
        .flat_map(|effective| effective.layers());
    let inputs = found::inputs(layers.map(|policy| &policy.table));
    let rows: Vec<_> = found
        .difference
        .changes
        .iter()
        .map(|change| {
            let columns = vec![
                change.change.as_str().to_owned(),
                change.old.to_string(),
                change.new.to_string(),
                found::facts_text(&change.witness),
            ];
            (&change.region, columns)
        })
        .collect();
    if !rows.is_empty() {
        found::region_table(&inputs, &HEADINGS, &rows)?;
    }
    found::open_lines(&found.difference.undecided, None)?;
    output::line("")
}
