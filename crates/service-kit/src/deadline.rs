//! How long a call may take: the header that says it, and the deadline of the call in
//! work, which its own calls to peers inherit.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use crate::error::{Error, Kind, Reason};

/// Name of the header.
pub(crate) const HEADER: &str = "grpc-timeout";

tokio::task_local! {
    static DEADLINE: Option<Instant>;
}

/// The header's value.
///
/// # Errors
/// If it isn't one to eight digits and a unit, as the gRPC protocol has it.
pub(crate) fn requested(headers: &HeaderMap) -> Result<Option<Duration>, Error> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    let malformed = || Error::invalid(HEADER, "is not one to eight digits and one of H M S m u n");
    let text = value.to_str().map_err(|_| malformed())?;
    let unit = text.chars().next_back().ok_or_else(malformed)?;
    let digits = &text[..text.len() - unit.len_utf8()];
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed());
    }
    let number: u64 = digits.parse().map_err(|_| malformed())?;
    let timeout = match unit {
        'H' => Duration::from_secs(number * 3_600),
        'M' => Duration::from_secs(number * 60),
        'S' => Duration::from_secs(number),
        'm' => Duration::from_millis(number),
        'u' => Duration::from_micros(number),
        'n' => Duration::from_nanos(number),
        _ => return Err(malformed()),
    };
    Ok(Some(timeout))
}

/// Sets the header, in milliseconds where they fit and seconds where they don't.
pub(crate) fn set(headers: &mut HeaderMap, timeout: Duration) {
    let millis = timeout.as_millis().max(1);
    let text = if millis < 100_000_000 {
        format!("{millis}m")
    } else {
        format!("{}S", timeout.as_secs().min(99_999_999))
    };
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(HEADER, value);
    }
}

/// Runs a call's handler with its deadline at hand.
pub(crate) async fn within<F: Future>(deadline: Option<Instant>, work: F) -> F::Output {
    DEADLINE.scope(deadline, work).await
}

/// When the call in work must have ended; `None` outside of calls and for streams.
pub(crate) fn current() -> Option<Instant> {
    DEADLINE.try_with(|deadline| *deadline).ok().flatten()
}

/// What a call that took too long is answered.
pub(crate) fn exceeded(what: impl Into<String>) -> Error {
    Error::new(Kind::DeadlineExceeded, Reason::DeadlineExceeded, what)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Option<Duration>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(value).unwrap());
        requested(&headers)
    }

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        for (text, timeout) in [
            ("1H", Duration::from_secs(3_600)),
            ("2M", Duration::from_secs(120)),
            ("3S", Duration::from_secs(3)),
            ("4m", Duration::from_millis(4)),
            ("5u", Duration::from_micros(5)),
            ("99999999n", Duration::from_nanos(99_999_999)),
            ("0S", Duration::ZERO),
        ] {
            assert_eq!(read(text).unwrap(), Some(timeout), "{text}");
        }
        assert_eq!(requested(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn malformed_timeouts_are_refused() {
        for bad in [
            "",
            "S",
            "10",
            "10s",
            "123456789S",
            "-1S",
            "1.5S",
            "1 S",
            "+1S",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_set_is_read_back() {
        for timeout in [Duration::from_millis(1_500), Duration::from_secs(200_000)] {
            let mut headers = HeaderMap::new();
            set(&mut headers, timeout);
            assert_eq!(requested(&headers).unwrap(), Some(timeout));
        }
    }
}
