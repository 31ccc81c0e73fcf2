//! Limits on what a table, a cell or a value may hold. They bound memory and time for
//! input that nobody has vouched for; real tables stay far below them.

/// Most rows in a table.
pub const ROWS: usize = 200_000;
/// Most inputs, and most outputs, of a table.
pub const COLUMNS: usize = 1_000;
/// Most cells in a table: rows times inputs, or outputs where those are more. A cell takes some 60 bytes, and its constants.
pub const CELLS: usize = 4_000_000;
/// Most bytes in a cell or an input expression.
pub const CELL_BYTES: usize = 4_096;
/// Deepest nesting of an S-FEEL expression.
pub const EXPRESSION_DEPTH: usize = 64;
/// Deepest nesting while expressions are evaluated, functions that they call included.
pub const EVALUATION_DEPTH: usize = 512;
/// Most steps that one expression takes: operations, and items of lists that it makes.
pub const STEPS: usize = 1_000_000;
/// Most steps that all expressions of one evaluation take.
pub const TOTAL_STEPS: usize = 50_000_000;
/// Deepest nesting of a value, in JSON as in YAML.
pub const VALUE_DEPTH: usize = 64;
/// Most bytes in a name: of a fact, an input, an output or a row.
pub const NAME_BYTES: usize = 256;
/// Most bytes in a YAML, CSV or JSON text.
pub const TEXT_BYTES: usize = 32 * 1024 * 1024;
/// Most nodes in a YAML text.
pub const NODES: usize = 4_000_000;
/// Most diagnostics reported for one table; the rest is only counted.
pub const DIAGNOSTICS: usize = 100;
/// Most diagnostics that are collected before the rest of a text is left unread.
pub const PROBLEMS: usize = 1_000;
/// Most characters of a diagnostic's message.
pub const MESSAGE: usize = 1_024;
/// Most facts that a table declares.
pub const FACTS: usize = 10_000;
/// Most values that a type or an output lists.
pub const VALUES: usize = 5_000;
/// Most inputs, functions and decisions, and most types, of a model.
pub const ELEMENTS: usize = 5_000;
/// Most parts that all types of a model resolve to.
pub const ALL_TYPE_PARTS: usize = 1_000_000;
/// Most names that the expressions of a model see, all in all: what each costs to be read.
pub const VISIBLE_NAMES: usize = 5_000_000;
/// Deepest nesting of elements in a DMN file.
pub const ELEMENT_DEPTH: usize = 256;
/// Most boxed expressions that one evaluation of a model works through.
pub const MODEL_STEPS: usize = 200_000;
/// Most digits of a number: those of decimal128.
pub const DIGITS: usize = 34;
/// Deepest nesting of calls between functions of a model, and of expressions within them.
pub const CALL_DEPTH: usize = 128;
