//! The functions that the language has (DMN 1.5, 10.3.4).

mod calendar;
mod contexts;
mod conversion;
mod given;
mod lists;
mod numbers;
mod ranges;
mod signature;
mod statistics;
mod strings;

pub(super) use ranges::{range, within};
pub(super) use signature::Wanted;

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

            /// The parameters, separated by commas, in each way it can be called, with their
            /// types where those are of one kind. One that may be left out ends in `?`, one
            /// that may be repeated in `...`.
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
    Number,
    String,
    Date,
    Time,
    DateTime,
    Months,
    List,
    Context,
    Any,
}

builtins! {
    Not "not" Boolean conversion::not, "negand: boolean";
    Date "date" Date conversion::date, "from" | "year: number, month: number, day: number";
    Time "time" Time conversion::time, "from" | "hour: number, minute: number, second: number, offset: duration?";
    DateAndTime "date and time" DateTime conversion::date_and_time, "from" | "date: date, time: time";
    Duration "duration" Any conversion::duration, "from";
    MonthsBetween "years and months duration" Months calendar::months_between, "from: date, to: date";
    Number "number" Number conversion::number, "from" | "from: string, grouping separator: string, decimal separator: string";
    String "string" String conversion::string, "from";

    StringLength "string length" Number strings::length, "string: string";
    Substring "substring" String strings::substring, "string: string, start position: number, length: number?";
    UpperCase "upper case" String strings::upper_case, "string: string";
    LowerCase "lower case" String strings::lower_case, "string: string";
    Contains "contains" Boolean strings::contains, "string: string, match: string";
    StartsWith "starts with" Boolean strings::starts_with, "string: string, match: string";
    EndsWith "ends with" Boolean strings::ends_with, "string: string, match: string";
    SubstringBefore "substring before" String strings::before, "string: string, match: string";
    SubstringAfter "substring after" String strings::after, "string: string, match: string";
    Matches "matches" Boolean strings::matches, "input: string, pattern: string, flags: string?";
    Replace "replace" String strings::replace, "input: string, pattern: string, replacement: string, flags: string?";
    Split "split" List strings::split, "string: string, delimiter: string";
    StringJoin "string join" String strings::join, "list: list, delimiter: string?";

    Decimal "decimal" Number numbers::decimal, "n: number, scale: number";
    Floor "floor" Number numbers::floor, "n: number, scale: number?";
    Ceiling "ceiling" Number numbers::ceiling, "n: number, scale: number?";
    RoundUp "round up" Number numbers::round_up, "n: number, scale: number?";
    RoundDown "round down" Number numbers::round_down, "n: number, scale: number?";
    RoundHalfUp "round half up" Number numbers::round_half_up, "n: number, scale: number?";
    RoundHalfDown "round half down" Number numbers::round_half_down, "n: number, scale: number?";
    Abs "abs" Any numbers::abs, "n" | "number";
    Modulo "modulo" Number numbers::modulo, "dividend: number, divisor: number";
    Sqrt "sqrt" Number numbers::sqrt, "number: number";
    Log "log" Number numbers::log, "number: number";
    Exp "exp" Number numbers::exp, "number: number";
    Odd "odd" Boolean numbers::odd, "number: number";
    Even "even" Boolean numbers::even, "number: number";

    Count "count" Number statistics::count, "list" | "item...";
    Min "min" Any statistics::min, "list" | "item...";
    Max "max" Any statistics::max, "list" | "item...";
    Sum "sum" Any statistics::sum, "list" | "item...";
    Product "product" Any statistics::product, "list" | "item...";
    Mean "mean" Any statistics::mean, "list" | "item...";
    Median "median" Number statistics::median, "list: list" | "item: number...";
    Stddev "stddev" Number statistics::stddev, "list: list" | "item: number...";
    Mode "mode" List statistics::mode, "list: list" | "item: number...";
    All "all" Boolean statistics::all, "list" | "item...";
    Any "any" Boolean statistics::any, "list" | "item...";

    ListContains "list contains" Boolean lists::contains, "list, element";
    Sublist "sublist" List lists::sublist, "list: list, start position: number, length: number?";
    Append "append" List lists::append, "list, item...";
    Concatenate "concatenate" List lists::concatenate, "list...";
    Union "union" List lists::union, "list...";
    DistinctValues "distinct values" List lists::distinct_values, "list";
    InsertBefore "insert before" List lists::insert_before, "list: list, position: number, newItem";
    Remove "remove" List lists::remove, "list: list, position: number";
    ListReplace "list replace" List lists::replace, "list: list, position: number, newItem";
    Reverse "reverse" List lists::reverse, "list";
    IndexOf "index of" List lists::index_of, "list, match";
    Flatten "flatten" List lists::flatten, "list";
    Sort "sort" List lists::sort, "list, precedes?";

    GetValue "get value" Any contexts::get_value, "m: context, key: string";
    GetEntries "get entries" List contexts::get_entries, "m: context";
    Context "context" Context contexts::context_of, "entries";
    ContextPut "context put" Context contexts::put, "context: context, key: string, value" | "context: context, keys: list, value";
    ContextMerge "context merge" Context contexts::merge, "contexts";
    Is "is" Boolean contexts::is, "value1, value2";

    DayOfWeek "day of week" String calendar::day_of_week, "date: date";
    MonthOfYear "month of year" String calendar::month_of_year, "date: date";
    DayOfYear "day of year" Number calendar::day_of_year, "date: date";
    WeekOfYear "week of year" Number calendar::week_of_year, "date: date";

    Before "before" Boolean ranges::before, "a, b";
    After "after" Boolean ranges::after, "a, b";
    Meets "meets" Boolean ranges::meets, "range1, range2";
    MetBy "met by" Boolean ranges::met_by, "range1, range2";
    Overlaps "overlaps" Boolean ranges::overlaps, "range1, range2";
    OverlapsBefore "overlaps before" Boolean ranges::overlaps_before, "range1, range2";
    OverlapsAfter "overlaps after" Boolean ranges::overlaps_after, "range1, range2";
    Finishes "finishes" Boolean ranges::finishes, "a, range";
    FinishedBy "finished by" Boolean ranges::finished_by, "range, a";
    Includes "includes" Boolean ranges::includes, "range, a";
    During "during" Boolean ranges::during, "a, range";
    Starts "starts" Boolean ranges::starts, "a, range";
    StartedBy "started by" Boolean ranges::started_by, "range, a";
    Coincides "coincides" Boolean ranges::coincides, "a, b";
}

