//! Reading one string field out of a unary request on its way to the handler, without
//! decoding the rest: a walk over protobuf's wire format.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use prost::encoding::{WireType, decode_key, decode_varint};
use tonic::{Status, body::Body};

use crate::{
    error::{Error, Kind, Reason, Result},
    limits::MESSAGE_BYTES,
};

/// Bytes before a message: a flag and the length (gRPC over HTTP/2).
const PREFIX: usize = 5;

/// The first message of a body, and the body as it was.
pub(super) struct Peeked {
    pub message: Bytes,
    pub body: Body,
}

/// Reads a body up to the end of its first message.
///
/// # Errors
/// If there is none, it is compressed, or larger than a message may be.
pub(super) async fn peek(mut body: Body) -> Result<Peeked> {
    let mut read = BytesMut::new();
    loop {
        if let Some(end) = message_end(&read)?
            && read.len() >= end
        {
            let read = read.freeze();
            let message = read.slice(PREFIX..end);
            let body = Body::new(Replayed {
                read: Some(read),
                rest: body,
            });
            return Ok(Peeked { message, body });
        }
        match body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    read.extend_from_slice(&data);
                }
            }
            Some(Err(status)) => return Err(broken().with_source(status)),
            None => return Err(broken()),
        }
    }
}

fn broken() -> Error {
    Error::new(
        Kind::InvalidArgument,
        Reason::InvalidArgument,
        "the request ends before its message does",
    )
}

/// Where the first message ends, once its prefix is there.
fn message_end(read: &[u8]) -> Result<Option<usize>> {
    let Some((prefix, _)) = read.split_first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let [flag, a, b, c, d] = *prefix;
    if flag != 0 {
        return Err(Error::new(
            Kind::InvalidArgument,
            Reason::InvalidArgument,
            "compressed requests are not accepted",
        ));
    }
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > MESSAGE_BYTES {
        return Err(Error::new(
            Kind::OutOfRange,
            Reason::TooLarge,
            format!("a message of {length} bytes, at most {MESSAGE_BYTES} are allowed"),
        ));
    }
    Ok(Some(PREFIX + length))
}

/// What was read, then the rest.
struct Replayed {
    read: Option<Bytes>,
    rest: Body,
}

impl http_body::Body for Replayed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(read) = self.read.take() {
            return Poll::Ready(Some(Ok(Frame::data(read))));
        }
        Poll::Ready(ready!(Pin::new(&mut self.rest).poll_frame(cx)))
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let extra = self.read.as_ref().map_or(0, Bytes::len) as u64;
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(extra));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(extra));
        }
        hint
    }
}

/// The string at a path of field numbers; `None` where it isn't set. Where a field comes
/// more than once, what comes last holds, as the handler's decoder has it.
///
/// # Errors
/// If the bytes are no message in which the path can be followed.
pub(super) fn string_at(message: &[u8], path: &[u32]) -> Result<Option<String>, &'static str> {
    let Some((number, below)) = path.split_first() else {
        return Err("no field to look for");
    };
    let mut found = None;
    let mut rest = message;
    while rest.has_remaining() {
        let (tag, wire) = decode_key(&mut rest).map_err(|_| "malformed protobuf")?;
        if tag != *number {
            skip(&mut rest, wire)?;
            continue;
        }
        if wire != WireType::LengthDelimited {
            return Err("malformed protobuf: a field has another type than declared");
        }
        let field = take(&mut rest)?;
        if below.is_empty() {
            let text = std::str::from_utf8(field).map_err(|_| "malformed protobuf: not UTF-8")?;
            found = Some(text.to_owned());
        } else if let Some(inner) = string_at(field, below)? {
            found = Some(inner);
        }
    }
    Ok(found)
}

fn take<'m>(rest: &mut &'m [u8]) -> Result<&'m [u8], &'static str> {
    let length = decode_varint(rest).map_err(|_| "malformed protobuf")?;
    let length = usize::try_from(length).map_err(|_| "malformed protobuf")?;
    let (field, after) = rest
        .split_at_checked(length)
        .ok_or("malformed protobuf: a field ends after the message")?;
    *rest = after;
    Ok(field)
}

