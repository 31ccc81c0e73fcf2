//! `bylaw policy import`.

use super::{
    Import,
    source::{Content, Read},
    written,
};
use crate::{args::Output, failure::Failure};

pub fn run(form: Output, args: &Import) -> Result<(), Failure> {
    written::no_json(form, "import", "YAML")?;
    let read = Read::open(&args.file)?;
    read.say_notes();
    let yaml = match &read.content {
        Content::Model(model) => model.to_yaml(),
        Content::Table(table) | Content::Policy(table, _) => table.to_yaml(),
    };
    written::to(args.out.as_deref(), &yaml)
}
