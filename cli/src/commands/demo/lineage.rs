//! The sixth step: an auditor verifies the lineage offline, against a checkpoint they hold.

use super::{
    act::expect,
    stage::{Stage, until},
    step::Step,
};
use crate::{commands::audit, failure::Failure};

/// Plays the audit.
pub async fn verify(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let auditor = stage.cast.auditor.clone();
    let session = stage.session(&auditor)?;
    let held = stage.held.tree_size;
    // Records follow through the outboxes: all five services have something to tell.
    let lineage = until("the record of the whole story", || async {
        let lineage = audit::read_lineage(&session, &stage.order, held).await?;
        let told = |action: &str| lineage.records.iter().any(|r| r.action == action);
        let mut producers: Vec<_> = lineage
            .records
            .iter()
            .map(|r| r.producer.as_str())
            .collect();
        producers.sort_unstable();
        producers.dedup();
        let whole = told("exceptions.exception.resolve")
            && told("aigate.recommendation.record-outcome")
            && producers.len() >= 4;
        Ok(whole.then_some(lineage))
    })
    .await?;
    let size = lineage
        .checkpoint
        .as_ref()
        .map_or(0, |checkpoint| checkpoint.tree_size);
    let said = step.say(
        &auditor,
        format!("everything recorded of {}", stage.order),
        format!(
            "{} records, {} in a log of {size}",
            lineage.records.len(),
            traces(&lineage.trace_ids)
        ),
    );
    for record in &lineage.records {
        let who = record
            .actor
            .as_ref()
            .map_or("", |actor| actor.subject.as_str());
        said.because(format!(
            "#{} {}: {} by {who}",
            record.index, record.producer, record.action
        ));
    }
    let key_file = stage.data_dir().join("audit-log.pub");
    let key = std::fs::read_to_string(&key_file)
        .map_err(|error| Failure::usage(format!("{}: {error}", key_file.display())))?;
    let lines = lineage.lines.concat();
    let older = (held > 0).then_some(stage.held.note.as_str());
    let report = ::audit::verify::verify(lines.as_slice(), key.trim(), older, &mut |_| ())
        .map_err(|problem| Failure::failed(format!("the lineage should verify: {problem}")))?;
    step.say(
        &auditor,
        format!("does it verify without any service, and continue the log of {held} that I hold"),
        report.to_string(),
    );
    expect(
        lineage.trace_ids.iter().filter(|id| !id.is_empty()).count() == 1,
        || {
            format!(
                "the story should be one trace, not: {}",
                lineage.trace_ids.join(", ")
            )
        },
    )
}

fn traces(ids: &[String]) -> String {
    match ids {
        [one] => format!("one trace {one}"),
        many => format!("{} traces", many.len()),
    }
}