fn skip(rest: &mut &[u8], wire: WireType) -> Result<(), &'static str> {
    let fixed = match wire {
        WireType::Varint => {
            decode_varint(rest).map_err(|_| "malformed protobuf")?;
            return Ok(());
        }
        WireType::LengthDelimited => {
            take(rest)?;
            return Ok(());
        }
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        // No message of ours has groups, and following them is what a hostile sender wants.
        WireType::StartGroup | WireType::EndGroup => {
            return Err("malformed protobuf: groups are not accepted");
        }
    };
    *rest = rest
        .get(fixed..)
        .ok_or("malformed protobuf: a field ends after the message")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )]
    use super::*;
    use contracts::{exceptions::IngestEventRequest, types::CloudEvent};
    use prost::Message as _;

    fn request(scope: &str) -> Vec<u8> {
        let event = CloudEvent {
            id: "1".into(),
            scope: scope.into(),
            data: vec![b'x'; 300].into(),
            ..Default::default()
        };
        IngestEventRequest { event: Some(event) }.encode_to_vec()
    }

    #[test]
    fn a_nested_field_is_found() {
        let bytes = request("acme/europe");
        assert_eq!(string_at(&bytes, &[1, 6]), Ok(Some("acme/europe".into())));
        assert_eq!(string_at(&bytes, &[2]), Ok(None));
        assert_eq!(string_at(&[], &[1]), Ok(None));
    }

    #[test]
    fn the_last_of_several_holds_as_the_decoder_has_it() {
        for (first, second) in [("a", "b"), ("a", ""), ("", "b")] {
            let bytes = [request(first), request(second)].concat();
            let decoded = IngestEventRequest::decode(bytes.as_slice()).unwrap();
            let found = string_at(&bytes, &[1, 6]).unwrap().unwrap_or_default();
            assert_eq!(found, decoded.event.unwrap().scope, "{first:?} {second:?}");
        }
    }

    #[test]
    fn malformed_bytes_are_refused() {
        let good = request("acme");
        for cut in 1..good.len() {
            assert!(string_at(&good[..cut], &[1, 6]).is_err(), "cut at {cut}");
        }
        for bad in [
            &[0x08][..],
            &[0x0b, 0x0c],
            &[
                0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            ],
            &[0x0a, 0x02, 0x32],
            &[0x08, 0x01],
            &[0x09, 0x01],
            &[0x07],
        ] {
            assert!(string_at(bad, &[1, 6]).is_err(), "{bad:?}");
        }
        assert!(string_at(&[0x0a, 0x02, 0xff, 0xfe], &[1]).is_err());
    }

    #[tokio::test]
    async fn a_body_passes_on_unchanged() {
        let mut framed = vec![0, 0, 0, 0, 3];
        framed.extend_from_slice(b"abcmore");
        let chunks = framed
            .chunks(2)
            .map(|c| Ok::<_, Status>(Frame::data(Bytes::copy_from_slice(c))));
        let stream = futures::stream::iter(chunks.collect::<Vec<_>>());
        let body = Body::new(http_body_util::StreamBody::new(stream));
        let peeked = peek(body).await.unwrap();
        assert_eq!(&peeked.message[..], b"abc");
        let whole = peeked.body.collect().await.unwrap().to_bytes();
        assert_eq!(&whole[..], &framed[..]);
    }

    #[tokio::test]
    async fn bodies_that_hold_no_message_are_refused() {
        for bad in [
            &b""[..],
            &[0, 0, 0],
            &[0, 0, 0, 0, 9, 1],
            &[1, 0, 0, 0, 0],
            &[0, 0xff, 0, 0, 0],
        ] {
            let body = Body::new(http_body_util::Full::new(Bytes::copy_from_slice(bad)));
            assert!(peek(body).await.is_err(), "{bad:?}");
        }
    }
}
