//! `bylaw replay`.

use std::{collections::BTreeMap, time::Instant};

use contracts::{
    exceptions::{BatchIngestEventsRequest, EventEffect, IngestOutcome, IngestResult},
    types::{CloudEvent, ErrorReason},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use prost::Message as _;

use crate::{
    args::{Common, Output, Replay},
    connect::{Session, Wants},
    failure::Failure,
    log::Log,
    output,
};

/// Most events in a call.
const BATCH: usize = 500;
/// Most bytes of events in a call: well under what a server takes.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// What came of this run.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Events sent: the sum of the next four.
    pub rows: u64,
    /// Taken in.
    pub accepted: u64,
    /// Had been taken in before.
    pub duplicates: u64,
    /// Kept, with a reason, for somebody to look at.
    pub dead_lettered: u64,
    /// Refused, and without effect.
    pub refused: u64,
    /// Exceptions raised, by type.
    pub exceptions: BTreeMap<String, u64>,
    /// Times that an event was attached to an open exception, by type.
    pub evidence: BTreeMap<String, u64>,
    /// Exceptions resolved, by type.
    pub resolved: BTreeMap<String, u64>,
    /// Why events were dead-lettered.
    pub dead_letter_reasons: BTreeMap<String, u64>,
    /// Why events were refused, by documented reason.
    pub refusals: BTreeMap<String, u64>,
}

pub async fn run(common: &Common, args: &Replay) -> Result<(), Failure> {
    let log = Log::open(&args.file, args.mapping.as_deref())?;
    let limit = args.limit.unwrap_or(u64::MAX);
    let mut rows = 0;
    for event in log
        .events()?
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
    {
        event?;
        rows += 1;
    }
    let session = Session::open(common, Wants::erp("exceptions.event.ingest")).await?;
    let started = Instant::now();
    let counts = send(
        &session,
        log.events()?
            .take(usize::try_from(rows).unwrap_or(usize::MAX)),
        rows,
    )
    .await?;
    match common.output {
        Output::Json => output::json(&counts)?,
        Output::Text | Output::Junit => print(&counts, started.elapsed().as_secs_f64())?,
    }
    match counts.refused {
        0 => Ok(()),
        refused => Err(Failure::failed(format!(
            "{} had no effect: {}",
            output::count(refused, "event"),
            because(&counts.refusals)
        ))),
    }
}

/// Why events were refused, for people.
fn because(refusals: &BTreeMap<String, u64>) -> String {
    let why = |(reason, count): (&String, &u64)| match ErrorReason::from_code(reason) {
        Some(ErrorReason::EventSourceForeign) => {
            format!("{count} came of a source that belongs to another principal")
        }
        Some(ErrorReason::EventSourceUndeclared) => {
            format!("{count} came of a source that no setting (service.sources) says whose it is")
        }
        Some(ErrorReason::IdempotencyConflict) => {
            format!("{count} came under the source and id of another one")
        }
        _ => format!("{count} for {reason}"),
    };
    refusals.iter().map(why).collect::<Vec<_>>().join(", ")
}

/// Sends events in their order and counts what came of them.
pub async fn send(
    session: &Session,
    events: impl Iterator<Item = Result<CloudEvent, Failure>>,
    rows: u64,
) -> Result<Counts, Failure> {
    let bar = progress(rows);
    let mut counts = Counts::default();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for event in events {
        let event = event?;
        let size = event.encoded_len();
        if batch.len() == BATCH || (bytes + size > BATCH_BYTES && !batch.is_empty()) {
            flush(session, &mut batch, &mut counts).await?;
            bar.set_position(counts.rows);
            bytes = 0;
        }
        bytes += size;
        batch.push(event);
    }
    flush(session, &mut batch, &mut counts).await?;
    bar.finish_and_clear();
    Ok(counts)
}

/// A bar on a terminal, nothing elsewhere.
fn progress(rows: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(rows), ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos}/{len} events, {per_sec}, {eta} to go")
    {
        bar.set_style(style);
    }
    bar
}

async fn flush(
    session: &Session,
    batch: &mut Vec<CloudEvent>,
    counts: &mut Counts,
) -> Result<(), Failure> {
    if batch.is_empty() {
        return Ok(());
    }
    let sent = batch.len();
    let request = BatchIngestEventsRequest {
        events: std::mem::take(batch),
    };
    let answer = session
        .events()
        .batch_ingest_events(request)
        .await
        .map_err(|status| {
            let failure = Failure::from(status);
            let done = output::count(counts.rows, "event");
            Failure {
                message: format!(
                    "{}; {done} had been sent: repeat the command, they will count as duplicates",
                    failure.message
                ),
                ..failure
            }
        })?;
    let results = answer.into_inner().results;
    if results.len() != sent {
        return Err(Failure::failed(format!(
            "{sent} events sent, {} results came back",
            results.len()
        )));
    }
    results.iter().try_for_each(|result| counts.add(result))
}

impl Counts {
    fn add(&mut self, result: &IngestResult) -> Result<(), Failure> {
        self.rows += 1;
        match result.outcome() {
            IngestOutcome::Accepted => {
                self.accepted += 1;
                for meaning in &result.meanings {
                    let by_type = match meaning.effect() {
                        EventEffect::Raised => &mut self.exceptions,
                        EventEffect::Evidence => &mut self.evidence,
                        EventEffect::Resolved => &mut self.resolved,
                        EventEffect::Unspecified => continue,
                    };
                    *by_type.entry(meaning.exception_type.clone()).or_default() += 1;
                }
            }
            IngestOutcome::Duplicate => self.duplicates += 1,
            IngestOutcome::DeadLettered => {
                self.dead_lettered += 1;
                *self
                    .dead_letter_reasons
                    .entry(result.dead_letter_reason.clone())
                    .or_default() += 1;
            }
            IngestOutcome::Refused => {
                self.refused += 1;
                let reason = result.refusal().code().to_owned();
                *self.refusals.entry(reason).or_default() += 1;
            }
            IngestOutcome::Unspecified => {
                return Err(Failure::failed("an event came back without an outcome"));
            }
        }
        Ok(())
    }
}

/// The counts for people.
pub fn print(counts: &Counts, seconds: f64) -> Result<(), Failure> {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = counts.rows as f64 / seconds.max(0.001);
    output::line(&format!(
        "{} in {seconds:.1} s ({rate:.0}/s)",
        output::count(counts.rows, "event")
    ))?;
    output::line(&format!(
        "  {} accepted, {} duplicates, {} dead-lettered",
        counts.accepted, counts.duplicates, counts.dead_lettered
    ))?;
    if counts.refused > 0 {
        output::line(&format!("  {} refused", counts.refused))?;
    }
    let mut types: Vec<&String> = counts
        .exceptions
        .keys()
        .chain(counts.evidence.keys())
        .chain(counts.resolved.keys())
        .collect();
    types.sort();
    types.dedup();
    if !types.is_empty() {
        let of = |counts: &BTreeMap<String, u64>, name: &String| {
            counts.get(name).copied().unwrap_or(0).to_string()
        };
        output::table(
            ["exception type", "raised", "events as evidence", "resolved"],
            types.into_iter().map(|name| {
                [
                    name.clone(),
                    of(&counts.exceptions, name),
                    of(&counts.evidence, name),
                    of(&counts.resolved, name),
                ]
            }),
        )?;
    }
    for (reason, count) in &counts.dead_letter_reasons {
        output::line(&format!("  {count} × dead-lettered: {reason}"))?;
    }
    Ok(())
}
