//! `bylaw demo`: the story of one order, told by those who act in it.
//!
//! Nobody is named here: the data directory's principals say who may do what in the
//! unit, and the story picks its cast among them.

mod act;
mod cast;
mod change;
mod lineage;
mod records;
mod release;
mod stage;
mod step;

use crate::{
    args::{Common, Demo},
    failure::{Exit, Failure},
    output,
};
pub use step::Step;

/// Plays the story and prints each step.
pub async fn run(common: &Common, args: &Demo) -> Result<(), Failure> {
    let steps = play(common, args).await?;
    let failed = steps.iter().filter(|step| step.wrong.is_some()).count();
    match common.output {
        crate::args::Output::Json => output::json(&serde_json::json!({
            "passed": steps.len() - failed, "failed": failed, "steps": steps,
        }))?,
        crate::args::Output::Text | crate::args::Output::Junit => output::line(&format!(
            "\n{} of {} came out as it should",
            steps.len() - failed,
            output::count(i64::try_from(steps.len()).unwrap_or(i64::MAX), "step")
        ))?,
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::said(Exit::Failed))
    }
}

/// Plays the story; a step that comes out wrong ends it.
pub async fn play(common: &Common, args: &Demo) -> Result<Vec<Step>, Failure> {
    let mut stage = stage::Stage::set(common, args).await?;
    let mut steps = Vec::new();
    for act in act::STORY {
        let step = act.play(&mut stage).await;
        if common.output == crate::args::Output::Text {
            step.print()?;
        }
        let over = step.wrong.is_some();
        steps.push(step);
        if over {
            break;
        }
    }
    Ok(steps)
}