impl Builtin {
    /// Whether the result is true or false.
    pub(super) fn is_condition(self) -> bool {
        self.kind() == Kind::Boolean
    }

    /// Whether it has a result for all arguments of the types that it takes.
    pub(crate) fn is_total(self) -> bool {
        matches!(
            self,
            Self::Not
                | Self::StringLength
                | Self::UpperCase
                | Self::LowerCase
                | Self::Contains
                | Self::StartsWith
                | Self::EndsWith
                | Self::SubstringBefore
                | Self::SubstringAfter
                | Self::Abs
                | Self::Odd
                | Self::Even
                | Self::Count
                | Self::Min
                | Self::Max
                | Self::Sum
                | Self::Mean
                | Self::Median
                | Self::All
                | Self::Any
                | Self::ListContains
                | Self::Append
                | Self::Concatenate
                | Self::Union
                | Self::DistinctValues
                | Self::Reverse
                | Self::IndexOf
                | Self::Flatten
                | Self::Is
                | Self::DayOfWeek
                | Self::MonthOfYear
                | Self::DayOfYear
                | Self::WeekOfYear
        )
    }

    /// Whether it can be called so.
    pub(super) fn takes(self, arguments: &Arguments) -> Result<(), String> {
        self.arrange(arguments).map(|_| ())
    }

    /// The arguments in the order of the parameters; `None` where one is left out.
    pub(super) fn arrange(self, arguments: &Arguments) -> Result<Vec<Option<&Node>>, String> {
        signature::arrange(self, arguments)
    }

    /// The arguments with the parameters that they are, as far as one takes one kind of value.
    pub(super) fn typed(self, arguments: &Arguments) -> Vec<(&Node, Wanted)> {
        signature::typed(self, arguments)
    }
}
