//! `bylaw policy import`.

use super::Import;
use crate::failure::Failure;

pub fn run(_args: &Import) -> Result<(), Failure> {
    Err(Failure::failed("not there yet"))
}
