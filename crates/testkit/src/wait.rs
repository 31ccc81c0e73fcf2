//! Waiting for conditions, never for time.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

/// Waits until `condition` holds.
///
/// # Panics
/// If it doesn't in `timeout`.
#[track_caller]
pub fn eventually<F, Fut>(timeout: Duration, mut condition: F) -> impl Future<Output = ()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let at = std::panic::Location::caller();
    async move {
        let result = until(timeout, async || {
            if condition().await {
                Ok(())
            } else {
                Err("the condition doesn't hold")
            }
        })
        .await;
        if let Err(error) = result {
            panic!("{at}: after {timeout:?}: {error}");
        }
    }
}

/// Waits until `attempt` answers `Ok`, and answers that.
///
/// # Panics
/// With the last error, if it doesn't in `timeout`.
#[track_caller]
pub fn eventually_ok<T, E, F, Fut>(timeout: Duration, mut attempt: F) -> impl Future<Output = T>
where
    E: Display,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let at = std::panic::Location::caller();
    async move {
        match until(timeout, async || attempt().await).await {
            Ok(value) => value,
            Err(error) => panic!("{at}: after {timeout:?}: {error}"),
        }
    }
}

async fn until<T, E: Display>(
    timeout: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, String> {
    let end = Instant::now() + timeout;
    let mut pause = Duration::from_millis(5);
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error.to_string(),
        };
        if Instant::now() >= end {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(200));
    }
}
