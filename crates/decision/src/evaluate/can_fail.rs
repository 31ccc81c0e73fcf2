//! Which expressions may have no result.

use super::variables::unknown_in;
use crate::{
    sfeel::{Expression, Function, Node, Operator, Scope},
    types::Type,
};

/// Whether an unknown fact decides if an expression has a result, where `?` in it is an
/// unknown value of a type. Overflow of sums and products, far beyond any amount, isn't
/// counted.
pub(super) fn can_fail(node: &Node, input: &Type, scope: &Scope<'_>) -> bool {
    let open = |node: &Node| node.has_input() || !unknown_in(node, scope).is_empty();
    let fails_itself = match &node.expression {
        Expression::Arithmetic(Operator::Divide, _, right) => open(right),
        Expression::Arithmetic(Operator::Power, ..) => open(node),
        Expression::Literal(_)
        | Expression::Fact(..)
        | Expression::Input
        | Expression::Negate(_)
        | Expression::Arithmetic(..)
        | Expression::Compare(..)
        | Expression::Logic(..)
        | Expression::Between(_)
        | Expression::In(..)
        | Expression::InstanceOf(..)
        | Expression::If(_)
        | Expression::List(_) => false,
        Expression::Call(Function::Builtin(builtin), _) if builtin.is_total() => {
            is_loose(node, input, scope) && open(node)
        }
        // Of whatever else there is, any part that is unknown may decide.
        _ => open(node),
    };
    let mut fails = fails_itself;
    node.children(&mut |child| fails = fails || can_fail(child, input, scope));
    fails
}

/// Whether the types in an expression let through what functions have no result for.
fn is_loose(node: &Node, input: &Type, scope: &Scope<'_>) -> bool {
    let mut loose = node.has_input() && lets_through(input);
    node.facts(&mut |name| loose |= scope.declared(name).is_none_or(lets_through));
    loose
}

/// Whether values of one type may not go together.
fn lets_through(ty: &Type) -> bool {
    match ty {
        Type::Any
        | Type::Context
        | Type::AnyDateTime
        | Type::Time
        | Type::Money { currency: None } => true,
        Type::List(of) => lets_through(of),
        Type::Structure(fields) => fields.values().any(lets_through),
        _ => false,
    }
}
