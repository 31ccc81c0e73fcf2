//! `bylaw policy eval`.

use super::Eval;
use crate::{args::Output, failure::Failure};

pub fn run(_form: Output, _args: &Eval) -> Result<(), Failure> {
    Err(Failure::failed("not there yet"))
}
