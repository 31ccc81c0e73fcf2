//! What becomes of an operation that has no result.

/// What becomes of an operation that has no result, such as a division by zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It fails, and the table that asked for it answers nothing: what policies need.
    #[default]
    Strict,
    /// It is null, as the DMN specification says, and is noted as a warning.
    Spec,
}
