//! Bodies of answers that end on time: by a deadline, or when they have rested too long.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::task::AtomicWaker;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use tonic::{Status, body::Body};

use crate::{deadline, error::Error};

type Polled = Poll<Option<Result<Frame<Bytes>, Status>>>;

/// The trailers that end a call with an error.
pub(crate) fn trailers(error: Error) -> Frame<Bytes> {
    let mut headers = HeaderMap::new();
    // It fails only for details that aren't a header's; ours are base64.
    let _ = Status::from(error).add_header(&mut headers);
    Frame::trailers(headers)
}

/// A client's view of an answer, which fails at the deadline.
pub(crate) fn until(inner: Body, at: Instant) -> Body {
    Body::new(Until::new(inner, at, Late::Fails))
}

/// A server's answer, which ends with `DEADLINE_EXCEEDED` at the deadline.
pub(crate) fn answer_until(inner: Body, at: Instant) -> Body {
    Body::new(Until::new(inner, at, Late::Ends))
}

enum Late {
    /// The reader sees an error.
    Fails,
    /// The reader sees trailers with one.
    Ends,
}

struct Until {
    /// Gone once it is too late, so that what it holds goes too.
    inner: Option<Body>,
    sleep: Pin<Box<Sleep>>,
    late: Late,
}

impl Until {
    fn new(inner: Body, at: Instant, late: Late) -> Self {
        Self {
            inner: Some(inner),
            sleep: Box::pin(tokio::time::sleep_until(at)),
            late,
        }
    }
}

impl HttpBody for Until {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(inner).poll_frame(context) {
            return Poll::Ready(frame);
        }
        if this.sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        this.inner = None;
        let error = deadline::exceeded("the answer was not complete within the deadline");
        Poll::Ready(Some(match this.late {
            Late::Fails => Err(error.into()),
            Late::Ends => Ok(trailers(error)),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

/// When a stream last moved, in either direction.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    start: Instant,
    /// Milliseconds from `start`.
    last: Arc<AtomicU64>,
    idle: Duration,
}

impl Activity {
    /// A stream that may rest for `idle`.
    pub(crate) fn new(idle: Duration) -> Self {
        Self {
            start: Instant::now(),
            last: Arc::default(),
            idle,
        }
    }

    fn touch(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    fn ends(&self) -> Instant {
        self.start + Duration::from_millis(self.last.load(Ordering::Relaxed)) + self.idle
    }

    /// Ends when the stream has rested for too long.
    pub(crate) async fn rested(&self) {
        while self.ends() > Instant::now() {
            tokio::time::sleep_until(self.ends()).await;
        }
    }

    /// What a stream that rested too long is answered.
    pub(crate) fn error(&self) -> Error {
        let seconds = self.idle.as_secs();
        deadline::exceeded(format!("the stream rested for {seconds} s, open it again"))
    }

    /// A request's body that counts as activity.
    pub(crate) fn request(&self, inner: Body) -> Body {
        Body::new(Touching {
            inner,
            activity: self.clone(),
        })
    }

    /// An answer's body that counts as activity, and ends when the stream rests. A client
    /// that doesn't read keeps its own stream open, and nothing of ours: the handler's
    /// part goes even while nobody polls it.
    pub(crate) fn answer(&self, inner: Body) -> Body {
        let slot = Arc::new(Slot {
            inner: Mutex::new(Some(inner)),
            waker: AtomicWaker::new(),
        });
        tokio::spawn(watch(self.clone(), Arc::downgrade(&slot)));
        Body::new(Resting {
            slot,
            activity: self.clone(),
            ended: false,
        })
    }
}

struct Touching {
    inner: Body,
    activity: Activity,
}

impl HttpBody for Touching {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if polled.is_ready() {
            self.activity.touch();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

struct Slot {
    inner: Mutex<Option<Body>>,
    waker: AtomicWaker,
}

impl Slot {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Body>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn watch(activity: Activity, slot: Weak<Slot>) {
    loop {
        let ends = activity.ends();
        if Instant::now() >= ends {
            break;
        }
        // The answer may be long over: looking now and then costs less than a signal.
        let look = Instant::now() + Duration::from_secs(5);
        tokio::time::sleep_until(ends.min(look)).await;
        if slot.strong_count() == 0 {
            return;
        }
    }
    if let Some(slot) = slot.upgrade() {
        let inner = slot.lock().take();
        drop(inner);
        slot.waker.wake();
    }
}

struct Resting {
    slot: Arc<Slot>,
    activity: Activity,
    ended: bool,
}

impl HttpBody for Resting {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        if self.ended {
            return Poll::Ready(None);
        }
        self.slot.waker.register(context.waker());
        let mut inner = self.slot.lock();
        let Some(body) = inner.as_mut() else {
            drop(inner);
            self.ended = true;
            return Poll::Ready(Some(Ok(trailers(self.activity.error()))));
        };
        let polled = Pin::new(body).poll_frame(context);
        drop(inner);
        if let Poll::Ready(frame) = &polled {
            self.activity.touch();
            self.ended = !matches!(frame, Some(Ok(frame)) if frame.is_data());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

/// A body that keeps something until it ends, such as a permit.
pub(crate) fn keeping<T: Send + Unpin + 'static>(inner: Body, kept: T) -> Body {
    Body::new(Keeping { inner, _kept: kept })
}

struct Keeping<T> {
    inner: Body,
    _kept: T,
}

impl<T: Unpin> HttpBody for Keeping<T> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
