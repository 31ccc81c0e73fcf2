//! The condition that every finder puts on a scope column.

use sea_orm::{ColumnTrait, Condition, ExprTrait as _, sea_query::Expr};

use crate::identity::Scopes;

/// Whether a scope column is at or below one of the scopes; with none, nothing is.
#[must_use]
pub fn within(column: impl ColumnTrait, scopes: &Scopes) -> Condition {
    let Some(tops) = scopes.prefixes() else {
        return Condition::all();
    };
    let nothing = Condition::any().add(Expr::cust("1 = 0"));
    tops.iter().fold(nothing, |any, scope| {
        // Paths hold no LIKE wildcard: letters, digits, hyphens and slashes.
        let below = format!("{scope}/%");
        any.add(column.eq(scope.as_str()).or(column.like(below)))
    })
}
