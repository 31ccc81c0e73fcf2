//! Functions that a model defines.

use decision::{
    Type, Value,
    sfeel::{Environment, Failure, Given, Mode, Names, Node, Scope, calculate, parse_expression},
};

/// Functions of one parameter, by name.
struct Library(Vec<(&'static str, &'static str, Node)>);

/// A function's parameter, within the library.
struct Parameter<'l> {
    library: &'l Library,
    name: &'static str,
    value: Option<Value>,
}

impl Library {
    fn new(functions: &[(&'static str, &'static str, &str)]) -> Self {
        let names = |parameter| {
            Names::new([parameter])
                .with_functions(functions.iter().map(|(name, ..)| *name))
                .in_mode(Mode::Spec)
        };
        let parsed = functions.iter().map(|(name, parameter, body)| {
            (
                *name,
                *parameter,
                parse_expression(body, &names(*parameter)).unwrap(),
            )
        });
        Self(parsed.collect())
    }

    fn value(&self, text: &str, mode: Mode) -> Result<Option<Value>, Failure> {
        let names = Names::new(["u"])
            .with_functions(self.0.iter().map(|(name, ..)| *name))
            .in_mode(mode);
        let node = parse_expression(text, &names).unwrap();
        calculate(&node, &Scope::over(self, mode))
    }

    fn shown(&self, text: &str, mode: Mode) -> String {
        match self.value(text, mode) {
            Ok(value) => value.map_or("unknown".to_owned(), |value| value.to_string()),
            Err(failure) => failure.message,
        }
    }
}

impl Environment for Library {
    fn lookup(&self, _: &str) -> Option<Value> {
        None
    }

    fn declared(&self, _: &str) -> Option<&Type> {
        None
    }

    fn call(
        &self,
        name: &str,
        arguments: Given,
        at: usize,
        caller: &Scope<'_>,
    ) -> Result<Option<Value>, Failure> {
        let function = self.0.iter().find(|(known, ..)| *known == name);
        let Some((_, parameter, body)) = function else {
            let message = format!("no function {name}");
            return Err(Failure {
                input: 0,
                row: None,
                at,
                message,
            });
        };
        let value = match arguments {
            Given::Positional(mut values) => values.pop().flatten(),
            Given::Named(mut values) => values.pop().and_then(|(_, value)| value),
        };
        let bound = Parameter {
            library: self,
            name: parameter,
            value,
        };
        calculate(body, &caller.within(&bound))
    }
}

impl Environment for Parameter<'_> {
    fn lookup(&self, name: &str) -> Option<Value> {
        self.value.clone().filter(|_| name == self.name)
    }

    fn declared(&self, _: &str) -> Option<&Type> {
        None
    }

    fn call(
        &self,
        name: &str,
        arguments: Given,
        at: usize,
        caller: &Scope<'_>,
    ) -> Result<Option<Value>, Failure> {
        self.library.call(name, arguments, at, caller)
    }
}

#[test]
fn functions_take_arguments_by_place_and_by_name() {
    let library = Library::new(&[
        ("twice it", "some number", "2 * some number"),
        (
            "factorial",
            "n",
            "if n <= 1 then 1 else n * factorial(n - 1)",
        ),
        ("lib.inverse", "x", "1 / x"),
    ]);
    let value = |text| library.shown(text, Mode::Strict);
    assert_eq!(value("twice it(3) + 1"), "7");
    assert_eq!(value("twice it(some number: 3)"), "6");
    assert_eq!(value("factorial(10)"), "3628800");
    assert_eq!(value("for i in 1..3 return factorial(i)"), "[1,2,6]");
    assert_eq!(value("twice it(u)"), "unknown");
    assert_eq!(value("lib.inverse(0)"), "division by zero");
    assert_eq!(
        value("twice it + 1"),
        "function `twice it` is no value here"
    );
    assert_eq!(library.shown("lib.inverse(0)", Mode::Spec), "null");
    assert_eq!(library.shown("[lib.inverse(0), 1]", Mode::Spec), "[null,1]");
}

#[test]
fn recursion_ends() {
    let library = Library::new(&[
        ("down", "n", "down(n + 1)"),
        (
            "tree",
            "n",
            "if n = 0 then 1 else tree(n - 1) + tree(n - 1)",
        ),
        (
            "deep",
            "n",
            "-(-(-(-(-(-(if true then [deep(n)][1] else 1))))))",
        ),
        (
            "wide",
            "n",
            "wide(n)[some x in [1] satisfies x in (wide(n), 2)]",
        ),
    ]);
    for mode in [Mode::Strict, Mode::Spec] {
        let deeper = "the expression nests deeper than is allowed";
        assert_eq!(library.shown("down(1)", mode), deeper);
        assert_eq!(library.shown("deep(1)", mode), deeper);
        assert_eq!(library.shown("wide(1)", mode), deeper);
        let more = "the expression takes more work than is allowed";
        assert_eq!(library.shown("tree(22)", mode), more);
        assert_eq!(library.shown("tree(8)", mode), "256");
    }
}
