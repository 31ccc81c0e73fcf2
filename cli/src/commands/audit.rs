//! `bylaw audit`.

use std::{
    io::{self, Write as _},
    path::Path,
};

use ::audit::verify::What;
use contracts::audit::{
    ExportRecordsRequest, GetCheckpointRequest, GetLineageRequest, Lineage, Outcome, Record,
};
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::input;
use crate::{
    args::{AuditCommand, Common, Output},
    connect::{Session, Wants},
    failure::{Exit, Failure},
    output,
};

pub async fn run(common: &Common, command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Lineage {
            id,
            lines,
            checkpoint,
        } => lineage(common, id, lines, checkpoint.as_deref()).await,
        AuditCommand::Export { start, tree_size } => export(common, start, tree_size).await,
        AuditCommand::Checkpoint => checkpoint(common).await,
        AuditCommand::Verify {
            file,
            key,
            checkpoint,
        } => verify(common, &file, &key, checkpoint.as_deref()),
    }
}

async fn lineage(
    common: &Common,
    id: String,
    lines: bool,
    held: Option<&Path>,
) -> Result<(), Failure> {
    let held = held.map(held_size).transpose()?.unwrap_or(0);
    let session = Session::open(common, Wants::permission("audit.record.read")).await?;
    let lineage = read_lineage(&session, &id, held).await?;
    if lineage.records.is_empty() {
        return Err(Failure::failed(format!(
            "nothing is recorded of {id}, or it is outside your scopes; correlation ids are those of the events, such as an order's number"
        )));
    }
    if lines {
        return lineage.lines.iter().try_for_each(|line| raw(line));
    }
    match common.output {
        Output::Json => output::message(&lineage),
        Output::Text | Output::Junit => print(&id, &lineage),
    }
}

/// The tree size of a checkpoint file: the second line of the note.
fn held_size(path: &Path) -> Result<i64, Failure> {
    let note = text(path)?;
    note.lines()
        .nth(1)
        .and_then(|size| size.parse().ok())
        .ok_or_else(|| {
            Failure::usage(format!(
                "{}:2: found no tree size, expected a signed checkpoint",
                path.display()
            ))
        })
}

fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// The whole lineage: pages put together. With the size of a checkpoint that is held, the
/// lines prove that the log continues it.
pub async fn read_lineage(
    session: &Session,
    id: &str,
    held_tree_size: i64,
) -> Result<Lineage, Failure> {
    let mut whole = Lineage::default();
    loop {
        let request = GetLineageRequest {
            correlation_id: id.to_owned(),
            page_size: 1_000,
            page_token: whole.next_page_token.clone(),
            held_tree_size,
        };
        let page = session.audit().get_lineage(request).await?.into_inner();
        whole.records.extend(page.records);
        whole.lines.extend(page.lines);
        whole.checkpoint = page.checkpoint;
        for trace in page.trace_ids {
            if !whole.trace_ids.contains(&trace) {
                whole.trace_ids.push(trace);
            }
        }
        whole.next_page_token = page.next_page_token;
        if whole.next_page_token.is_empty() {
            return Ok(whole);
        }
    }
}

fn print(id: &str, lineage: &Lineage) -> Result<(), Failure> {
    output::table(
        [
            "index", "when", "service", "who", "what", "resource", "outcome",
        ],
        lineage.records.iter().map(|record| {
            [
                record.index.to_string(),
                output::time(record.occur_time.as_ref()),
                record.producer.clone(),
                who(record),
                record.action.clone(),
                record.resource.clone(),
                match record.outcome() {
                    Outcome::Done => "done".to_owned(),
                    Outcome::Refused => "REFUSED".to_owned(),
                    Outcome::Unspecified => String::new(),
                },
            ]
        }),
    )?;
    let size = lineage
        .checkpoint
        .as_ref()
        .map_or(0, |checkpoint| checkpoint.tree_size);
    let records = i64::try_from(lineage.records.len()).unwrap_or(i64::MAX);
    output::line(&format!(
        "{} of {id}, in a log of {size}",
        output::count(records, "record")
    ))?;
    for trace in &lineage.trace_ids {
        output::line(&format!("  trace {trace}"))?;
    }
    Ok(())
}

fn who(record: &Record) -> String {
    record.actor.as_ref().map_or_else(String::new, |actor| {
        if actor.via.is_empty() {
            actor.subject.clone()
        } else {
            format!("{} via {}", actor.subject, actor.via)
        }
    })
}

async fn export(common: &Common, start_index: i64, tree_size: i64) -> Result<(), Failure> {
    let session = Session::open(common, Wants::permission("audit.record.export")).await?;
    let request = ExportRecordsRequest {
        start_index,
        tree_size,
    };
    let mut stream = session.audit().export_records(request).await?.into_inner();
    while let Some(part) = stream.message().await? {
        raw(&part.lines)?;
    }
    Ok(io::stdout().flush()?)
}

fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::said(Exit::Failed)),
        other => Ok(other?),
    }
}

async fn checkpoint(common: &Common) -> Result<(), Failure> {
    let session = Session::open(common, Wants::permission("audit.checkpoint.read")).await?;
    let checkpoint = session
        .audit()
        .get_checkpoint(GetCheckpointRequest {})
        .await?
        .into_inner();
    match common.output {
        Output::Json => output::message(&checkpoint)?,
        Output::Text | Output::Junit => raw(checkpoint.note.as_bytes())?,
    }
    match checkpoint.log_corrupt.as_str() {
        "" => Ok(()),
        found => Err(Failure::failed(format!(
            "this is the last checkpoint that was signed: {found}"
        ))),
    }
}

fn verify(common: &Common, file: &Path, key: &Path, old: Option<&Path>) -> Result<(), Failure> {
    let key_text = text(key)?;
    let held = old.map(text).transpose()?;
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let outcome = ::audit::verify::verify(
        input::open(file)?,
        key_text.trim(),
        held.as_deref(),
        &mut |records| {
            bar.set_position(records);
        },
    );
    bar.finish_and_clear();
    match outcome {
        Ok(verified) => match common.output {
            Output::Json => output::json(&verified),
            Output::Text | Output::Junit => output::line(&verified.to_string()),
        },
        Err(problem) => {
            let (exit, blamed) = blame(&problem.what, file, key, old);
            Err(Failure {
                exit,
                message: format!("{}: {problem}", blamed.display()),
            })
        }
    }
}

/// Which file a problem is in: an auditor must not read a mistyped key as a tampered log.
fn blame<'p>(
    what: &What,
    file: &'p Path,
    key: &'p Path,
    old: Option<&'p Path>,
) -> (Exit, &'p Path) {
    let old = old.unwrap_or(file);
    match what {
        What::Key(_) => (Exit::Usage, key),
        What::HeldForm(_) => (Exit::Usage, old),
        What::Io(_) => (Exit::Usage, file),
        What::Held(_) => (Exit::Unverified, old),
        _ => (Exit::Unverified, file),
    }
}
