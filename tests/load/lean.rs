//! A batch asked as cheaply as a client can: its request is encoded once, and of the
//! answers only what is checked is decoded. On two cores a client that builds every
//! message would be what is measured.

use bytes::{Buf as _, BufMut as _, Bytes};
use contracts::types::Effect;
use http::uri::PathAndQuery;
use prost::Message;
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

const BATCH_DECIDE: &str = "/bylaw.policy.v1.DecisionService/BatchDecide";

/// `BatchDecideResponse`, of which the rest is skipped.
#[derive(Clone, PartialEq, Message)]
struct Answers {
    #[prost(message, repeated, tag = "1")]
    results: Vec<Outcome>,
}

#[derive(Clone, PartialEq, Message)]
struct Outcome {
    #[prost(message, optional, tag = "1")]
    response: Option<Response>,
}

#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(message, optional, tag = "1")]
    decision: Option<Decision>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Decision {
    #[prost(enumeration = "Effect", tag = "5")]
    effect: i32,
}

/// Asks; how many answers were ALLOW, and the answers encoded.
pub async fn ask(channel: Channel, request: Request<Bytes>) -> Result<(usize, Bytes), Status> {
    let mut client = Grpc::new(channel);
    let ready = client.ready().await;
    ready.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = PathAndQuery::from_static(BATCH_DECIDE);
    let answer = client.unary(request, path, Lean).await?.into_inner();
    let answers = Answers::decode(answer.clone());
    let answers = answers.map_err(|error| Status::internal(error.to_string()))?;
    let effects = answers.results.iter().filter_map(|result| {
        let decision = result.response.as_ref()?.decision.as_ref()?;
        Some(decision.effect())
    });
    let allowed = effects.filter(|effect| *effect == Effect::Allow).count();
    Ok((allowed, answer))
}

/// Messages as they are on the wire.
struct Lean;

impl Codec for Lean {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Lean {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(message);
        Ok(())
    }
}

impl Decoder for Lean {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
