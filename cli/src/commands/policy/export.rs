//! `bylaw policy export`.

use decision::{Diagnostic, dmn};

use super::{
    Export, Form,
    eval::chosen,
    source::{Content, Read},
    written,
};
use crate::{args::Output, failure::Failure};

pub fn run(form: Output, args: &Export) -> Result<(), Failure> {
    written::no_json(form, "export", "what --to says")?;
    let read = Read::open(&args.file)?;
    let text = match args.to {
        Form::Dmn => to_dmn(&read),
        Form::Csv => to_csv(&read, args.decision.as_deref()),
        Form::Md => to_markdown(&read, args.decision.as_deref()),
    }?;
    read.say_notes();
    written::to(args.out.as_deref(), &text)
}

fn to_dmn(read: &Read) -> Result<String, Failure> {
    let written = match &read.content {
        Content::Model(model) => dmn::write(model),
        Content::Table(table) => dmn::write_table(table),
        Content::Policy(_, place) => Err(vec![Diagnostic::new(
            *place,
            "DMN has no words for a policy's workflow, scope and mode; csv and md take its table",
        )]),
    };
    written.map_err(|problems| read.unusable(&problems))
}

fn to_csv(read: &Read, decision: Option<&str>) -> Result<String, Failure> {
    let written = match &read.content {
        Content::Table(table) | Content::Policy(table, _) => table.to_csv(),
        Content::Model(model) => {
            let name = chosen(model, decision)?;
            let table = model.decision(&name).and_then(|decision| decision.table());
            match table {
                Some(table) => table.to_csv(),
                None => return Err(Failure::usage(format!("`{name}` is no table"))),
            }
        }
    };
    written.map_err(|problems| read.unusable(&problems))
}

fn to_markdown(read: &Read, decision: Option<&str>) -> Result<String, Failure> {
    Ok(match (&read.content, decision) {
        (Content::Table(table) | Content::Policy(table, _), _) => table.to_markdown(),
        (Content::Model(model), None) => model.to_markdown(),
        (Content::Model(model), wanted) => {
            let name = chosen(model, wanted)?;
            let table = model.decision(&name).and_then(|decision| decision.table());
            match table {
                Some(table) => table.to_markdown(),
                None => return Err(Failure::usage(format!("`{name}` is no table"))),
            }
        }
    })
}
