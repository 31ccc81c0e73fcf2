//! `bylaw policy export`.

use super::Export;
use crate::failure::Failure;

pub fn run(_args: &Export) -> Result<(), Failure> {
    Err(Failure::failed("not there yet"))
}
