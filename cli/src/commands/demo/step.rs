//! What a step of the story asked, got, and why.

use crate::{failure::Failure, output};

/// A step of the story.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Step {
    /// What happens.
    pub title: String,
    /// Who asked for what, and what came back, line by line.
    pub said: Vec<Said>,
    /// What should have come out instead; absent where it came out as it should.
    pub wrong: Option<String>,
}

/// One exchange.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Said {
    /// Who asked.
    pub who: String,
    /// For what.
    pub asked: String,
    /// What came back.
    pub got: String,
    /// Why.
    pub why: Vec<String>,
}

impl Step {
    /// A step that has only begun.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            said: Vec::new(),
            wrong: None,
        }
    }

    /// Notes an exchange.
    pub fn say(
        &mut self,
        who: &str,
        asked: impl Into<String>,
        got: impl Into<String>,
    ) -> &mut Said {
        let at = self.said.len();
        self.said.push(Said {
            who: who.to_owned(),
            asked: asked.into(),
            got: got.into(),
            why: Vec::new(),
        });
        &mut self.said[at]
    }

    /// Prints the step for people.
    pub fn print(&self) -> Result<(), Failure> {
        output::line(&format!("\n{}", self.title))?;
        for said in &self.said {
            output::line(&format!("  {} asked: {}", said.who, said.asked))?;
            output::line(&format!("    got: {}", said.got))?;
            for why in &said.why {
                output::line(&format!("    why: {why}"))?;
            }
        }
        match &self.wrong {
            Some(wrong) => output::line(&format!("  WRONG: {wrong}")),
            None => output::line("  as it should be"),
        }
    }
}

impl Said {
    /// Adds a reason.
    pub fn because(&mut self, why: impl Into<String>) -> &mut Self {
        self.why.push(why.into());
        self
    }
}
