//! The functions that the language has (DMN 1.5, 10.3.4).

mod conversion;
mod signature;

use super::{
    Arguments, Node,
    eval::{Outcome, Work},
};
use crate::value::Value;

/// Lists the functions: the name, whether the result is a boolean, and the parameters that
/// it takes, in each way it can be called.
macro_rules! builtins {
    ($($variant:ident $name:literal $kind:ident $implementation:path, $($signature:literal)|+;)*) => {
        /// A function that the language has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Builtin {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Builtin {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name, as it is called.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The parameters, separated by commas, in each way it can be called. One that
            /// may be left out ends in `?`, one that may be repeated in `...`.
            #[must_use]
            pub fn signatures(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($signature),+],)* }
            }

            /// What kind of value it gives.
            pub(super) fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// Applies the function to known arguments.
            pub(super) fn apply(self, arguments: &[Value], work: &Work) -> Outcome {
                match self { $(Self::$variant => $implementation(arguments, work),)* }
            }
        }
    };
}

/// What kind of value a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Date,
    Time,
    DateTime,
    Any,
}

builtins! {
    Not "not" Boolean conversion::not, "negand";
    Date "date" Date conversion::date, "from" | "year, month, day";
    Time "time" Time conversion::time, "from" | "hour, minute, second, offset?";
    DateAndTime "date and time" DateTime conversion::date_and_time, "from" | "date, time";
    Duration "duration" Any conversion::duration, "from";
}

impl Builtin {
    /// Whether the result is true or false.
    pub(super) fn is_condition(self) -> bool {
        self.kind() == Kind::Boolean
    }

    /// Whether it can be called so.
    pub(super) fn takes(self, arguments: &Arguments) -> Result<(), String> {
        self.arrange(arguments).map(|_| ())
    }

    /// The arguments in the order of the parameters; `None` where one is left out.
    pub(super) fn arrange(self, arguments: &Arguments) -> Result<Vec<Option<&Node>>, String> {
        signature::arrange(self, arguments)
    }
}
