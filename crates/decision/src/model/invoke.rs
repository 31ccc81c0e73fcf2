//! Calling functions: those of the model, and those that contexts hold.

use super::{
    Declaration, Invocation, Lambda,
    evaluate::{Known, Run},
    frame::Frame,
};
use crate::{
    sfeel::{Given, Scope, fail},
    value::Value,
};

impl<'m> Run<'m> {
    pub(super) fn invoke(
        &self,
        invocation: &'m Invocation,
        scope: &Scope<'_>,
        frame: &Frame<'_, 'm>,
        element: &str,
    ) -> Known {
        let mut arguments = Vec::new();
        for (name, logic) in &invocation.bindings {
            let value = self.value(logic, scope, frame, element)?;
            arguments.push((name.clone(), value));
        }
        self.call(&invocation.function, Given::Named(arguments), scope, frame)
    }

    /// What a function gives for arguments, each of which may be unknown.
    pub(super) fn call(
        &self,
        name: &str,
        arguments: Given,
        caller: &Scope<'_>,
        frame: &Frame<'_, 'm>,
    ) -> Known {
        self.step(|| match (frame.function(name), self.model.function(name)) {
            (Some((lambda, outer)), _) => {
                let frame = Frame::within(self, Some(outer));
                self.apply(name, lambda, &Declaration::any(), arguments, caller, &frame)
            }
            (None, Some(function)) => {
                let frame = Frame::outermost(self);
                let declared = &function.declared;
                self.apply(name, &function.lambda, declared, arguments, caller, &frame)
            }
            (None, None) => Err(fail(0, format!("`{name}` is no function"))),
        })
    }

    fn apply(
        &self,
        name: &str,
        lambda: &'m Lambda,
        declared: &Declaration,
        arguments: Given,
        caller: &Scope<'_>,
        frame: &Frame<'_, 'm>,
    ) -> Known {
        let Some(arguments) = arranged(lambda, arguments) else {
            self.problem(
                name,
                "is called with arguments that it has no parameters for",
            );
            return Ok(Some(Value::Null));
        };
        for ((parameter, declared), value) in lambda.parameters.iter().zip(arguments) {
            let value = self.settled(Ok(value), declared, name);
            frame.set(parameter, value);
        }
        let Some(body) = &lambda.body else {
            self.problem(name, "the model says nothing of how it comes about");
            return Ok(Some(Value::Null));
        };
        let scope = caller.within(frame);
        let value = self.value(body, &scope, frame, name)?;
        Ok(self.settled(Ok(value), declared, name))
    }
}

/// The arguments in the order of the parameters: null for those left out by name. `None`
/// where they don't fit the parameters.
fn arranged(lambda: &Lambda, arguments: Given) -> Option<Vec<Option<Value>>> {
    match arguments {
        Given::Positional(values) => (values.len() == lambda.parameters.len()).then_some(values),
        Given::Named(mut named) => {
            let mut values = Vec::new();
            for (parameter, _) in &lambda.parameters {
                let place = named.iter().position(|(name, _)| name == parameter);
                values.push(match place {
                    Some(place) => named.swap_remove(place).1,
                    None => Some(Value::Null),
                });
            }
            named.is_empty().then_some(values)
        }
    }
}
